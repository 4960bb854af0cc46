import type { Check, ModelConfig, RecordedOutput, RunRecord, StageRecord } from "../config/index.ts";
import { describe, fail, ok } from "../core/index.ts";
import type { Context, Failed, Json, Result, StageKey } from "../core/index.ts";
import { datasetAt, loadDatasets } from "../data/index.ts";
import { chooseThreshold, readRecorded } from "../metrics/index.ts";
import type { Evaluation, Predictions, Recorded } from "../metrics/index.ts";
import { atRevision, git } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { loadPipelines, plan, readParams } from "../pipeline/index.ts";
import type { Pipeline } from "../pipeline/index.ts";
import type { Records } from "../records/index.ts";
import { fileIn } from "../store/index.ts";
import type { FileIn, Store } from "../store/index.ts";

/** How far back a base is looked for when the commit itself was never run. */
const ANCESTORS = 50;

/** One side of a comparison: a run, and what each of its stages produced. */
export interface Side {
  readonly run: RunRecord;
  readonly outputs: ReadonlyMap<string, RecordedOutput>;
  /** Results of data checks, of all stages. */
  readonly checks: readonly Check[];
  /** Paths and digests that are held out for promotion; none of them is among the outputs. */
  readonly hidden?: ReadonlySet<string>;
}

/** The outputs of a run's stages by path; a stage without a record contributes none. */
export async function sideOf(
  run: RunRecord,
  stage: (key: StageKey) => Promise<Result<StageRecord | undefined>>,
): Promise<Result<Side>> {
  const outputs = new Map<string, RecordedOutput>();
  const checks: Check[] = [];
  for (const { key } of run.stages) {
    if (key === null) continue;
    // oxlint-disable-next-line no-await-in-loop -- a local look-up each
    const record = await stage(key);
    if (!record.ok) return record;
    for (const out of record.value?.outs ?? []) outputs.set(out.path, out);
    checks.push(...(record.value?.checks ?? []));
  }
  return ok({ run, outputs, checks });
}

export interface FindOptions {
  readonly records: Records;
  readonly pipeline: string;
  /** Only what a trusted run made: a report that others act on. */
  readonly trusted: boolean;
  /** This commit or none: no ancestor stands in for it. */
  readonly exact?: boolean;
}

/**
 * What is known of a pipeline at a commit: its run record, or what the records hold for the keys of its tree, or the
 * run record of the nearest first-parent ancestor that has one. Undefined: none of these.
 */
export async function findSide(
  context: Context,
  commit: string,
  options: FindOptions,
): Promise<Result<Side | undefined>> {
  const { records, trusted } = options;
  const lookup = async (key: StageKey): Promise<Result<StageRecord | undefined>> =>
    trusted ? records.trustedStage(key) : records.stage(key);
  const known = await runAt(commit, options);
  if (!known.ok) return known;
  if (known.value !== undefined) return sideOf(known.value, lookup);
  const source = await atRevision(context, commit);
  if (!source.ok) return source;
  const planned = await sideFromPlan(context, source.value, options);
  if (!planned.ok || planned.value !== undefined || options.exact === true) return planned;
  const ancestors = await git(context, ["rev-list", "--first-parent", `--max-count=${ANCESTORS + 1}`, commit]);
  if (!ancestors.ok) return ancestors;
  for (const ancestor of ancestors.value.trim().split("\n").slice(1)) {
    // oxlint-disable-next-line no-await-in-loop -- the nearest wins
    const run = await runAt(ancestor, options);
    if (!run.ok) return run;
    if (run.value !== undefined) return sideOf(run.value, lookup);
  }
  return ok(undefined);
}

/** What is known of a pipeline at exactly this tree. */
export async function sideAt(
  context: Context,
  source: Source,
  options: FindOptions,
): Promise<Result<Side | undefined>> {
  if (source.commit === null) return sideFromPlan(context, source, options);
  return findSide(context, source.commit, { ...options, exact: true });
}

export function noResult(source: Source): Failed {
  const hint = "`lockstep run` makes one; `git fetch` brings what others made";
  return fail({ code: "unknown-name", what: "result of", name: source.label, known: [], hint });
}

async function runAt(
  commit: string,
  { records, pipeline, trusted }: FindOptions,
): Promise<Result<RunRecord | undefined>> {
  const run = await records.run(commit, pipeline);
  if (!run.ok || run.value === undefined || !run.value.ok) return run.ok ? ok(undefined) : run;
  return ok(trusted && run.value.provenance?.trusted !== true ? undefined : run.value);
}

