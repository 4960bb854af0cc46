import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe as suite, expect, test } from "vitest";
import { message } from "../../src/core/index.ts";
import { loadPipeline, run } from "../../src/pipeline/index.ts";
import type { RunOptions, RunOutcome } from "../../src/pipeline/index.ts";
import { sh, write } from "../git/repository.ts";
import { isAlive, until } from "../helpers/processes.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, local, project, runDemo, statuses } from "./project.ts";
import type { Project } from "./project.ts";

const demo = (stages: string, files: Record<string, string> = {}, env: Record<string, string> = {}): Project =>
  project({ "pipelines/demo.yaml": `stages:\n${stages}`, ...files }, env);

const messages = (outcome: RunOutcome): string[] =>
  outcome.failures.map((failure) => `${failure.code}: ${message(failure)}`);

async function tryDemo(at: Project, options: Partial<RunOptions> = {}): Promise<ReturnType<typeof run>> {
  const basics = local(at.context);
  const pipeline = value(await loadPipeline(basics.source, "demo"));
  return run(at.context, { ...basics, pipeline, commit: async () => null, restore: "all", ...options });
}

suite("a run", () => {
  test("runs what changed, and nothing twice", async () => {
    using at = project(CHAIN_FILES);
    const first = await runDemo(at.context);
    expect(statuses(first)).toEqual(["prepare: run", "train: run", "evaluate: run"]);
    expect(at.read("build/copy")).toBe("one\ntwo\n  seed: 1\n  epochs: 10 # passes\n");
    expect(first.run).toMatchObject({
      ok: true,
      params: { "params.yaml": { "prepare.seed": 1, train: { epochs: 10, rate: 0.5 } } },
      metrics: { "build/metrics.json": { accuracy: 0.5, "per.a": 1 } },
    });
    expect(statuses(await runDemo(at.context))).toEqual(["prepare: cached", "train: cached", "evaluate: cached"]);
    write(at.path, { "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 11\n  rate: 0.5\n" });
    const third = await runDemo(at.context);
    expect(third.run.stages.map(({ status, reason }) => `${status}: ${reason}`)).toEqual([
      "cached: nothing it depends on changed",
      "run: params.yaml: train.epochs 10 -> 11",
      "run: build/model changed",
    ]);
    sh(at.path, "checkout", "--quiet", "params.yaml");
    expect(statuses(await runDemo(at.context))).toEqual(["prepare: cached", "train: cached", "evaluate: cached"]);
    expect(at.read("build/copy")).toContain("epochs: 10");
  });

  test("a stage whose inputs come out as before does not run", async () => {
    using at = demo(
      "  a: {cmd: 'grep -o x in.txt > build/a', deps: [in.txt], outs: [build/a]}\n  b: {cmd: 'cp build/a build/b', deps: [build/a], outs: [build/b]}\n",
      { "in.txt": "x 1\n" },
    );
    await runDemo(at.context);
    write(at.path, { "in.txt": "x 2\n" });
    const outcome = await runDemo(at.context);
    expect(statuses(outcome)).toEqual(["a: run", "b: cached"]);
    expect(outcome.run.stages[1]?.reason).toBe("a came out as before");
  });

  test("stages that do not need each other run at once, up to the number of jobs", async () => {
    // Each waits for the other to open its end of the pipe: one after the other they would wait for ever.
    const stages = [0, 1].map(
      (me) =>
        `  s${me}:\n    cmd: ${me === 0 ? "echo a > p; cat q" : "cat p; echo b > q"}\n    timeout: 20s\n    always_changed: true\n`,
    );
    using at = demo(stages.join(""));
    sh(at.path, "-c", "alias.fifo=!mkfifo p q", "fifo");
    expect((await runDemo(at.context, { jobs: 2 })).run.ok).toBe(true);
    const counted = [0, 1, 2].map((me) => `  s${me}: {cmd: "mkdir busy && rmdir busy", always_changed: true}\n`);
    using single = demo(counted.join(""));
    // `mkdir` of a folder that is there fails: with one job, two never meet.
    expect(messages(await runDemo(single.context, { jobs: 1 }))).toEqual([]);
  });

  test("one stage and what it needs", async () => {
    using at = project(CHAIN_FILES);
    expect(statuses(await runDemo(at.context, { stage: "train" }))).toEqual(["prepare: run", "train: run"]);
    expect(await tryDemo(at, { stage: "nope" })).toMatchObject({ failures: [{ code: "unknown-name", name: "nope" }] });
  });

  test("forced", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    const outcome = await runDemo(at.context, { force: true });
    expect(outcome.run.stages.map(({ status, reason }) => `${status} ${reason}`)).toEqual(
      Array.from({ length: 3 }, () => "run it was asked for (--force)"),
    );
  });

  test("wdir, several commands, variables, and programs of npm packages", async () => {
    using at = demo(
      "  a:\n    cmd: [tool > out, 'printf %s \"$SOME\" >> out']\n    wdir: sub\n    outs: [out]\n    env: {vars: [SOME]}\n",
      {
        "sub/x": "",
        "node_modules/.bin/tool": "#!/bin/sh\necho tool\n",
        ".gitignore": "node_modules\nout\n.lockstep/\n",
      },
      { SOME: "thing" },
    );
    sh(at.path, "-c", "alias.x=!chmod +x node_modules/.bin/tool", "x");
    const outcome = await runDemo(at.context);
    expect(messages(outcome)).toEqual([]);
    expect(at.read("sub/out")).toBe("tool\nthing");
    expect(outcome.stages[0]?.vars).toEqual({ SOME: "thing" });
  });

  test("a dep that is a folder of outputs, datasets and files together", async () => {
    using at = demo(
      "  a: {cmd: 'cp mix/src.txt mix/made', deps: [mix/src.txt], outs: [mix/made]}\n  b: {cmd: 'cat mix/* > build/b', deps: [mix], outs: [build/b]}\n",
      { "mix/src.txt": "1", ".gitignore": "build/\n.lockstep/\nmix/made\n" },
    );
    await runDemo(at.context);
    expect(statuses(await runDemo(at.context))).toEqual(["a: cached", "b: cached"]);
    write(at.path, { "mix/other.txt": "2" });
    expect(statuses(await runDemo(at.context))).toEqual(["a: cached", "b: run"]);
    expect(at.read("build/b")).toBe("121");
  });

  test("a profile table becomes the stage's profile", async () => {
    using at = demo("  a: {cmd: \"printf 'x,y\\\\n1,a\\\\n2,b\\\\n' > build/t.csv\", profile: build/t.csv}\n");
    const outcome = await runDemo(at.context);
    expect(messages(outcome)).toEqual([]);
    const profile = outcome.stages[0]?.profile;
    const text = value(await outcome.cache.read(profile as NonNullable<typeof profile>)).toString();
    expect(JSON.parse(text)).toMatchObject({ rows: 2, columns: [{ name: "x" }, { name: "y" }] });
  });
});

