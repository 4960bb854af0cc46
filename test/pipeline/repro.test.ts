import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StageRecord } from "../../src/config/index.ts";
import { reproduce } from "../../src/pipeline/index.ts";
import { sh, write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, local, project, runDemo } from "./project.ts";
import type { Project } from "./project.ts";

/** What there is beside Lockstep's own folder, ignored files included. */
function treeOf(at: Project): string[] {
  return readdirSync(at.path, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name).slice(at.path.length + 1))
    .filter((path) => !/^\.(git|lockstep)(\/|$)/.test(path))
    .sort();
}

function leftOver(at: Project): string[] {
  const worktrees = join(at.path, ".git/worktrees");
  const inGit = existsSync(worktrees) ? readdirSync(worktrees) : [];
  return [...inGit, ...readdirSync(join(at.path, ".lockstep/tmp")).filter((name) => name.startsWith("repro-"))];
}

test("what a commit's run made is made again, beside the user's tree and without a trace", async () => {
  using at = project(CHAIN_FILES);
  const commit = sh(at.path, "rev-parse", "HEAD");
  const { stages } = await runDemo(at.context, { commit });
  write(at.path, { "src/rows.txt": "edited since\n", "pipelines/demo.yaml": "stages: {}\n" });
  rmSync(join(at.path, "build"), { recursive: true });
  const before = treeOf(at);
  const { records, store } = local(at.context);
  const whole = value(await reproduce(at.context, { records, store }, { name: "HEAD" }));
  expect(whole.map(({ stage, equal, failures }) => [stage, equal, failures])).toEqual([
    ["prepare", true, []],
    ["train", true, []],
    ["evaluate", true, []],
  ]);
  const [, , { key, metrics, outs }] = stages as [StageRecord, StageRecord, StageRecord];
  const one = value(await reproduce(at.context, { records, store }, { name: key }));
  expect(one).toMatchObject([
    {
      stage: "evaluate",
      commit,
      equal: true,
      outs: outs.map(({ path, digest }) => ({ path, recorded: digest, here: digest })),
    },
  ]);
  expect(one[0]!.metrics).toHaveLength(Object.values(Object.values(metrics)[0]!).length);
  expect(treeOf(at)).toEqual(before);
  expect(leftOver(at)).toEqual([]);
  expect(value(await records.list())).toHaveLength(1);
});

test("a stage that gives something else each time differs, and the others are not blamed for it", async () => {
  const pipeline = `stages:
  prepare:
    cmd: cp src/rows.txt build/rows
    deps: [src]
    outs: [build/rows]
  train:
    cmd: cat build/rows /proc/sys/kernel/random/uuid > build/model
    deps: [build/rows]
    outs: [build/model]
  evaluate:
    cmd: |
      cp build/model build/copy; date '+{"loss":0.%N1}' > build/metrics.json
    deps: [build/model]
    outs: [build/copy]
    metrics: [build/metrics.json]
`;
  using at = project({ ...CHAIN_FILES, "pipelines/demo.yaml": pipeline });
  await runDemo(at.context, { commit: sh(at.path, "rev-parse", "HEAD") });
  const { exitCode, stdout } = await lockstep(at.path, "repro", "HEAD", "--json");
  const { stages } = JSON.parse(stdout) as { stages: { stage: string; equal: boolean; outs: unknown[] }[] };
  expect(exitCode).toBe(1);
  expect(stages.map(({ stage, equal }) => [stage, equal])).toEqual([
    ["prepare", true],
    ["train", false],
    ["evaluate", false],
  ]);
  // Given the recorded model, the copy of it is equal again: only the metrics are made of the clock.
  expect(stages[2]!.outs).toMatchObject([{ path: "build/copy" }, { path: "build/metrics.json" }]);
  const [copy] = stages[2]!.outs as [{ recorded: string; here: string }];
  expect(copy.here).toBe(copy.recorded);
});

test("the environment of the record is that of the second run; a stage that fails, or has no record, is told", async () => {
  const pipeline = `stages:
  train:
    cmd: if test -e "$MARK"; then exit 1; fi; printf "$MODE" > build/model
    outs: [build/model]
    env: {vars: [MODE]}
`;
  using at = project({ ...CHAIN_FILES, "pipelines/demo.yaml": pipeline }, { MODE: "fast", MARK: "/dev/null/none" });
  const commit = sh(at.path, "rev-parse", "HEAD");
  const { stages, failures } = await runDemo(at.context, { commit });
  expect(failures).toEqual([]);
  const { records, store } = local(at.context);
  const again = async (env: Record<string, string>, name: string = stages[0]!.key) =>
    reproduce({ ...at.context, env: { ...at.context.env, ...env } }, { records, store }, { name });
  expect(value(await again({ MODE: "slow" }))).toMatchObject([{ equal: true }]);
  expect(value(await again({ MARK: "/" }))).toMatchObject([
    { equal: false, outs: [{ here: null }], failures: [{ code: "stage-failed", stage: "train" }] },
  ]);
  expect(await again({}, "f".repeat(64))).toMatchObject({ ok: false, failures: [{ code: "unknown-name" }] });
  expect(await again({}, "nothing")).toMatchObject({ ok: false, failures: [{ code: "unknown-name" }] });
  value(await records.saveLocal({ stages: [{ ...stages[0]!, commit: null }], runs: [] }));
  expect(await again({})).toMatchObject({ ok: false, failures: [{ code: "unsupported" }] });
  expect(leftOver(at)).toEqual([]);
});