/** The run that would be all cached: every stage of the tree has a record. Undefined where one has none. */
export async function sideFromPlan(
  context: Context,
  source: Source,
  { records, pipeline: name, trusted }: FindOptions,
): Promise<Result<Side | undefined>> {
  const pipelines = await loadPipelines(source);
  const pipeline = pipelines.ok ? pipelines.value.find((one) => one.name === name) : undefined;
  if (pipeline === undefined) return ok(undefined);
  const planned = await plan(context, { source, pipeline, records, trustedOnly: trusted });
  if (!planned.ok) return ok(undefined); // an old commit that cannot be planned is one without a result
  const { stages } = planned.value;
  if (stages.some(({ action, record }) => action !== "cached" || record === undefined)) return ok(undefined);
  const inputs = await inputsAt(source, pipeline);
  if (!inputs.ok) return ok(undefined);
  const made = stages.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const run: RunRecord = {
    recordVersion: 1,
    pipeline: name,
    commit: source.commit,
    startedAt: made[0]?.startedAt ?? new Date(0).toISOString(),
    ms: 0,
    ok: true,
    stages: stages.map(({ stage, key, reason, needs }) => ({
      stage,
      key,
      status: "cached",
      ms: 0,
      reason,
      needs: [...needs],
    })),
    ...inputs.value,
    metrics: Object.assign({}, ...made.map(({ metrics }) => metrics)) as RunRecord["metrics"],
    provenance: null,
  };
  const outputs = new Map(made.flatMap(({ outs }) => outs).map((out) => [out.path, out]));
  return ok({ run, outputs, checks: made.flatMap(({ checks = [] }) => checks) });
}

/** Parameters and datasets of a pipeline as a tree has them, in the form of a run record. */
async function inputsAt(source: Source, pipeline: Pipeline): Promise<Result<Pick<RunRecord, "params" | "data">>> {
  const read = await readParams(source, pipeline);
  if (!read.ok) return read;
  const tracked = await loadDatasets(source);
  if (!tracked.ok) return tracked;
  const params: Record<string, Record<string, Json>> = {};
  for (const [, files] of read.value) {
    for (const [file, values] of Object.entries(files)) params[file] = { ...params[file], ...values };
  }
  const used = pipeline.stages.flatMap(({ deps, frozen }) =>
    (frozen ? [] : deps).map(({ path }) => datasetAt(tracked.value, path)),
  );
  const data = Object.fromEntries(used.flatMap((one) => (one === undefined ? [] : [[one.name, one.dataset.digest]])));
  return ok({ params: params as RunRecord["params"], data });
}

/** A side's predictions, found by digest and read as the evaluation says; null: it has none. */
export async function predictionsOf(
  side: Side | undefined,
  evaluation: Evaluation,
  stores: readonly Store[],
): Promise<Result<Predictions | null>> {
  const found = await recordedAt(side, evaluation.predictions, stores);
  if (!found.ok) return found;
  if (side === undefined || found.value === undefined) return ok(null);
  const threshold = await thresholdOf(side, evaluation, stores);
  if (!threshold.ok) return threshold;
  return readRecorded(stores, { ...found.value, threshold: threshold.value }, evaluation);
}

/** The predictions at a path, an output or in one; undefined: no stage made them, or they are held out. */
async function recordedAt(
  side: Side | undefined,
  path: string,
  stores: readonly Store[],
): Promise<Result<Recorded | undefined>> {
  if (side === undefined || side.hidden?.has(path) === true) return ok(undefined);
  const found = await fileIn(side.outputs.values(), path, stores);
  if (!found.ok || found.value === undefined) return found as Result<undefined>;
  const { digest, root, size } = found.value;
  return ok({ digest, folder: root === digest ? undefined : { root, size }, commit: side.run.commit });
}

/** The threshold that is best on a side's own validation predictions; undefined: none is to be chosen. */
async function thresholdOf(
  side: Side,
  evaluation: Evaluation,
  stores: readonly Store[],
): Promise<Result<number | undefined>> {
  const { threshold } = evaluation;
  if (threshold === undefined || typeof threshold === "number") return ok(undefined);
  const found = await recordedAt(side, threshold.on, stores);
  if (!found.ok) return found;
  if (found.value === undefined) {
    const problem = "no stage makes this file, on which the threshold is to be chosen";
    return fail({ code: "predictions-invalid", at: { file: threshold.on, line: 1, column: 1 }, problem });
  }
  const own = { ...evaluation, predictions: threshold.on };
  const validation = await readRecorded(stores, found.value, own);
  return validation.ok ? chooseThreshold(validation.value, threshold, evaluation) : validation;
}

/** A model's files by name; null: they were not made. */
export type Files = Readonly<Record<string, FileIn | null>>;

/** A model's files as a side made them. */
export async function filesOf(
  side: Side | undefined,
  files: ModelConfig["files"],
  stores: readonly Store[],
): Promise<Result<Files>> {
  const found: [string, FileIn | null][] = [];
  for (const [name, path] of Object.entries(files)) {
    // oxlint-disable-next-line no-await-in-loop -- a few files
    const file = await fileIn(side?.outputs.values() ?? [], path, stores);
    if (!file.ok) return file;
    found.push([name, file.value ?? null]);
  }
  return ok(Object.fromEntries(found));
}

/** Bytes of files; null: they were not made. */
export function sizesOf(files: Files): Record<string, number | null> {
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file?.size ?? null]));
}

/** Failures as text for a report, without what a squiggle would quote: the file may not be the reader's to see. */
export function reasons(failed: Extract<Result<never>, { ok: false }>, most = 10): string[] {
  const told = failed.failures.slice(0, most).map((failure) => describe(failure));
  return failed.failures.length > most ? [...told, `and ${failed.failures.length - most} more`] : told;
}