suite("outputs", () => {
  test("are deleted before their stage runs, but not those marked persist", async () => {
    using at = demo(
      "  a:\n    cmd: ls build/old build/kept > build/list; mkdir -p build/old build/kept; touch build/old/$(cat in.txt) build/kept/$(cat in.txt)\n    deps: [in.txt]\n    outs: [build/old, build/list, build/kept: {persist: true}]\n",
      { "in.txt": "one" },
    );
    await runDemo(at.context);
    write(at.path, { "in.txt": "two" });
    await runDemo(at.context);
    expect(at.read("build/list").split("\n")).toEqual(["build/kept:", "one", ""]);
  });

  test("a stage that does not write one fails, and is not recorded", async () => {
    using at = demo("  a: {cmd: 'echo > build/x', outs: [build/x, build/y]}\n");
    expect(messages(await runDemo(at.context))).toEqual([
      'output-missing: stage "a" ended well but did not write its output build/y',
    ]);
    expect(statuses(await runDemo(at.context))).toEqual(["a: failed"]);
  });

  test("of cached stages come back, from the cache or from the store", async () => {
    using at = project(CHAIN_FILES);
    const { store } = local(at.context);
    const first = await runDemo(at.context);
    rmSync(join(at.path, "build"), { recursive: true });
    expect(statuses(await runDemo(at.context))).toEqual(["prepare: cached", "train: cached", "evaluate: cached"]);
    expect(at.read("build/split/rows")).toBe("one\ntwo\n");
    // Only the model goes to the store; the caches are gone.
    const model = first.stages[1]?.outs[0];
    value(await store.putFile(join(at.path, "build/model")));
    rmSync(join(at.path, "build"), { recursive: true });
    rmSync(join(at.path, ".lockstep/cache"), { recursive: true });
    const again = await runDemo(at.context);
    expect(again.run.stages.map(({ stage, status, reason }) => `${stage} ${status} ${reason}`)).toEqual([
      "prepare run its output build/split is in no store any more",
      "train cached prepare came out as before",
      "evaluate run its output build/metrics.json is in no store any more",
    ]);
    expect(again.stages[1]?.outs[0]).toEqual(model);
    expect(at.read("build/model")).toContain("epochs: 10");
  });

  test("a folder in its place, and in no store any more, is left alone while others run", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    rmSync(join(at.path, ".lockstep/cache"), { recursive: true });
    write(at.path, { "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 11\n  rate: 0.5\n" });
    const outcome = await runDemo(at.context);
    expect(messages(outcome)).toEqual([]);
    expect(statuses(outcome)).toEqual(["prepare: cached", "train: run", "evaluate: run"]);
  });

  test("of cached stages that nothing reads stay away when only the needed ones are asked for", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    rmSync(join(at.path, "build"), { recursive: true });
    write(at.path, {
      "pipelines/demo.yaml": CHAIN_FILES["pipelines/demo.yaml"].replace(
        "cat build/model > build/copy",
        "cat build/model build/model > build/copy",
      ),
    });
    expect(statuses(await runDemo(at.context, { restore: "needed" }))).toEqual([
      "prepare: cached",
      "train: cached",
      "evaluate: run",
    ]);
    expect(existsSync(join(at.path, "build/model"))).toBe(true);
    expect(existsSync(join(at.path, "build/split"))).toBe(false);
  });

  test("one that was edited by hand is put right", async () => {
    using at = project(CHAIN_FILES);
    await runDemo(at.context);
    write(at.path, { "build/model": "forged" });
    expect(statuses(await runDemo(at.context))).toEqual(["prepare: cached", "train: cached", "evaluate: cached"]);
    expect(at.read("build/model")).toContain("epochs: 10");
  });

  test("that git tracks are not deleted, unless git is to keep them", async () => {
    using at = demo("  a: {cmd: 'echo new > kept.txt', outs: [kept.txt]}\n", { "kept.txt": "old" });
    const outcome = await runDemo(at.context);
    expect(outcome.failures).toMatchObject([{ code: "file-invalid", at: { line: 2, column: 42 } }]);
    expect(at.read("kept.txt")).toBe("old");
    write(at.path, {
      "pipelines/demo.yaml": "stages:\n  a: {cmd: 'echo new > kept.txt', outs: [kept.txt: {cache: false}]}\n",
    });
    expect(messages(await runDemo(at.context))).toEqual([]);
    expect(at.read("kept.txt")).toBe("new\n");
    rmSync(join(at.path, "kept.txt"));
    // Git keeps it and no store does: what is gone is made again.
    expect(statuses(await runDemo(at.context))).toEqual(["a: run"]);
  });
});

