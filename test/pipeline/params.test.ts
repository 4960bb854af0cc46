import { describe as suite, expect, test } from "vitest";
import { workingTree } from "../../src/git/index.ts";
import { loadPipeline, parseSetting, readParams, setParams } from "../../src/pipeline/index.ts";
import { write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { project } from "./project.ts";

const stage = (params: string): string => `stages:\n  a:\n    cmd: x\n    params: ${params}\n`;

async function readFrom(files: Record<string, string>, params: string): Promise<ReturnType<typeof readParams>> {
  using at = project({ ...files, "pipelines/demo.yaml": stage(params) });
  const source = workingTree(at.context);
  return await readParams(source, value(await loadPipeline(source, "demo")));
}

suite("parameters", () => {
  test("from yaml, json and toml, by key or as a whole", async () => {
    const files = {
      "params.yaml": "train: {epochs: 3, layers: [8, 4]}\nflat.name: 5\n",
      "conf.json": '{"x": {"y": null}}',
      "conf.toml": "when = 2026-01-02T03:04:05Z\n[deep]\nz = 1.5\n",
    };
    const params = "[train.epochs, train.layers.1, flat.name, conf.json: [x], conf.toml: null]";
    expect(value(await readFrom(files, params))).toEqual([
      [
        "a",
        {
          "params.yaml": { "train.epochs": 3, "train.layers.1": 4, "flat.name": 5 },
          "conf.json": { x: { y: null } },
          "conf.toml": { when: "2026-01-02T03:04:05.000Z", deep: { z: 1.5 } },
        },
      ],
    ]);
  });

  test("every missing key is told at its place in the pipeline", async () => {
    const result = await readFrom({ "params.yaml": "a: 1\n" }, "[a, b, c.d]");
    expect(result).toMatchObject({
      failures: [
        { code: "param-missing", key: "b", at: { file: "pipelines/demo.yaml", line: 4 } },
        { code: "param-missing", key: "c.d" },
      ],
    });
  });

  test("a missing file, and a kind of file that is not read", async () => {
    expect(await readFrom({}, "[a]")).toMatchObject({ failures: [{ code: "file-missing", path: "params.yaml" }] });
    expect(await readFrom({ "p.ini": "a = 1" }, "[p.ini: [a]]")).toMatchObject({ failures: [{ code: "unsupported" }] });
  });

  test("an integer that would be rounded is refused; as text or float it is taken", async () => {
    const files = { "params.yaml": 'a: 9007199254740993\nb: "9007199254740993"\nc: 1e300\n' };
    expect(await readFrom(files, "[a]")).toMatchObject({
      failures: [{ code: "file-invalid", at: { file: "params.yaml", line: 1, column: 4 } }],
    });
    expect(value(await readFrom(files, "[b, c]"))[0]?.[1]).toEqual({
      "params.yaml": { b: "9007199254740993", c: 1e300 },
    });
  });

  test("broken files keep their places", async () => {
    expect(await readFrom({ "p.toml": "a = 1\nb = = 2\n" }, "[p.toml: [a]]")).toMatchObject({
      failures: [{ code: "file-invalid", at: { file: "p.toml", line: 2 } }],
    });
    expect(await readFrom({ "params.yaml": "a: .nan\n" }, "[a]")).toMatchObject({
      failures: [{ code: "file-invalid", at: { file: "params.yaml", line: 1, column: 4 } }],
    });
  });
});

suite("a parameter file that says a thing twice, or is none", () => {
  test.each<[string, string | Buffer, object]>([
    ["params.yaml", "a: 1\nb: {c: 1, c: 2}\n", { line: 2, column: 11 }],
    ["p.json", '{"a": 1,\n "a": 2}\n', { line: 2, column: 2 }],
    ["p.toml", "a = 1\n\na = 2\n", { line: 3 }],
    ["params.yaml", Buffer.of(0x61, 0x3a, 0x20, 0xff), { line: 1, column: 1 }],
    ["params.yaml", "a: 1\n".padEnd(17_000_000, "# more\n"), { line: 1, column: 1 }],
    ["p.yaml", "just text\n", { line: 1, column: 1 }],
  ])("%s", async (file, content, at) => {
    using folder = project({ "pipelines/demo.yaml": stage(`[${file}: [a]]`) });
    const source = workingTree(folder.context);
    write(folder.path, { [file]: content });
    const pipeline = await loadPipeline(source, "demo");
    // `params.yaml` is read for its variables already when the pipeline is.
    expect(pipeline.ok ? await readParams(source, pipeline.value) : pipeline).toMatchObject({
      failures: [{ code: "file-invalid", at: { file, ...at } }],
    });
  });

  test("in Python the last assignment counts, as it does there", async () => {
    expect(value(await readFrom({ "p.py": "a = 1\na = 2\n" }, "[p.py: [a]]"))).toEqual([["a", { "p.py": { a: 2 } }]]);
  });
});

suite("--set", () => {
  async function set(file: string, text: string, setting: string): Promise<string> {
    using at = project({ [file]: text });
    value(await setParams(at.context, workingTree(at.context), [value(parseSetting(setting))]));
    return at.read(file);
  }

  test.each([
    ["params.yaml", "a:\n  b: 1 # why\n  c: {d: 2}\n", "a.b=2", "a:\n  b: 2 # why\n  c: {d: 2}\n"],
    ["params.yaml", "a: one\n", "a=it's: odd", 'a: "it\'s: odd"\n'],
    ["params.yaml", "a: [1, 2]\n", "a.1=3", "a: [1, 3]\n"],
    ["c.json", '{\n    "a": {"b": 1}\n}\n', "c.json:a.b=true", '{\n    "a": {"b": true}\n}\n'],
    ["c.json", '{"a": {"b": 1}, "c": 1}', 'c.json:a={"z": 0}', '{\n  "a": {\n    "z": 0\n  },\n  "c": 1\n}\n'],
  ])("in %s, %j with %s", async (file, before, setting, after) => {
    // A text that holds `: ` needs quotes on the command line's YAML too.
    expect(await set(file, before, setting.replace("=it's: odd", `="it's: odd"`))).toBe(after);
  });

  test.each([
    ["lr = 0.1 # rate\n[train]\nlr = 0.2 # other\n", "train.lr=1", "lr = 0.1 # rate\n[train]\nlr = 1.0 # other\n"],
    ["t.lr = 1\n[t.opt]\nname = 'sgd' # lr = 9\n", "t.opt.name=adam", 't.lr = 1\n[t.opt]\nname = "adam" # lr = 9\n'],
    ["a = {b = 1, c = [1, 2]}\n", "a.b=7", "a = {b = 7, c = [1, 2]}\n"],
    ['a = [\n  1, # "one]\n  2,\n]\nb = 1\n', "a=[3]", "a = [ 3 ]\nb = 1\n"],
    ['s = """\nb = 1\n"""\nb = 1\n', "b=2", 's = """\nb = 1\n"""\nb = 2\n'],
    ["'a.b' = 1\n[c]\nb = 1\n", "a.b=2", "'a.b' = 2\n[c]\nb = 1\n"],
    ["d = 2026-01-02\nx = true\n", "x=false", "d = 2026-01-02\nx = false\n"],
  ])("in TOML, %j with %s", async (before, setting, after) => {
    expect(await set("c.toml", before, `c.toml:${setting}`)).toBe(after);
  });

  test.each([
    ["c.toml", "a = 1\n", "a=null"],
    ["c.toml", "a = [1, 2]\n", "a.1=3"],
    ["c.toml", "[t]\na = 1\n", "t={a: 2}"],
    ["c.py", "a = 1\n", "a=2"],
  ])("what cannot be edited in %s is left: %j with %s", async (file, text, setting) => {
    using at = project({ [file]: text });
    const settings = [value(parseSetting(`${file}:${setting}`))];
    expect(await setParams(at.context, workingTree(at.context), settings)).toMatchObject({
      failures: [{ code: "unsupported", hint: "edit the file by hand" }],
    });
    expect(at.read(file)).toBe(text);
  });

  test("several settings of one file", async () => {
    using at = project({ "params.yaml": "a: 1\nb: 2\n" });
    const settings = ["a=3", "b=null"].map((text) => value(parseSetting(text)));
    value(await setParams(at.context, workingTree(at.context), settings));
    expect(at.read("params.yaml")).toBe("a: 3\nb: null\n");
  });

  test("a key that is not there is a mistake, and nothing is written", async () => {
    using at = project({ "params.yaml": "a: 1\n" });
    const settings = ["a=2", "z=2"].map((text) => value(parseSetting(text)));
    expect(await setParams(at.context, workingTree(at.context), settings)).toMatchObject({
      failures: [{ code: "param-missing", key: "z" }],
    });
    expect(at.read("params.yaml")).toBe("a: 1\n");
  });

  test.each(["a", "=1", "../p.yaml:a=1", "/etc/p.yaml:a=1"])("%j is wrong usage", (text) => {
    expect(parseSetting(text)).toMatchObject({ failures: [{ code: "usage" }] });
  });
});
