import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { message } from "../../src/core/index.ts";
import { loadPipeline, run } from "../../src/pipeline/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { write } from "../git/repository.ts";
import { until } from "../helpers/processes.ts";
import { value } from "../helpers/value.ts";
import { local, project, runDemo, statuses } from "./project.ts";
import type { Project } from "./project.ts";

const say = (name: string): string => `echo ${name} $LOCKSTEP_PIPELINE $LOCKSTEP_STAGE $LOCKSTEP_STATUS >> "$LOG"`;

const hooked = (stages: string, hooks = ""): Project => {
  const all = ["before_run", "after_run", "before_stage", "after_stage"].map((name) => `  ${name}: '${say(name)}'\n`);
  const at = project({
    "pipelines/demo.yaml": `hooks:\n${hooks === "" ? all.join("") : hooks}stages:\n${stages}`,
    "in.txt": "1",
  });
  return { ...at, context: { ...at.context, env: { ...at.context.env, LOG: join(at.path, "log") } } };
};

test("they run around a run and each stage that runs, and not for what is cached", async () => {
  using at = hooked(
    `  a:\n    cmd: cp ../in.txt ../build/a\n    wdir: sub\n    deps: [../in.txt]\n    outs: [../build/a]\n    hooks: {before: ['${say("before")}', 'touch ../sub/here'], after: '${say("after")}'}\n  b: {cmd: cp build/a build/b, deps: [build/a], outs: [build/b]}\n`,
  );
  write(at.path, { "sub/x": "" });
  const first = await runDemo(at.context);
  expect(first.failures).toEqual([]);
  const lines = at.read("log").split("\n");
  expect(lines).toEqual([
    "before_run demo",
    "before_stage demo a",
    "before demo a",
    "after demo a run",
    "after_stage demo a run",
    "before_stage demo b",
    "after_stage demo b run",
    "after_run demo ok",
    "",
  ]);
  expect(existsSync(join(at.path, "sub/here"))).toBe(true);
  await runDemo(at.context);
  expect(at.read("log").split("\n")).toEqual(lines);
  // They are not part of a key.
  write(at.path, { "pipelines/demo.yaml": at.read("pipelines/demo.yaml").replace("after_run:", "#") });
  expect(statuses(await runDemo(at.context))).toEqual(["a: cached", "b: cached"]);
});

test("one before a stage that fails fails the stage, with its place; what comes after knows", async () => {
  using at = hooked(
    `  a: {cmd: "echo > ran", hooks: {before: "echo oops; exit 4"}}\n`,
    `  after_stage: '${say("after")}; exit 5'\n  after_run: '${say("after_run")}'\n`,
  );
  const { failures } = await runDemo(at.context);
  expect(failures).toMatchObject([
    { code: "hook-failed", hook: "before", tail: "oops", at: { file: "pipelines/demo.yaml", line: 5 } },
  ]);
  expect(message(failures[0]!)).toBe('the hook "before" of stage "a" ended with exit code 4');
  expect(existsSync(join(at.path, "ran"))).toBe(false);
  expect(at.read("log")).toBe("after demo a failed\nafter_run demo failed\n");
  expect(at.context.events.filter(({ type }) => type === "warning")).toMatchObject([
    { message: expect.stringContaining('the hook "after_stage" of stage "a" ended with exit code 5') },
  ]);
});

test("one before the run that fails keeps all of it from starting", async () => {
  using at = hooked('  a: {cmd: "echo > ran"}\n', "  before_run: exit 6\n");
  const basics = local(at.context);
  const pipeline = value(await loadPipeline(workingTree(at.context), "demo"));
  const outcome = await run(at.context, { ...basics, pipeline, commit: async () => null, restore: "all" });
  expect(outcome).toMatchObject({ ok: false, failures: [{ code: "hook-failed", of: 'pipeline "demo"' }] });
  expect(existsSync(join(at.path, "ran"))).toBe(false);
});

test("what comes after an interruption is run too", async () => {
  using at = hooked(`  a: {cmd: "echo > ready; sleep 60", hooks: {after: '${say("after")}'}}\n`);
  const interrupt = new AbortController();
  const running = runDemo({ ...at.context, signal: interrupt.signal });
  await until(() => existsSync(join(at.path, "ready")));
  interrupt.abort();
  expect((await running).failures).toEqual([{ code: "interrupted" }]);
  expect(at.read("log").split("\n").slice(2)).toEqual([
    "after demo a interrupted",
    "after_stage demo a interrupted",
    "after_run demo interrupted",
    "",
  ]);
});
