import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe as suite, expect, test } from "vitest";
import { message } from "../../src/core/index.ts";
import type { Result } from "../../src/core/index.ts";
import { atRevision, workingTree } from "../../src/git/index.ts";
import { loadPipeline, loadPipelines, plan } from "../../src/pipeline/index.ts";
import { repository, sh } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, local, project } from "./project.ts";

/** Failures as `code place message`. */
function told(result: Result<unknown>): string[] {
  if (result.ok) throw new Error("it was accepted");
  return result.failures.map((failure) => {
    const at = "at" in failure && failure.at ? `${failure.at.file}:${failure.at.line}:${failure.at.column} ` : "";
    return `${failure.code} ${at}${message(failure)}`;
  });
}

async function problems(yaml: string, files: Record<string, string> = {}): Promise<string[]> {
  using at = project({ "in.txt": "x", "pipelines/demo.yaml": yaml, ...files });
  return told(await loadPipeline(workingTree(at.context), "demo"));
}

suite("what is wrong with a pipeline file", () => {
  test("broken YAML", async () => {
    expect(await problems("stages:\n  a: {cmd: x\n  b: [\n")).toEqual(
      expect.arrayContaining([expect.stringMatching(/^file-invalid pipelines\/demo\.yaml:\d+:\d+ /)]),
    );
  });

  test("an expression without quotes in a list", async () => {
    using at = project({ "dvc.yaml": "stages:\n  a: {cmd: x, outs: [out/${item}]}\n" });
    expect(await loadPipeline(workingTree(at.context), "dvc")).toMatchObject({
      failures: [{ code: "file-invalid", hint: expect.stringContaining("needs quotes") as string }],
    });
  });

  test("an unfinished merge", async () => {
    const yaml = "stages:\n<<<<<<< HEAD\n  a: {cmd: x}\n=======\n  a: {cmd: y}\n>>>>>>> other\n";
    expect(await problems(yaml)).toEqual([
      "merge-conflict pipelines/demo.yaml:2:1 the file holds the markers of an unfinished merge",
    ]);
  });

  test("unknown keys, a cycle, a missing dep and an output made twice are told in one go", async () => {
    const yaml = `stages:
  a: {cmd: x, deps: [build/b], outs: [build/a], colour: red}
  b: {cmd: x, deps: [build/a], outs: [build/b]}
  c: {cmd: x, deps: [nowhere.txt], outs: [build/c]}
  d: {cmd: x, outs: [build/c/inner]}
`;
    expect(await problems(yaml)).toEqual([
      'file-invalid pipelines/demo.yaml:2:49 unknown key "colour"',
      'output-twice pipelines/demo.yaml:5:22 build/c/inner is an output of both "c" and "d"',
      "cycle pipelines/demo.yaml:3:22 these stages wait for each other: a -> b -> a",
      'dep-missing pipelines/demo.yaml:4:22 stage "c" depends on nowhere.txt, which is neither a file, a dataset nor any stage\'s output',
    ]);
  });

  test("a stage that depends on its own output", async () => {
    expect(await problems("stages:\n  a: {cmd: x, deps: [build/o/f], outs: [build/o]}\n")).toEqual([
      "cycle pipelines/demo.yaml:2:22 these stages wait for each other: a -> a",
    ]);
  });

  test("every cycle is told once", async () => {
    const yaml = `stages:
  a: {cmd: x, deps: [o/b], outs: [o/a]}
  b: {cmd: x, deps: [o/a, o/c], outs: [o/b]}
  c: {cmd: x, deps: [o/b], outs: [o/c]}
`;
    const found = await problems(yaml);
    expect(found.map((line) => line.replace(/.*: /, ""))).toEqual(["a -> b -> a", "b -> c -> b"]);
  });

  test("an output inside of a dataset, or around it", async () => {
    const lock = {
      lockfileVersion: 1,
      datasets: { rows: { path: "data/rows", kind: "tree", digest: `sha256:${"0".repeat(64)}`, size: 1, files: 1 } },
    };
    const found = await problems("stages:\n  a: {cmd: x, outs: [data/rows/new]}\n  b: {cmd: x, outs: [data]}\n", {
      "data.lock.json": JSON.stringify(lock),
    });
    expect(found).toContain(
      'file-invalid pipelines/demo.yaml:2:22 data/rows/new meets the dataset "rows" (data/rows), which only `lockstep data` writes',
    );
    expect(found).toContain(
      'file-invalid pipelines/demo.yaml:3:22 data meets the dataset "rows" (data/rows), which only `lockstep data` writes',
    );
  });

  test("what DVC means and Lockstep does not do is said", async () => {
    using at = project({ "dvc.yaml": "stages:\n  a:\n    cmd: echo\n    frozen: true\n    deps: [/etc/hosts]\n" });
    expect(told(await loadPipeline(workingTree(at.context), "dvc"))).toEqual([
      "unsupported dvc.yaml:5:12 /etc/hosts: a path outside of the repository is not supported",
    ]);
  });

  test("an expression is told with its place and the nearest name", async () => {
    const yaml =
      "stages:\n  a:\n    foreach: [1, 2]\n    do: {cmd: 'x ${train.ratee}', outs: ['o${item}']}\n  b: {cmd: '${}'}\n";
    expect(await problems(yaml, { "params.yaml": "train: {rate: 1}\n" })).toEqual([
      'file-invalid pipelines/demo.yaml:4:15 ${train.ratee}: there is no variable "train.ratee"',
      "file-invalid pipelines/demo.yaml:5:12 ${} is no expression",
    ]);
  });

  test("a path that leaves the repository, and a stage without a command", async () => {
    const found = await problems("stages:\n  a: {cmd: x, outs: [../x]}\n  b: {outs: [y]}\n");
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^file-invalid pipelines\/demo\.yaml:2:/);
    expect(found[1]).toBe('file-invalid pipelines/demo.yaml:3:6 "cmd" is missing in "stages.b"');
  });

  test("an unknown name tells the known ones", async () => {
    using at = project(CHAIN_FILES);
    const result = await loadPipeline(workingTree(at.context), "damo");
    expect(result).toMatchObject({ failures: [{ code: "unknown-name", known: ["demo"] }] });
  });
});

