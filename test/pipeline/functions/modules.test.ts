import { describe as suite, expect, test } from "vitest";
import { describe as wording } from "../../../src/core/index.ts";
import { atRevision, workingTree } from "../../../src/git/index.ts";
import { loadPipeline } from "../../../src/pipeline/index.ts";
import { sh } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { project } from "../project.ts";
import type { Project } from "../project.ts";

const demo = (files: Record<string, string>, fields = "", run = "code/a.ts#a"): Project =>
  project({ "pipelines/demo.yaml": `stages:\n  a: {run: "${run}"${fields}}\n`, ...files });

async function depsOf(at: Project, revision?: string): Promise<{ deps: string[]; env: string[] }> {
  const source = revision === undefined ? workingTree(at.context) : value(await atRevision(at.context, revision));
  const [stage] = value(await loadPipeline(source, "demo")).stages;
  return { deps: stage!.deps.map(({ path }) => path), env: stage!.env.files.map(({ path }) => path) };
}

async function problems(at: Project): Promise<string[]> {
  const result = await loadPipeline(workingTree(at.context), "demo");
  return result.ok ? [] : result.failures.map(wording);
}

suite("the modules of a function", () => {
  const FILES = {
    "code/a.ts": `import b, { type T } from "./lib/b.mjs";
import type { Only } from "./types.ts";
export * from "./star.ts";
import table from "./table%20x.json" with { type: "json" };
import * as path from "node:path";
import fs from "fs";
// import "./comment.ts"
export const lazy = () => import("../other/lazy.ts?v=1");
const computed = (name: string) => import(name);
`,
    "code/lib/b.mjs": 'export { default } from "../c.js";\n',
    "code/c.js": 'import "./a.ts";\nexport default 1;\n',
    "code/star.ts": 'export * from "./deep.ts";\n',
    "code/deep.ts": "export const a = (): void => {};\n",
    "code/table x.json": "{}",
    "other/lazy.ts": "export {};\n",
    "code/types.ts": "export type Only = 1;\n",
    "package-lock.json": "{}",
  };

  test("are followed through every form of import, in circles, and at a revision", async () => {
    using at = demo(FILES);
    const found = {
      deps: [
        "code/a.ts",
        "code/c.js",
        "code/deep.ts",
        "code/lib/b.mjs",
        "code/star.ts",
        "code/table x.json",
        "other/lazy.ts",
      ],
      env: [],
    };
    expect(await depsOf(at)).toEqual(found);
    sh(at.path, "rm", "--quiet", "-r", "code");
    expect(await depsOf(at, "HEAD")).toEqual(found);
  });

  test("bring the nearest lockfile along where they import packages", async () => {
    using at = demo({
      "code/a.ts": 'import { b } from "./b.ts";\nexport const a = b;\n',
      "code/b.ts": 'import { z } from "zod";\nexport const b = z;\n',
      "package-lock.json": "{}",
      "code/yarn.lock": "",
    });
    expect((await depsOf(at)).env).toEqual(["code/yarn.lock"]);
  });

  test("that are not there are told with their place", async () => {
    using at = demo({ "code/a.ts": 'export const a = 1;\nimport "./b";\nimport "../../x.ts";\n', "code/b.ts": "" });
    expect(await problems(at)).toEqual([
      `code/a.ts:2:9: imports ./b, which does not exist
    import "./b";
            ~
  hint: there is code/b.ts; an import names the file with its ending`,
      `code/a.ts:3:9: imports ../../x.ts, which is outside of the repository
    import "../../x.ts";
            ~`,
    ]);
  });

  test("that cannot be read are told with the file", async () => {
    using at = demo({
      "code/a.ts": 'import "./enum.ts";\nimport "./broken.ts";\nexport const a = 1;\n',
      "code/enum.ts": "enum A { B }\n",
      "code/broken.ts": "import {",
    });
    expect(await problems(at)).toEqual([
      expect.stringMatching(/^code\/enum\.ts:1:1: TypeScript enum is not supported/),
      expect.stringMatching(/^code\/broken\.ts:1:\d+: Unexpected token/),
    ]);
  });

  test("must export the function", async () => {
    using at = demo({ "code/a.ts": "export const b = 1, ab = 2;\nexport default 1;\n" });
    expect(await problems(at)).toEqual([
      expect.stringMatching(/^pipelines\/demo\.yaml:2:12: code\/a\.ts exports no "a"\n[^]*hint: did you mean "b"\?$/),
    ]);
    using none = demo({}, "", "code/none.ts#a");
    expect(await problems(none)).toEqual([
      expect.stringMatching(/^pipelines\/demo\.yaml:2:12: stage "a" depends on code\/none\.ts, which is neither/),
    ]);
  });
});

