import { join } from "node:path";
import { expect, test } from "vitest";
import { KeyWorld } from "../../../src/pipeline/inputs.ts";
import { loadPipeline } from "../../../src/pipeline/index.ts";
import { ReadLog } from "../../../src/pipeline/strict/read-log.ts";
import { isForeign } from "../../../src/pipeline/strict/tools.ts";
import { TraceReader } from "../../../src/pipeline/strict/trace.ts";
import { viewOf } from "../../../src/pipeline/strict/view.ts";
import type { View } from "../../../src/pipeline/strict/view.ts";
import type { Stage } from "../../../src/pipeline/stage.ts";
import { workingTree } from "../../../src/git/index.ts";
import { contextIn, write } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { project } from "../project.ts";
import type { Project } from "../project.ts";

const STAGES = `stages:
  make: {cmd: "true", outs: [raw/a, raw/b]}
  use:
    cmd: "true"
    wdir: code
    deps: [src, ../raw, ../shared/one.py]
    params: [{../conf/p.yaml: [x]}]
    env: {files: [../uv.lock]}
    outs: [../build/all, ../build/deep/er/f]
    predictions: ../build/all/predictions.csv
`;
const FILES = {
  ".gitignore": ".lockstep/\nbuild/\n*.pkl\n__pycache__/\nnode_modules\nvenv/\n/raw/b\n",
  "pipelines/demo.yaml": STAGES,
  "code/src/a.py": "",
  "code/src/lib/b.py": "",
  "code/src/lib/sub/c.py": "",
  "shared/one.py": "",
  "shared/two.py": "",
  "raw/own.txt": "",
  "conf/p.yaml": "x: 1\n",
  "uv.lock": "",
};

async function viewIn(at: Project): Promise<{ stage: Stage; view: View }> {
  const source = workingTree(at.context);
  const pipeline = value(await loadPipeline(source, "demo"));
  const stage = pipeline.stages.find(({ name }) => name === "use")!;
  const world = value(await KeyWorld.open(at.context, pipeline, source));
  return { stage, view: value(await viewOf(at.context, stage, world.reads(stage))) };
}

test("a stage sees what its key tells of: of a folder what git sees, of an output all of it", async () => {
  using at = project(FILES);
  write(at.path, { "raw/a/x.pkl": "", "raw/b": "" });
  expect((await viewIn(at)).view).toMatchObject({
    reads: ["code/src", "conf/p.yaml", "raw/a", "raw/b", "raw/own.txt", "shared/one.py", "uv.lock"],
    tools: [],
  });
  write(at.path, {
    "code/src/lib/cache.pkl": "",
    "code/src/__pycache__/a.cpython-312.pyc": "",
    "node_modules/p/index.js": "",
    "code/node_modules/q/index.js": "",
    "venv/pyvenv.cfg": "",
    "build/env/conda-meta/x": "",
  });
  const { view } = await viewIn(at);
  expect(view.reads.filter((path) => path.startsWith("code"))).toEqual([
    "code/src/a.py",
    "code/src/lib/b.py",
    "code/src/lib/sub",
  ]);
  expect(view.tools).toEqual(["code/node_modules", "node_modules", "venv"]);
  expect(view.outs.map(({ path }) => path)).toEqual(["build/all", "build/deep/er/f"]);
  const onPath = {
    ...at.context,
    env: { ...at.context.env, PATH: `${at.context.env["PATH"]}:${join(at.path, "build/env/bin")}` },
  };
  expect((await viewIn({ ...at, context: onPath })).view.tools).toContain("build/env");
});

test("what lies outside of the repository is somebody's, or installed", () => {
  const context = contextIn("/w", { PATH: "/home/ada/conda/envs/x/bin:/usr/bin" });
  const paths = [
    "/home/ada/data.csv",
    "/mnt/x",
    "/usr/lib/x",
    "/home/ada/.cache/x",
    "/home/ada/conda/envs/x/lib/y",
    "/a/node_modules/p/i.js",
  ];
  expect(paths.filter((path) => isForeign(context, path))).toEqual(["/home/ada/data.csv", "/mnt/x"]);
});

test("what the calls of a stage say that it read undeclared", async () => {
  using at = project(FILES);
  write(at.path, { "raw/a/x.pkl": "", "raw/b": "", "code/src/lib/cache.pkl": "" });
  const { stage, view } = await viewIn(at);
  const log = new ReadLog(view, stage, ["/w"]);
  const reader = new TraceReader("/w/code");
  const open = (path: string, flags: string, real = `/w/${path}`): string =>
    `1 openat(AT_FDCWD</w/code>, "/w/${path}", ${flags}) = 3<${real}>`;
  for (const line of [
    open("code/src/a.py", "O_RDONLY|O_CLOEXEC"),
    open("code/src/lib/cache.pkl", "O_RDONLY"),
    open("shared/__pycache__/one.cpython-312.pyc", "O_RDONLY"),
    open("shared/__pycache__/two.cpython-312.opt-1.pyc", "O_RDONLY"),
    open("alias", "O_RDONLY", "/w/shared/one.py"),
    open("code", "O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY"),
    open("scratch", "O_WRONLY|O_CREAT|O_TRUNC, 0666"),
    open("scratch", "O_RDONLY"),
    '1 mkdir("/w/work", 0777) = 0',
    open("work/deep/x", "O_RDONLY"),
    open("state", "O_RDONLY"),
    open("state", "O_WRONLY|O_CREAT|O_TRUNC, 0666"),
    open("build/all/x", "O_RDWR"),
    open("workshop", "O_RDONLY"),
    '1 openat(AT_FDCWD</w/code>, "gone", O_RDONLY) = -1 ENOENT (No such file or directory)',
    '1 execve("./run.sh", ["./run.sh"], 0x1 /* 1 var */) = 0',
    '1 newfstatat(AT_FDCWD</w/code>, "../asked", {st_mode=S_IFREG|0644, ...}, 0) = 0',
    '1 openat(AT_FDCWD</w/code>, "/home/ada/data.csv", O_RDONLY) = 3</home/ada/data.csv>',
    '1 execve("/usr/bin/cat", ["cat"], 0x1 /* 1 var */) = 0',
  ]) {
    const call = reader.read(line);
    if (call !== undefined) log.add(call);
  }
  expect([...log.undeclared]).toEqual([
    "code/src/lib/cache.pkl",
    "shared/two.py",
    "state",
    "workshop",
    "code/run.sh",
    "/home/ada/data.csv",
  ]);
  expect(log.untouched()).toEqual(["raw"]);
});