suite("inputs that are no plain files of the repository", () => {
  const UNSUPPORTED = /^unsupported pipelines\/demo\.yaml:2:22 dep: a symbolic link as input is not supported$/;

  test.each([
    ["a file", "in.txt"],
    ["a folder", "."],
    ["what is outside of the repository", "/etc/hosts"],
    ["nothing", "nowhere"],
    ["itself", "dep"],
  ])("a link to %s", async (_, target) => {
    using at = project({ "in.txt": "x", "pipelines/demo.yaml": "stages:\n  a: {cmd: x, deps: [dep]}\n" });
    symlinkSync(target, join(at.path, "dep"));
    expect(told(await loadPipeline(workingTree(at.context), "demo"))).toEqual([expect.stringMatching(UNSUPPORTED)]);
  });

  /** What a plan says of the folder `in`: in the working tree, and at the commit of it. */
  async function plans(make: (path: string) => void): Promise<string[]> {
    using at = project({ "in/a.txt": "x", "pipelines/demo.yaml": "stages:\n  a: {cmd: x, deps: [in]}\n" });
    make(at.path);
    sh(at.path, "add", "--all");
    sh(at.path, "commit", "--quiet", "--message=more");
    const { records } = local(at.context);
    const said: string[] = [];
    for (const source of [workingTree(at.context), value(await atRevision(at.context, "HEAD"))]) {
      const pipeline = value(await loadPipeline(source, "demo"));
      said.push(...told(await plan(at.context, { source, pipeline, records })));
    }
    return said;
  }
  const both = (text: string): string[] =>
    Array.from({ length: 2 }, () => `unsupported pipelines/demo.yaml:2:22 ${text}`);

  test("a link in a folder", async () => {
    expect(await plans((path) => symlinkSync("a.txt", join(path, "in/link")))).toEqual(
      both("in/link: a symbolic link as input is not supported"),
    );
  });

  test("a submodule in a folder, and one as a dep", async () => {
    const nest = (path: string): void => void repository(join(path, "in/sub"));
    expect(await plans(nest)).toEqual(both("in/sub: a submodule as input is not supported"));
    using at = project({ "pipelines/demo.yaml": "stages:\n  a: {cmd: x, deps: [sub]}\n" });
    repository(join(at.path, "sub"));
    expect(told(await loadPipeline(workingTree(at.context), "demo"))).toEqual([
      "unsupported pipelines/demo.yaml:2:22 sub: a submodule as input is not supported",
    ]);
  });

  test.skipIf(process.platform === "darwin")("a name that is not UTF-8", async () => {
    const odd = (path: string): void =>
      writeFileSync(Buffer.concat([Buffer.from(`${path}/in/`), Buffer.of(0xff)]), "x");
    expect(await plans(odd)).toEqual(both("in/\uFFFD: a name that is not UTF-8 is not supported"));
  });
});

suite("thousands of stages", () => {
  const chain = (count: number, first: string): string =>
    `stages:\n${Array.from({ length: count }, (_, at) => count - 1 - at)
      .map((at) => `  s${at}: {cmd: "true", deps: [${at === 0 ? first : `o/${at - 1}`}], outs: [o/${at}]}\n`)
      .join("")}`;

  test("in one chain, the last first, are put in order and planned", async () => {
    using at = project({ "in.txt": "x", "pipelines/demo.yaml": chain(2000, "in.txt") });
    const source = workingTree(at.context);
    const pipeline = value(await loadPipeline(source, "demo"));
    expect(pipeline.stages.map(({ name }) => name)).toEqual(Array.from({ length: 2000 }, (_, n) => `s${n}`));
    const { stages } = value(await plan(at.context, { source, pipeline, records: local(at.context).records }));
    expect(stages.at(-1)).toMatchObject({ action: "run", key: null, reason: "s1998 will run" });
  });

  test("in a ring are told with a few of their names", async () => {
    const found = await problems(chain(2000, "o/1999"));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/wait for each other: s1999 -> s1998 -> .* -> \(1,9\d\d more\) -> .* -> s1999$/);
    expect(found[0]!.length).toBeLessThan(250);
  });
});

