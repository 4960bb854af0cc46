import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StageRecord } from "../../src/config/index.ts";
import { ok } from "../../src/core/index.ts";
import { atRevision } from "../../src/git/index.ts";
import { experiment, loadPipeline, planJob, resultJob, stageJob, verifyResult } from "../../src/pipeline/index.ts";
import type { Experiment, Parcels } from "../../src/pipeline/index.ts";
import { graphDigest, jobsOf } from "../../src/pipeline/compile/jobs.ts";
import { isStored } from "../../src/pipeline/outputs.ts";
import { openStore } from "../../src/store/index.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";

/** A folder that leaves through the store or an artifact, a profile, and a metric that git keeps and a stage reads. */
const FILES = {
  ".gitignore": ".lockstep/\nbuild/\n",
  "pipelines/demo.yaml": `stages:
  rows:
    cmd: test ! -e fail && mkdir build/rows && seq 3 > build/rows/a && seq 4 > build/rows/b
    outs: [build/rows]
  fit:
    cmd: cp build/rows/a build/fit && (echo x; cat build/fit) > build/fit.csv
    deps: [build/rows]
    outs: [build/fit]
    profile: build/fit.csv
  score:
    cmd: echo "{\\"lines\\":$(cat build/fit | wc -l)}" > score.json
    deps: [build/fit]
    metrics: [{score.json: {cache: false}}]
  tell:
    cmd: cat score.json > build/told
    deps: [score.json]
    outs: [build/told]
`,
};
const STAGES = ["rows", "fit", "score", "tell"];

const folder = temporary();
const origin = join(folder.path, "origin.git");
let clones = 0;
beforeAll(() => {
  const seed = repository(join(folder.path, "seed"), FILES);
  sh(folder.path, "clone", "--quiet", "--bare", seed, origin);
});
afterAll(() => folder[Symbol.dispose]());

function machine(store?: string, branch = "main"): ReturnType<typeof contextIn> {
  const path = join(folder.path, `clone-${clones++}`);
  sh(folder.path, "clone", "--quiet", "--branch", branch, origin, path);
  return contextIn(path, store === undefined ? {} : { LOCKSTEP_STORE: `file:${store}` });
}

/** One run of the workflow, each job on a machine of its own; artifacts are folders. */
class Run {
  readonly #name = `run-${clones}`;
  readonly #store: string | undefined;
  readonly notes: string[] = [];
  branch = "main";

  constructor(store?: string) {
    this.#store = store === undefined ? undefined : join(folder.path, store);
  }