suite("the declaration of a function", () => {
  const A = { "code/a.ts": "export const a = 1;\n", "in.csv": "" };

  test("is judged field by field, each fault with its place", async () => {
    const faults = [
      ["cmd: x", 'has both "cmd" and "run"'],
      ["outputs: {x: o, y: o}", '"y" and "x" are one file'],
      ["inputs: {x: {path: in.csv, format: xml}}", "format"],
      ['inputs: {"a b": in.csv}', "a name as in code"],
      ["inputs: {x: ../in.csv}", "a path stays in the repository"],
      ["outputs: {x: {path: q, use: profile}}, profile: p", "a stage has one profile table"],
      ["inputs: {x: lost.csv}", "depends on lost.csv"],
    ] as const;
    const stages = faults.map(([fields], at) => `  s${at}: {run: code/a.ts#a, ${fields}}\n`);
    using at = project({ ...A, "pipelines/demo.yaml": `stages:\n${stages.join("")}` });
    const found = await problems(at);
    expect(found).toHaveLength(faults.length);
    for (const [line, [, problem]] of faults.entries()) {
      const told = found.find((text) => text.startsWith(`pipelines/demo.yaml:${line + 2}:`));
      expect(told).toContain(problem);
    }
  });

  test("without a function there are no inputs and outputs by name", async () => {
    using at = project({ "pipelines/demo.yaml": "stages:\n  a: {cmd: x, inputs: {x: y}}\n  b: {outputs: {}}\n" });
    expect((await problems(at)).map((text) => text.split("\n")[0])).toEqual([
      'pipelines/demo.yaml:2:23: "inputs" goes with "run", and this stage has none',
      'pipelines/demo.yaml:3:6: "cmd" is missing in "stages.b"',
      'pipelines/demo.yaml:3:16: "outputs" goes with "run", and this stage has none',
    ]);
  });

  test("paths, formats and uses come out of names, wdir and expressions", async () => {
    using at = project({
      ...A,
      "params.yaml": "where: deep\n",
      "pipelines/demo.yaml": `stages:
  a:
    foreach: [x, y]
    do:
      run: ../code/a.ts#a
      wdir: sub
      inputs: {rows: ../in.csv}
      outs: ["\${item}.log"]
      outputs:
        m: {path: "\${where}/\${item}.json", use: metric, cache: false}
        p: {path: "\${item}.ndjson"}
        q: {path: "\${item}", use: predictions, format: csv}
`,
      "sub/keep": "",
    });
    const [stage] = value(await loadPipeline(workingTree(at.context), "demo")).stages;
    expect(stage).toMatchObject({
      name: "a@x",
      cmd: [],
      deps: [{ path: "code/a.ts" }, { path: "in.csv" }],
      run: {
        module: "code/a.ts",
        outputs: [
          { name: "m", format: "json" },
          { name: "p", format: "jsonl" },
          { name: "q", format: "csv" },
        ],
      },
      outs: [
        { path: "sub/deep/x.json", uses: ["metric"], cache: false },
        { path: "sub/x", uses: ["predictions"] },
        { path: "sub/x.log", uses: ["out"] },
        { path: "sub/x.ndjson", uses: ["out"], cache: true },
      ],
      predictions: "sub/x",
    });
  });
});