suite("several files", () => {
  test("pipelines/*.yaml, *.yml and dvc.yaml, in order of name; deeper files are none", async () => {
    const yaml = (out: string): string => `stages: {a: {cmd: x, outs: [build/${out}]}}\n`;
    using at = project({
      "pipelines/b.yml": yaml("1"),
      "pipelines/a.yaml": yaml("2"),
      "dvc.yaml": yaml("3"),
      "pipelines/deep/c.yaml": "no pipeline",
    });
    const pipelines = value(await loadPipelines(workingTree(at.context)));
    expect(pipelines.map(({ name, file }) => `${name} ${file}`)).toEqual([
      "a pipelines/a.yaml",
      "b pipelines/b.yml",
      "dvc dvc.yaml",
    ]);
  });

  test("two files with one name, and two pipelines with one output", async () => {
    const yaml = "stages: {a: {cmd: x, outs: [build/o]}}\n";
    using named = project({ "pipelines/a.yml": yaml, "pipelines/a.yaml": yaml });
    expect(told(await loadPipelines(workingTree(named.context)))[0]).toContain('are both the pipeline "a"');
    using shared = project({ "pipelines/a.yaml": yaml, "pipelines/b.yaml": yaml });
    expect(told(await loadPipelines(workingTree(shared.context)))).toEqual([
      'output-twice pipelines/b.yaml:1:29 build/o is an output of both "pipelines/a.yaml:a" and "pipelines/b.yaml:a"',
    ]);
  });
});

suite("stages that need each other across files", () => {
  const files = {
    "pipelines/a.yaml":
      "stages:\n  raw: {cmd: x, outs: [build/raw]}\n  clean: {cmd: x, deps: [build/raw], outs: [build/clean]}\n  other: {cmd: x}\n",
    "pipelines/b.yaml": "stages:\n  train: {cmd: x, deps: [build/clean], outs: [build/model]}\n",
  };

  test("what is needed is part of the pipeline, and nothing else", async () => {
    using at = project(files);
    const { stages } = value(await loadPipeline(workingTree(at.context), "b"));
    expect(stages.map(({ name, needs }) => [name, needs])).toEqual([
      ["pipelines/a.yaml:raw", []],
      ["pipelines/a.yaml:clean", ["pipelines/a.yaml:raw"]],
      ["train", ["pipelines/a.yaml:clean"]],
    ]);
  });

  test("a broken file elsewhere matters only where something is missing", async () => {
    using at = project({ ...files, "pipelines/a.yaml": "stages: [\n", "pipelines/c.yaml": "stages: {c: {cmd: x}}\n" });
    const found = told(await loadPipeline(workingTree(at.context), "b"));
    expect(found[0]).toMatch(/^file-invalid pipelines\/a\.yaml:/);
    expect(found.at(-1)).toMatch(/^dep-missing pipelines\/b\.yaml:2:/);
    expect(value(await loadPipeline(workingTree(at.context), "c")).stages).toHaveLength(1);
  });

  test("a cycle across files", async () => {
    using at = project({
      "pipelines/a.yaml": "stages: {a: {cmd: x, deps: [o/b], outs: [o/a]}}\n",
      "pipelines/b.yaml": "stages: {b: {cmd: x, deps: [o/a], outs: [o/b]}}\n",
    });
    expect(told(await loadPipeline(workingTree(at.context), "a"))).toEqual([
      "cycle pipelines/b.yaml:1:29 these stages wait for each other: a -> pipelines/b.yaml:b -> a",
    ]);
  });
});

test("a stage's paths, uses, order and needs", async () => {
  const yaml = `stages:
  last: {cmd: x, deps: [build], metrics: [m.json: {cache: false}]}
  first:
    cmd: [one, two]
    wdir: sub
    deps: [in.txt]
    params: [b, a, conf.toml: [z], other.json: []]
    outs: [out, keep: {persist: true}]
    predictions: out/p.csv
    timeout: 1.5m
  middle: {cmd: x, deps: [sub/out/part], outs: [build/x]}
`;
  using at = project({ "pipelines/demo.yaml": yaml, "sub/in.txt": "x" });
  const { stages } = value(await loadPipeline(workingTree(at.context), "demo"));
  expect(stages.map(({ name, needs }) => [name, needs])).toEqual([
    ["first", []],
    ["middle", ["first"]],
    ["last", ["middle"]],
  ]);
  expect(stages[0]).toMatchObject({
    cmd: ["one", "two"],
    deps: [{ path: "sub/in.txt" }],
    params: [
      { path: "sub/conf.toml", keys: ["z"] },
      { path: "sub/other.json", keys: null },
      { path: "sub/params.yaml", keys: ["a", "b"] },
    ],
    outs: [
      { path: "sub/keep", uses: ["out"], persist: true, cache: true },
      { path: "sub/out", uses: ["out"], persist: false },
      { path: "sub/out/p.csv", uses: ["predictions"] },
    ],
    timeoutMs: 90_000,
  });
  expect(stages[2]?.outs).toMatchObject([{ path: "m.json", uses: ["metric"], cache: false }]);
});
