import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe as suite, expect, test } from "vitest";
import { runDemo } from "../project.ts";
import { body, functions, said } from "./functions.ts";

const root = join(import.meta.dirname, "../../..");

suite("a function that goes wrong", () => {
  test.each([
    ["return { x: 1, other: 2 };", 'returned "other", which is no declared output (its outputs are x)'],
    ["return { xx: 1 };", 'returned "xx", which is no declared output (did you mean "x"?)'],
    ["return {};", 'returned no "x", which it declares as an output (its outputs are x)'],
    ["return [1];", "returned a list, not an object with its outputs by name (its outputs are x)"],
    ["", "returned undefined, not an object with its outputs by name (its outputs are x)"],
    ["return { x: NaN };", 'returned "x", which has the number NaN, which JSON cannot say, and build/x.json is json'],
    ['throw "words";', "threw a text: words"],
    ['throw new Error("one\\ntwo");', 'code/a.ts:2:9 stage "a" threw Error: one'],
    ["process.exit(0);", "ended before its function returned"],
    ["process.exit(7);", "ended with exit code 7"],
    ["await new Promise(() => {});", "ended before its function returned"],
    ["setTimeout(() => { throw new Error('late'); }); await new Promise(() => {});", "ended with exit code 1"],
    ['process.getBuiltinModule("node:fs").writeSync(3, "{}"); return { x: 1 };', "ended before its function returned"],
    ["process.kill(process.pid, 'SIGKILL');", "was ended by SIGKILL"],
  ])("%s", async (text, problem) => {
    using at = body(text);
    const outcome = await runDemo(at.context);
    expect(said(outcome)).toEqual([expect.stringContaining(problem)]);
    expect(outcome.stages).toEqual([]);
  });

  test("takes and gives folders", async () => {
    using at = body(
      'return { out: { ...inputs.files, "deep/new": Buffer.from(Object.keys(inputs.files).join()) } };',
      "inputs: {files: {path: in, format: files}}, outputs: {out: {path: build/out, format: files}}",
      { "in/b/c": "c", "in/a": "a" },
    );
    expect(said(await runDemo(at.context))).toEqual([]);
    expect(["a", "b/c", "deep/new"].map((name) => at.read(`build/out/${name}`))).toEqual(["a", "c", "a,b/c"]);
    using folder = body("return {};", "inputs: {x: in}", { "in/a": "" });
    expect(said(await runDemo(folder.context))).toEqual([
      expect.stringMatching(/cannot read its input "x": in is a folder \(`format: files` takes a folder\)$/),
    ]);
  });

  test("is ended with all that it started, when its time is over", async () => {
    using at = body(
      'const { spawn } = process.getBuiltinModule("node:child_process");\n  spawn("sleep", ["60"]);\n  await new Promise((done) => setTimeout(done, 60_000));',
      "outputs: {x: build/x.json}, timeout: 1s",
    );
    expect(said(await runDemo(at.context))).toEqual([
      expect.stringContaining('stage "a" ran longer than its timeout of 1 s'),
    ]);
  });

  test("is tried again, when it says so", async () => {
    using at = body(
      'const { appendFileSync, readFileSync } = process.getBuiltinModule("node:fs");\n  appendFileSync("tries", "x");\n  if (readFileSync("tries", "utf8").length < 3) throw new Error("not yet");\n  return { x: 1 };',
      "outputs: {x: build/x.json}, retry: 2",
    );
    expect(said(await runDemo(at.context))).toEqual([]);
    expect(at.read("tries")).toBe("xxx");
  });

  test("is told where its checkpoint is", async () => {
    using at = body("return { x: process.env.LOCKSTEP_CHECKPOINT };", "outputs: {x: build/x.json}, checkpoint: cp/a");
    expect(said(await runDemo(at.context))).toEqual([]);
    expect(at.read("build/x.json")).toMatch(/cp\/a"\n$/);
  });

  test("what it leaves open is not waited for", async () => {
    using at = body("setInterval(() => {}, 1000);\n  return { x: 1 };", "outputs: {x: build/x.json}, timeout: 20s");
    expect(said(await runDemo(at.context))).toEqual([]);
  });
});

test("the built command line runs functions", () => {
  using at = functions();
  const built = `import(${JSON.stringify(join(root, "dist/cli.js"))}).then(({ main }) => main(["run", "--json"]))`;
  const document = execFileSync(process.execPath, ["--input-type=module", "--eval", built], { cwd: at.path });
  expect(JSON.parse(document.toString())).toMatchObject({
    ok: true,
    pipelines: [{ metrics: { "build/metrics.json": { few: 1, ids: 2 } } }],
  });
});

test.each([
  ["let é = 1, let = 2;", { at: { file: "code/a.ts", line: 2, column: 14 } }],
  ["(".repeat(200_000), { at: { file: "code/a.ts" }, message: expect.stringContaining("nested too deeply") as string }],
])("%.20s cannot be read, and it is told where", (text, failure) => {
  using at = body(text);
  const run = `import(${JSON.stringify(join(root, "src/cli/main.ts"))}).then(({ main }) => main(["plan", "--json"]))`;
  const document = execFileSync(process.execPath, ["--input-type=module", "--eval", run], { cwd: at.path });
  expect(JSON.parse(document.toString())).toMatchObject({ failures: [failure] });
});
