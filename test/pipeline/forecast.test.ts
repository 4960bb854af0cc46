import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunRecord } from "../../src/config/index.ts";
import { forecast, loadPipeline, plan } from "../../src/pipeline/index.ts";
import type { Forecast } from "../../src/pipeline/index.ts";
import { wallOf } from "../../src/pipeline/forecast.ts";
import { write } from "../git/repository.ts";
import { lockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { run } from "../records/fixture.ts";
import { CHAIN, CHAIN_FILES, local, project, runDemo } from "./project.ts";
import type { Project } from "./project.ts";

const task = (name: string, ms: number, needs: string[] = [], wants = {}) => ({
  name,
  ms,
  needs,
  wants: { job: 1, ...wants },
});

test("the time to the end follows the graph, the jobs and the resources", () => {
  const fork = [task("a", 10), task("b", 20, ["a"]), task("c", 30, ["a"]), task("d", 5, ["b", "c"])];
  expect(wallOf(fork, { job: 1 })).toBe(65);
  expect(wallOf(fork, { job: 2 })).toBe(45);
  expect(wallOf([], { job: 1 })).toBe(0);
  const gpus = [task("x", 10, [], { gpu: 1 }), task("y", 10, [], { gpu: 1 }), task("z", 4)];
  expect(wallOf(gpus, { job: 3, gpu: 1 })).toBe(20);
  expect(wallOf(gpus, { job: 3, gpu: 2 })).toBe(10);
});

test("it lies between the longest way and all in a row, and more jobs are never needed than stages", () => {
  const graphs = fc.array(fc.record({ ms: fc.nat(100), needs: fc.array(fc.nat(), { maxLength: 3 }) }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 4 }), (nodes, jobs) => {
      const tasks = nodes.map(({ ms, needs }, at) =>
        task(String(at), ms, at === 0 ? [] : [...new Set(needs.map((need) => String(need % at)))]),
      );
      const longest = new Map<string, number>();
      for (const { name, ms, needs } of tasks) {
        longest.set(name, ms + Math.max(0, ...needs.map((need) => longest.get(need)!)));
      }
      const critical = Math.max(0, ...longest.values());
      const all = tasks.reduce((sum, { ms }) => sum + ms, 0);
      expect(wallOf(tasks, { job: 1 })).toBe(all);
      expect(wallOf(tasks, { job: tasks.length + 1 })).toBe(critical);
      const wall = wallOf(tasks, { job: jobs });
      expect(wall).toBeGreaterThanOrEqual(Math.max(critical, all / jobs));
      expect(wall).toBeLessThanOrEqual(all);
    }),
  );
});

async function forecastOf(at: Project, jobs = 1): Promise<Forecast> {
  const { source, records } = local(at.context);
  const pipeline = value(await loadPipeline(source, "demo"));
  const shared = { source, pipeline, records };
  return value(await forecast(at.context, value(await plan(at.context, shared)), { ...shared, jobs }));
}

/** A run on this machine in which stages took so long. */
function past(at: Project, day: number, stages: Record<string, number>, more: Partial<RunRecord> = {}): void {
  const commit = String(day).padStart(40, "0");
  const record = run(null, {
    pipeline: "demo",
    commit,
    startedAt: `2026-01-${String(day).padStart(2, "0")}T00:00:00Z`,
    stages: Object.entries(stages).map(([stage, ms]) => ({
      stage,
      key: null,
      status: ms < 0 ? ("failed" as const) : ("run" as const),
      ms: Math.abs(ms),
      reason: "",
      needs: [],
    })),
    ...more,
  });
  write(at.path, { [`.lockstep/records/runs/${commit}/${record.pipeline}.json`]: JSON.stringify(record) });
}

const SETTINGS = `version: 1
store: file:.lockstep/store
runners: {gpu: [self-hosted, a100]}
cost: {currency: USD, per_hour: {cpu: 0.36, a100: 3.6, big: 7.2}}
`;

test("a stage is expected to take the median of its runs, at the rate of its runner", async () => {
  const pipeline = CHAIN.replace("  train:\n", "  train:\n    gpu: 1\n").replace(
    "  evaluate:\n",
    "  evaluate:\n    runs-on: [linux, big]\n",
  );
  using at = project({ ...CHAIN_FILES, "pipelines/demo.yaml": pipeline, ".github/lockstep.yml": SETTINGS });
  past(at, 1, { prepare: 10_000, train: 100_000 });
  past(at, 2, { prepare: 30_000, train: 200_000 });
  past(at, 3, { prepare: 20_000, train: -999_000 });
  past(at, 4, { prepare: 1, train: 1, evaluate: 1 }, { pipeline: "other" });
  const expected = await forecastOf(at);
  expect(Object.fromEntries(expected.stages)).toEqual({
    prepare: { ms: 20_000, runs: 3, cost: expect.closeTo(0.002) as number },
    train: { ms: 150_000, runs: 2, cost: expect.closeTo(0.15) as number },
    evaluate: { ms: null, runs: 0, cost: null },
  });
  expect(expected).toMatchObject({ work: 170_000, wall: 170_000, currency: "USD", unknown: ["evaluate"] });
  past(at, 5, { evaluate: 3_600_000 });
  expect((await forecastOf(at)).stages.get("evaluate")).toEqual({ ms: 3_600_000, runs: 1, cost: 7.2 });
});

test("without past runs nothing is guessed, and what is cached says whose result it is", async () => {
  using at = project(CHAIN_FILES);
  expect(await forecastOf(at)).toMatchObject({ work: 0, cost: null, unknown: ["prepare", "train", "evaluate"] });
  const first = await lockstep(at.path, "plan");
  expect(first.stdout).toContain("prepare   run  has not run before  it has not run yet");
  expect(first.stdout).toContain("  3 stages to run; none has run before\n");
  await runDemo(at.context, { commit: "c".repeat(40) });
  write(at.path, { "params.yaml": "prepare:\n  seed: 1\ntrain:\n  epochs: 11\n  rate: 0.5\n" });
  const told = JSON.parse((await lockstep(at.path, "--json", "plan", "--jobs", "1")).stdout) as unknown;
  expect(told).toMatchObject({
    pipelines: [
      {
        stages: [
          { action: "cached", expected: null, record: { commit: "c".repeat(40), provenance: null } },
          { action: "run", expected: { runs: 1 }, record: null },
          { action: "run", expected: { runs: 1 } },
        ],
        expected: { jobs: 1, cost: null, unknown: [] },
      },
    ],
  });
  expect((await lockstep(at.path, "plan")).stdout).toMatch(
    /prepare {3}cached {2}here, 2026-01-02, cccccccccccc {2,}nothing/,
  );
});
