import type { ModelConfig, ModelVersion } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Store } from "../store/index.ts";
import { compareColumns } from "./compare.ts";
import type { ColumnDrift, Role } from "./compare.ts";
import { DEFAULT_DRIFT_SHARE, DEFAULT_MIN_ROWS } from "./decide.ts";
import type { Evidence, Rules } from "./decide.ts";
import type { LogStore } from "./log-store.ts";
import { observe, rolesOf } from "./observe.ts";
import { judgePerformance } from "./performance.ts";
import type { Labelled } from "./performance.ts";
import { parseProfile } from "../profile/index.ts";
import type { Profile } from "../profile/index.ts";
import type { PredictionHeader } from "./rows.ts";
import { durationOf, readWindow } from "./window.ts";

/** Name, among a version's files, of the reference profile. */
export const PROFILE_FILE = "profile.json";
const DEFAULT_WINDOW = "7d";
export const DEFAULT_MAX_ROWS = 100_000;
const MAX_PROFILE_BYTES = 64 * 1024 * 1024;

export interface CheckOptions {
  readonly name: string;
  readonly config: ModelConfig;
  readonly version: ModelVersion;
  readonly stores: readonly Store[];
  readonly logs: LogStore;
}

export interface Checked {
  readonly evidence: Evidence;
  readonly rules: Rules;
  /** Of the rows that were judged; null when there are none. */
  readonly from: Date | null;
  readonly to: Date | null;
}

/** Holds what production logged against what training saw. Reads only; bounded memory whatever the log's length. */
export async function check(context: Context, options: CheckOptions): Promise<Result<Checked>> {
  const { name, config, version } = options;
  const profile = await readProfile(options);
  if (!profile.ok) return profile;
  const monitor = config.monitor ?? {};
  const since = new Date(context.now().getTime() - durationOf(monitor.window ?? DEFAULT_WINDOW));
  const columns = columnsOf(profile.value, config);
  const labelled: Labelled[] = [];
  let rows = 0;
  let from = Infinity;
  let to = -Infinity;
  let layout: { readonly header: PredictionHeader; readonly at: readonly number[] } | undefined;
  const maxRows = monitor.max_rows ?? DEFAULT_MAX_ROWS;
  for await (const joined of readWindow(options.logs, { model: name, since, version: version.version, maxRows })) {
    if (!joined.ok) return joined;
    const { header, row, label } = joined.value;
    if (layout?.header !== header)
      layout = { header, at: columns.map(({ observed }) => place(header, observed.reference.name)) };
    for (const [i, { role, observed }] of columns.entries()) {
      const at = layout.at[i]!;
      const value = role === "prediction" ? row.prediction : role === "input" ? row.inputs[at] : row.outputs[at];
      observed.add(value ?? null);
    }
    if (label !== undefined && row.prediction !== null) labelled.push({ prediction: row.prediction, label });
    rows++;
    from = Math.min(from, row.time);
    to = Math.max(to, row.time);
  }
  const compared: ColumnDrift[] = rows === 0 ? [] : compareColumns(columns);
  const performance = judgePerformance(labelled, config.evaluation.task, version.metrics);
  return ok({
    evidence: { rows, columns: compared, performance },
    rules: { minRows: monitor.min_rows ?? DEFAULT_MIN_ROWS, driftShare: monitor.drift_share ?? DEFAULT_DRIFT_SHARE },
    from: rows === 0 ? null : new Date(from),
    to: rows === 0 ? null : new Date(to),
  });
}

async function readProfile({ name, version, stores }: CheckOptions): Promise<Result<Profile>> {
  const digest: Digest | undefined = version.files[PROFILE_FILE];
  if (digest === undefined) {
    const hint = `give a stage of the pipeline \`profile: <csv>\`; versions promoted after that carry ${PROFILE_FILE}`;
    const what = `a drift check of version ${version.version} of model "${name}", which has no reference profile,`;
    return fail({ code: "unsupported", what, hint });
  }
  let last: Result<Buffer> | undefined;
  for (const store of stores) {
    // oxlint-disable-next-line no-await-in-loop -- the next one is asked only when this one lacks it
    last = await store.read(digest, { maxBytes: MAX_PROFILE_BYTES });
    if (last.ok || last.failures[0].code !== "blob-missing") break;
  }
  if (last === undefined) throw new Error("a check needs a store");
  return last.ok ? parseProfile(last.value.toString(), PROFILE_FILE) : last;
}

function columnsOf(profile: Profile, config: ModelConfig): { role: Role; observed: ReturnType<typeof observe> }[] {
  const signature = { input: config.serving?.input ?? "", output: config.serving?.output ?? "" };
  const { inputs, outputs, prediction } = rolesOf(profile, signature);
  // Classes are often numbers in the table, and names all the same.
  const { task } = config.evaluation;
  const classes = task !== "regression" && task !== "ranking";
  return [
    ...inputs.map((column) => ({ role: "input" as const, observed: observe(column) })),
    ...outputs.map((column) => ({ role: "output" as const, observed: observe(column) })),
    ...(prediction === undefined
      ? []
      : [{ role: "prediction" as const, observed: observe(prediction, classes ? "categorical" : prediction.type) }]),
  ];
}

/** Index of a column among a segment's inputs or outputs; -1 when it was not logged: then all of it is null. */
function place(header: PredictionHeader, column: string): number {
  const input = header.inputs.indexOf(column);
  return input >= 0 ? input : header.outputs.indexOf(column);
}