suite("when a stage fails", () => {
  const FORK = `  bad: {cmd: "echo one; echo two >&2; exit 3", outs: [build/bad]}
  after: {cmd: "true", deps: [build/bad]}
  good: {cmd: "echo > build/good", outs: [build/good]}
  best: {cmd: "cp build/good build/best", deps: [build/good], outs: [build/best]}
`;

  test("what needs it is skipped, and so is the rest", async () => {
    using at = demo(FORK);
    const outcome = await runDemo(at.context, { jobs: 1 });
    expect(outcome.failures).toMatchObject([
      {
        code: "stage-failed",
        stage: "bad",
        reason: "ended with exit code 3",
        tail: expect.stringMatching(/^(one\ntwo|two\none)$/),
      },
    ]);
    expect(statuses(outcome)).toEqual(["bad: failed", "after: skipped", "good: skipped", "best: skipped"]);
    expect(outcome.run.ok).toBe(false);
  });

  test("--keep-going runs what does not need it", async () => {
    using at = demo(FORK);
    const outcome = await runDemo(at.context, { jobs: 1, keepGoing: true });
    expect(statuses(outcome)).toEqual(["bad: failed", "after: skipped", "good: run", "best: run"]);
    // What ended well is kept.
    expect(statuses(await runDemo(at.context, { keepGoing: true }))).toEqual([
      "bad: failed",
      "after: skipped",
      "good: cached",
      "best: cached",
    ]);
  });

  test("metrics that are not numbers fail their stage, with the place", async () => {
    using at = demo('  a: {cmd: "echo \'{\\"loss\\": NaN}\' > build/m.json", metrics: [build/m.json]}\n');
    const outcome = await runDemo(at.context);
    expect(outcome.failures).toMatchObject([
      { code: "metrics-invalid", at: { file: "build/m.json", line: 1, column: 10 } },
    ]);
    expect(statuses(await runDemo(at.context))).toEqual(["a: failed"]);
  });

  test("an input that changes under it keeps it from being recorded", async () => {
    using at = demo("  a: {cmd: 'echo 2 > in.txt; cp in.txt build/o', deps: [in.txt], outs: [build/o]}\n", {
      "in.txt": "1",
    });
    expect(messages(await runDemo(at.context))).toEqual([
      'stage-failed: stage "a" cannot be recorded: while it ran, in.txt changed',
    ]);
    expect(statuses(await runDemo(at.context))).toEqual(["a: run"]);
  });

  test("a wdir that is not there", async () => {
    using at = demo("  a: {cmd: 'true', wdir: nowhere}\n");
    expect(messages(await runDemo(at.context))).toEqual([
      'stage-failed: stage "a" has no wdir nowhere: it is no folder',
    ]);
  });
});