  readonly #artifacts: Parcels = {
    send: async (name, from) => {
      cpSync(from, join(folder.path, this.#name, name), { recursive: true, errorOnExist: true, force: false });
      return ok();
    },
    receive: async (name, into) => {
      const there = existsSync(join(folder.path, this.#name, name));
      if (there) cpSync(join(folder.path, this.#name, name), into, { recursive: true });
      return ok(there);
    },
  };

  async #on<T>(job: (context: ReturnType<typeof contextIn>, options: Options) => Promise<T>): Promise<T> {
    const context = machine(this.#store, this.branch);
    const temp = `${context.cwd}-temp`;
    const done = await job(context, { pipeline: "demo", parcels: this.#artifacts, temp, forGit: context });
    this.notes.push(...context.events.flatMap((event) => (event.type === "note" ? [event.message] : [])));
    return done;
  }

  async plan(graph?: string): ReturnType<typeof planJob> {
    return this.#on(async (context, options) => {
      const pipeline = value(await loadPipeline(value(await atRevision(context, "HEAD")), "demo"));
      return planJob(context, { ...options, graph: graph ?? graphDigest(jobsOf(pipeline)), force: false });
    });
  }

  async stage(stage: string): ReturnType<typeof stageJob> {
    return this.#on(async (context, options) => stageJob(context, { ...options, stage, force: false }));
  }

  /** The result, checked as the report does and shown to name no byte that the store of that machine lacks. */
  async result(): Promise<Experiment> {
    return this.#on(async (context, options) => {
      const ended = value(await resultJob(context, options));
      const source = value(await atRevision(context, "HEAD"));
      value(await verifyResult(context, { document: ended.document, source }));
      const store = value(openStore(context, context.env["LOCKSTEP_STORE"] ?? "file:.lockstep/store"));
      for (const { outs, profile } of ended.document.stages) {
        const kept = outs.filter(({ path }) => path !== "score.json");
        const all = profile === null ? kept : [...kept, { kind: "file" as const, digest: profile }];
        for (const out of all) expect(value(await isStored(out, [store]))).toBe(true);
      }
      return ended;
    });
  }
}
type Options = Parameters<typeof resultJob>[1];

const essence = (records: readonly StageRecord[]): unknown =>
  records
    .map((record) => ({ ...record, startedAt: "", ms: 0 }))
    .toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
const statuses = ({ document }: Experiment): unknown => document.runs[0]?.stages.map(({ status }) => status);
const ways = (run: Run): string[] => run.notes.filter((note) => note.includes("next jobs get the outputs"));

test("machines that share nothing: outputs come as artifacts, and the records are those of one machine", async () => {
  const run = new Run();
  expect(value(await run.plan())).toEqual({ rows: [], fit: [], score: [], tell: [] });
  for (const stage of STAGES) expect(value(await run.stage(stage))).toMatchObject({ status: "run", failures: [] });
  const result = await run.result();
  expect(result.document.failures).toEqual([]);
  const alone = value(await experiment(machine()));
  expect(essence(result.document.stages)).toEqual(essence(alone.document.stages));
  expect(result.document.runs[0]?.metrics).toEqual({ "score.json": { lines: 3 } });
  expect(result.ran).toEqual(alone.ran);
  expect(ways(run).map((note) => /through (an artifact|the store)/.exec(note)?.[1])).toEqual(
    STAGES.map(() => "an artifact"),
  );
});

test("a job that leaves nothing: what needs it was skipped, what ended well is in the result", async () => {
  const run = new Run("shared");
  value(await run.plan());
  value(await run.stage("rows"));
  expect(ways(run)).toEqual([expect.stringMatching(/^rows: .* through the store file:.*shared$/)]);
  // GitHub may start a job although one before it came to nothing.
  expect(value(await run.stage("score"))).toMatchObject({ status: "skipped", reason: "fit did not end well" });
  const result = await run.result();
  expect(statuses(result)).toEqual(["run", "failed", "skipped", "skipped"]);
  expect(result.document.failures).toEqual(['stage "fit": its job left no result; its log says why']);
  expect(result.document.stages.map(({ stage }) => stage)).toEqual(["rows"]);
});

test("a stage that fails is told in the result, in its own words", async () => {
  const run = new Run("shared");
  const seed = join(folder.path, "seed");
  write(seed, { fail: "" });
  sh(seed, "add", "--all");
  sh(seed, "commit", "--quiet", "--message=fail");
  // Another branch than the other tests clone.
  run.branch = "broken";
  sh(seed, "push", "--quiet", origin, "main:broken");
  value(await run.plan());
  expect(await run.stage("rows")).toMatchObject({ failures: [{ code: "stage-failed", stage: "rows" }] });
  const result = await run.result();
  expect(statuses(result)).toEqual(["failed", "skipped", "skipped", "skipped"]);
  expect(result.document.failures).toEqual([expect.stringContaining('stage "rows" ended with exit code 1')]);
});

test("a workflow of another graph runs nothing, and the result says what to do", async () => {
  const run = new Run();
  expect(await run.plan("0".repeat(64))).toMatchObject({ failures: [{ code: "usage" }] });
  const { document } = await run.result();
  expect(document).toMatchObject({ runs: [], stages: [] });
  expect(document.failures[0]).toMatch(/was compiled from other stages than these[^]*`lockstep compile demo`/);

  const silent = await new Run().result();
  expect(silent.document.failures[0]).toContain("left no plan");
});
