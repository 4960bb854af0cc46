import { looksSchema } from "../config/index.ts";
import type { Looks, RunRecord } from "../config/index.ts";
import { compareCodeUnits, fileJson, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Branch } from "./branch.ts";
import type { RecordsBranch } from "./lookups.ts";
import { checked, parseRun, warnOfDamaged } from "./parse.ts";
import { isTrusted, runPath } from "./paths.ts";
import { runAt } from "./run-entry.ts";

/** Predictions that a counter names; of more the oldest are forgotten, and would count again. */
export const LOOKS_KEPT = 1_000;

/** Predictions on a test set that were judged, and the run that made them. */
export interface Look {
  readonly testSet: Digest;
  readonly predictions: Digest;
  readonly run: Pick<RunRecord, "commit" | "pipeline" | "startedAt" | "data">;
}

function looksPath(testSet: Digest): string {
  return `looks/${testSet.replace("sha256:", "")}.json`;
}

/** A counter with one look more; the same where it was counted before. */
export function withLook(before: Looks | undefined, { testSet, predictions, run }: Look): Looks {
  if (before?.predictions.includes(predictions) === true) return before;
  const at = run.startedAt;
  const times = [before?.first ?? at, before?.last ?? at, at].sort((a, b) => Date.parse(a) - Date.parse(b));
  const data: Record<string, Record<string, number>> = { ...before?.data };
  for (const [name, version] of Object.entries(run.data)) {
    const known = Object.hasOwn(data, name) ? data[name] : {};
    data[name] = { ...known, [version]: (known?.[version] ?? 0) + 1 };
  }
  return {
    looksVersion: 1,
    testSet,
    count: (before?.count ?? 0) + 1,
    first: times[0] ?? at,
    last: times.at(-1) ?? at,
    data,
    predictions: [...(before?.predictions ?? []), predictions].slice(-LOOKS_KEPT),
  };
}

export async function readLooks(
  context: Context,
  branch: Pick<Branch, "read">,
  testSet: Digest,
): Promise<Result<Looks | undefined>> {
  const path = looksPath(testSet);
  const bytes = await branch.read(path);
  if (!bytes.ok || bytes.value === undefined) return bytes as Result<undefined>;
  const looks = checked(looksSchema, bytes.value);
  if (looks?.testSet === testSet) return ok(looks);
  warnOfDamaged(context, path);
  return ok(undefined);
}

/** The counters of test sets that have none, counted again from the runs: a new test set's, or a lost one. */
export async function lostCounters(
  context: Context,
  branch: RecordsBranch,
  looks: readonly Look[],
): Promise<Result<ReadonlyMap<Digest, Looks | undefined>>> {
  const lost = new Map<Digest, Looks | undefined>();
  for (const testSet of new Set(looks.map((look) => look.testSet))) {
    // oxlint-disable-next-line no-await-in-loop -- one for each model of a report
    const known = await readLooks(context, branch, testSet);
    if (!known.ok) return known;
    if (known.value !== undefined) continue;
    // oxlint-disable-next-line no-await-in-loop
    const again = await recount(context, branch, testSet);
    if (!again.ok) return again;
    lost.set(testSet, again.value);
  }
  return ok(lost);
}

/**
 * Adds to the files of a commit what looks change: the counter of each, and the record of its run. Gives the counters,
 * in order. `lost`: of test sets whose counter is not there.
 */
export async function addLooks(
  context: Context,
  current: Pick<Branch, "read"> | undefined,
  files: Map<string, Buffer>,
  looks: readonly Look[],
  lost: ReadonlyMap<Digest, Looks | undefined>,
): Promise<Result<readonly Looks[]>> {
  const counted = new Map<Digest, Looks>();
  for (const look of looks) {
    const { testSet } = look;
    // oxlint-disable-next-line no-await-in-loop -- one for each model of a report
    const known = current === undefined ? ok(undefined) : await readLooks(silent(context), current, testSet);
    if (!known.ok) return known;
    const before = counted.get(testSet) ?? known.value ?? lost.get(testSet);
    const after = withLook(before, look);
    counted.set(testSet, after);
    if (after !== known.value) files.set(looksPath(testSet), Buffer.from(fileJson(after)));
    // oxlint-disable-next-line no-await-in-loop
    const noted = after === before ? ok() : await noteIn(context, current, files, look);
    if (!noted.ok) return noted;
  }
  return ok(looks.flatMap(({ testSet }) => counted.get(testSet) ?? []));
}

/** Writes a look into its run's record, from which a lost counter is counted again. */
async function noteIn(
  context: Context,
  current: Pick<Branch, "read"> | undefined,
  files: Map<string, Buffer>,
  { testSet, predictions, run: { commit, pipeline } }: Look,
): Promise<Result<void>> {
  const path = runPath(commit, pipeline);
  const bytes = files.has(path) ? ok(files.get(path)) : ((await current?.read(path)) ?? ok(undefined));
  if (!bytes.ok) return bytes;
  const run = bytes.value && parseRun(context, path, bytes.value, commit, pipeline);
  if (run !== undefined) files.set(path, Buffer.from(fileJson(withLooks(run, [{ testSet, predictions }]))));
  return ok();
}

/** A run's record with looks beside those that it has. */
export function withLooks(run: RunRecord, looks: NonNullable<RunRecord["looks"]>): RunRecord {
  const all = new Map([...(run.looks ?? []), ...looks].map((look) => [`${look.testSet} ${look.predictions}`, look]));
  return all.size === 0 ? run : { ...run, looks: [...all.values()] };
}

/**
 * The counter of a test set from the runs that were judged on it; undefined: none was. Only for a test set without a
 * counter, which is a new one or a lost one: every run's record is searched for its digest.
 */
async function recount(context: Context, branch: RecordsBranch, testSet: Digest): Promise<Result<Looks | undefined>> {
  const paths = await branch.runsHolding(testSet);
  if (!paths.ok) return paths;
  const looks: Look[] = [];
  for (const path of paths.value) {
    // oxlint-disable-next-line no-await-in-loop -- one git process answers all
    const bytes = await branch.fetched.read(path);
    if (!bytes.ok) return bytes;
    const at = runAt(path);
    const run = at && bytes.value && parseRun(context, path, bytes.value, at.commit, at.pipeline);
    if (run === undefined || !isTrusted(run)) continue;
    looks.push(...(run.looks ?? []).filter((look) => look.testSet === testSet).map((look) => ({ ...look, run })));
  }
  looks.sort((a, b) => Date.parse(a.run.startedAt) - Date.parse(b.run.startedAt) || byDigest(a, b));
  return ok(looks.reduce<Looks | undefined>(withLook, undefined));
}

function byDigest(a: Look, b: Look): number {
  return compareCodeUnits(a.predictions, b.predictions);
}

/** What is damaged has been told of. */
function silent(context: Context): Context {
  return { ...context, emit: () => {} };
}