suite("time and interruption", () => {
  /** A stage that leaves a grandchild behind which ignores the polite signal, and tells its number. */
  const STUBBORN = `sh -c 'trap "" TERM; echo $$ > child; while :; do sleep 1; done' & while :; do sleep 1; done`;

  test("a stage that runs too long is ended with all it started", async () => {
    using at = demo(
      `  a:\n    cmd: sh -c 'echo $$ > child; while :; do sleep 1; done' & while :; do sleep 1; done\n    timeout: 0.5s\n`,
    );
    expect(messages(await runDemo(at.context))).toEqual([
      'stage-failed: stage "a" ran longer than its timeout of 0.5 s',
    ]);
    expect(isAlive(Number(at.read("child")))).toBe(false);
  });

  test("an interruption ends what runs, starts nothing more, and keeps what was done", async () => {
    using at = demo(
      `  a: {cmd: "echo > build/a", outs: [build/a]}\n  b:\n    cmd: sh -c 'echo $$ > child; while :; do sleep 1; done'\n    deps: [build/a]\n    outs: [build/b]\n  c: {cmd: "true", deps: [build/b]}\n`,
    );
    const interrupt = new AbortController();
    const context = { ...at.context, signal: interrupt.signal };
    const running = runDemo(context, { jobs: 1 });
    const pid = await until(() => existsSync(join(at.path, "child")) && Number(at.read("child")));
    interrupt.abort();
    const outcome = await running;
    expect(outcome.failures).toEqual([{ code: "interrupted" }]);
    expect(statuses(outcome)).toEqual(["a: run", "b: skipped", "c: skipped"]);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(at.path, ".lockstep/run.lock"))).toBe(false);
  });

  test("commands that a killed run left behind are ended by the next one", async () => {
    using at = demo(`  a: {cmd: "true", always_changed: true}\n  b:\n    cmd: ${JSON.stringify(STUBBORN)}\n`);
    const { spawn } = await import("node:child_process");
    const killed = spawn(process.execPath, [join(import.meta.dirname, "killed-run.ts"), at.path, "never"], {
      stdio: "ignore",
    });
    const pid = await until(() => existsSync(join(at.path, "child")) && Number(at.read("child")));
    killed.kill("SIGKILL");
    await new Promise((resolve) => killed.on("exit", resolve));
    expect(isAlive(pid)).toBe(true);
    const outcome = await runDemo(at.context, { stage: "a" });
    expect(statuses(outcome)).toEqual(["a: run"]);
    await until(() => !isAlive(pid));
  });
});

suite("the lock of the working tree", () => {
  test("a living holder makes the second run fail, saying who it is", async () => {
    using at = demo("  a:\n    cmd: echo > started; cat pipe\n");
    sh(at.path, "-c", "alias.fifo=!mkfifo pipe", "fifo");
    const first = runDemo(at.context);
    await until(() => existsSync(join(at.path, "started")));
    expect(await tryDemo(at)).toMatchObject({
      failures: [{ code: "workspace-busy", holder: expect.stringContaining(`process ${process.pid} on `) }],
    });
    writeFileSync(join(at.path, "pipe"), "");
    expect((await first).run.ok).toBe(true);
    expect((await runDemo(at.context)).run.ok).toBe(true);
  });

  test.each([
    ["of a process that is gone", { pid: 2 ** 22 + 1, start: null }],
    ["of an earlier process with the number of one that lives", { pid: process.pid, start: "1" }],
  ])("one %s is taken over", async (_, holder) => {
    const { hostname } = await import("node:os");
    using at = demo("  a: {cmd: 'true'}\n");
    mkdirSync(join(at.path, ".lockstep"));
    writeFileSync(join(at.path, ".lockstep/run.lock"), JSON.stringify({ host: hostname(), ...holder }));
    expect((await runDemo(at.context)).run.ok).toBe(true);
  });

  test("one of another machine is not", async () => {
    using at = demo("  a: {cmd: 'true'}\n");
    mkdirSync(join(at.path, ".lockstep"));
    writeFileSync(join(at.path, ".lockstep/run.lock"), JSON.stringify({ pid: 1, host: "elsewhere", start: null }));
    expect(await tryDemo(at)).toMatchObject({
      failures: [{ code: "workspace-busy", holder: "process 1 on elsewhere" }],
    });
  });
});
