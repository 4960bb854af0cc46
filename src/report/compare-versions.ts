import type { Check, ModelVersion, RunRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Numbers } from "../evaluate/index.ts";
import { readRecorded, versionNumbers } from "../metrics/index.ts";
import type { Predictions } from "../metrics/index.ts";
import type { Records } from "../records/index.ts";
import { lockPath, productionVersion } from "../registry/index.ts";
import type { Found, Model } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import { buildReport } from "./build.ts";
import type { ModelInput } from "./model-report.ts";
import { heldOutPaths, withoutHeldOut } from "./held-out.ts";
import { looksAt, withKnownLooks } from "./looks.ts";
import { productionReference, thresholdNotes } from "./models.ts";
import type { Named } from "./named.ts";
import type { Report } from "./schema.ts";
import { filesOf, noResult, predictionsOf, sideAt, sizesOf } from "./side.ts";
import { NOT_MEASURED } from "./speed.ts";

/** Where both sides of a comparison are looked up. */
export interface Sides {
  readonly records: Records;
  /** The nearest first. */
  readonly stores: readonly Store[];
  /** Only this model. */
  readonly model?: string;
}

/** What one side says of a model, wherever it was found. */
interface Measured {
  readonly run: RunRecord;
  readonly predictions: Predictions | null;
  readonly numbers: Numbers;
  /** Null: of a version only their sum is known. */
  readonly files: Readonly<Record<string, number | null>> | null;
  readonly checks: readonly Check[];
}

/**
 * The report where at least one side is a version of a model: of what its lock entry says and the bytes that it names.
 * Two models are compared as the head's is evaluated, each read by the columns of its own.
 */
export async function compareVersions(
  context: Context,
  options: Sides & { readonly head: Named; readonly base: Named },
): Promise<Result<Report>> {
  const { head, base, stores } = options;
  const [headFound, baseFound] = [foundOf(head) ?? foundOf(base), foundOf(base) ?? foundOf(head)];
  if (headFound === undefined || baseFound === undefined) throw new Error("neither side is a version");
  const { model, lock } = headFound;
  const { name } = model;
  if (options.model !== undefined && options.model !== name)
    return fail({ code: "usage", message: `--model is ${options.model}, and the version compared is of ${name}` });
  const after = await measure(context, head, model, options);
  if (!after.ok) return after;
  const before = await measure(context, base, baseFound.model, options);
  if (!before.ok) return before;
  const production = productionVersion(lock);
  const { pipeline, evaluation, gates = [] } = model.config.value;
  const { files } = after.value;
  const foreign = name !== baseFound.model.name;
  const notes = [
    ...(foreign
      ? [`${base.label} and ${head.label} are two models: both are measured by what ${name} is evaluated by.`]
      : []),
    ...thresholdNotes(evaluation, after.value.predictions, { kind: "measured", ...before.value }),
    ...(files === null ? ["The gates of a version were judged when it was promoted."] : []),
  ];
  const judged: ModelInput = {
    name,
    pipeline,
    evaluation,
    gates: files === null || foreign ? [] : gates,
    gatesFrom: "head",
    head: after.value,
    base: { kind: "measured", ...before.value },
    production: await productionReference(model, production, stores),
    productionVersion: production?.version ?? null,
    files: files ?? {},
    card: model.config.value.card ?? {},
    checks: after.value.checks,
    speed: NOT_MEASURED,
    notes,
  };
  const runs = new Map([[pipeline, after.value.run]]);
  const report = buildReport({
    head: { label: head.label, commit: after.value.run.commit },
    base: { label: base.label, commit: before.value.run.commit },
    pullRequest: null,
    runUrl: null,
    pipelines: [{ head: after.value.run, base: before.value.run, notes: [] }],
    models: [judged],
    failures: [],
    notes: [],
  });
  return withKnownLooks(report, looksAt([judged], runs), options.records);
}

function foundOf(side: Named): Found | undefined {
  return side.kind === "version" ? side.found : undefined;
}

async function measure(context: Context, side: Named, model: Model, options: Sides): Promise<Result<Measured>> {
  const { pipeline, evaluation, files } = model.config.value;
  if (side.kind === "version") {
    const { version } = side.found;
    const { predictions: digest, commit, threshold } = version;
    const predictions = await readRecorded(options.stores, { digest, commit, threshold }, evaluation);
    if (!predictions.ok) return predictions;
    const run = runOfVersion(version, pipeline);
    return ok({ run, predictions: predictions.value, numbers: version.metrics, files: null, checks: [] });
  }
  const found = await sideAt(context, side.source, { records: options.records, pipeline, trusted: false });
  if (!found.ok) return found;
  if (found.value === undefined) return noResult(side.source);
  const held = await heldOutPaths(side.source);
  const opened = await withoutHeldOut(found.value, held, options.stores);
  const predictions = await predictionsOf(opened, evaluation, options.stores);
  if (!predictions.ok) return predictions;
  const made = await filesOf(opened, files, options.stores);
  if (!made.ok) return made;
  const { run } = found.value;
  const numbers = versionNumbers(run.metrics);
  return ok({
    run: { ...run, metrics: { [NUMBERS]: numbers } },
    predictions: predictions.value,
    numbers,
    files: sizesOf(made.value),
    checks: found.value.checks,
  });
}

/** A lock entry holds numbers by name alone, so that is how both sides' are told. */
const NUMBERS = lockPath("*") as keyof RunRecord["metrics"];

/** A version as the run that made it, as far as its entry tells. */
function runOfVersion(version: ModelVersion, pipeline: string): RunRecord {
  return {
    recordVersion: 1,
    pipeline,
    commit: version.commit,
    startedAt: version.createdAt,
    ms: 0,
    ok: true,
    stages: [],
    params: version.params,
    data: version.data,
    metrics: { [NUMBERS]: version.metrics },
    provenance: null,
  };
}
