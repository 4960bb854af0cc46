import { servedFile } from "../config/index.ts";
import type { ModelVersion, ResultDocument } from "../config/index.ts";
import { canonicalJson, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { Reference } from "../evaluate/index.ts";
import { flatNumbers, readRecorded } from "../metrics/index.ts";
import type { Evaluation, Predictions } from "../metrics/index.ts";
import type { Source } from "../git/index.ts";
import { seedGroups } from "../pipeline/index.ts";
import type { Pipeline } from "../pipeline/index.ts";
import { loadModelLock, loadModels, productionVersion } from "../registry/index.ts";
import type { Model } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import type { ModelInput } from "./model-report.ts";
import { missingPredictions } from "./held-out.ts";
import type { Sizes } from "./serving.ts";
import { filesOf, predictionsOf, reasons, sizesOf } from "./side.ts";
import type { Files, Side } from "./side.ts";
import { NOT_MEASURED, networkOfVersion, speedOf } from "./speed.ts";

export interface ModelsOptions {
  /** Whose rules judge, and whose production is compared with. */
  readonly baseSource: Source;
  readonly headSource: Source;
  /** By pipeline. */
  readonly heads: ReadonlyMap<string, Side>;
  readonly bases: ReadonlyMap<string, Side | undefined>;
  /** Of the head. */
  readonly pipelines: readonly Pipeline[];
  readonly stores: readonly Store[];
  /** False: of what is in the head's files nothing is quoted, because its digest may name somebody else's blob. */
  readonly trusted: boolean;
  /** What the experiment measured of models; absent: nobody measured. */
  readonly performance?: ResultDocument["performance"];
  /** Only this one; absent: every model. */
  readonly model?: string;
}

/** Gathers each model whose pipeline was run. Rules come from the base; those of a model it has not, from the head. */
export async function gatherModels(
  options: ModelsOptions,
): Promise<Result<{ models: ModelInput[]; failures: string[] }>> {
  const onBase = await loadModels(options.baseSource);
  if (!onBase.ok) return onBase;
  const onHead = await loadModels(options.headSource);
  const proposed = onHead.ok ? onHead.value : [];
  const failures = onHead.ok ? [] : reasons(onHead);
  const models: ModelInput[] = [];
  const names = new Map([...proposed, ...onBase.value].map((model) => [model.name, model]));
  for (const [name, binding] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const side = options.heads.get(binding.config.value.pipeline);
    if (side === undefined || (options.model !== undefined && options.model !== name)) continue;
    const from = onBase.value.includes(binding) ? "base" : "head";
    const change = proposed.find((model) => model.name === name);
    // oxlint-disable-next-line no-await-in-loop -- each may hold a large file in memory
    const input = await gatherModel(binding, from, change, side, options, failures);
    if (!input.ok) return input;
    models.push(input.value);
  }
  return ok({ models, failures });
}

async function gatherModel(
  model: Model,
  gatesFrom: "base" | "head",
  proposed: Model | undefined,
  side: Side,
  options: ModelsOptions,
  failures: string[],
): Promise<Result<ModelInput>> {
  const { value: config } = model.config;
  const { evaluation } = config;
  const notes =
    gatesFrom === "head"
      ? ["This model is new: its gates are the ones this pull request proposes."]
      : editNotes(model, proposed);
  const predictions = await predictionsOf(side, evaluation, options.stores);
  if (!predictions.ok) {
    failures.push(
      ...(options.trusted
        ? reasons(predictions)
        : [`the predictions of model "${model.name}" cannot be read as its evaluation says`]),
    );
  } else if (predictions.value === null) {
    notes.push(missingPredictions(side, evaluation.predictions));
  }
  const files = await filesOf(side, config.files, options.stores);
  if (!files.ok) failures.push(...reasons(files));
  const baseFiles = await filesOf(options.bases.get(config.pipeline), config.files, options.stores);
  const [own, before] = [files.ok ? files.value : {}, baseFiles.ok ? baseFiles.value : {}];
  const served = servedFile(Object.keys(config.files), config.serving) ?? "";
  const base = await baseReference(model, gatesFrom, options);
  notes.push(...thresholdNotes(evaluation, predictions.ok ? predictions.value : null, base));
  const lock = await loadModelLock(options.baseSource, model.name);
  if (!lock.ok) return lock;
  const version = productionVersion(lock.value);
  return ok({
    name: model.name,
    pipeline: config.pipeline,
    evaluation,
    gates: config.gates ?? [],
    gatesFrom,
    head: { predictions: predictions.ok ? predictions.value : null, numbers: flatNumbers(side.run.metrics) },
    base,
    production: await productionReference(model, version, options.stores),
    productionVersion: version?.version ?? null,
    files: sizesOf(own),
    sizes: { base: sizesOf(before), production: productionSizes(version, [own, before]) },
    card: proposed?.config.value.card ?? {},
    checks: side.checks,
    seeds: seedGroups(options.pipelines.find((one) => one.name === config.pipeline) ?? { stages: [] }),
    speed:
      options.performance === undefined
        ? NOT_MEASURED
        : speedOf(model.name, options.performance, {
            head: own[served]?.digest,
            base: before[served]?.digest,
            production: networkOfVersion(version, config),
          }),
    notes,
  });
}

/** A version's entry names its files by digest: the size is that of an equal file here, else not known. */
function productionSizes(version: ModelVersion | undefined, sides: readonly Files[]): Sizes {
  const known = new Map(sides.flatMap((files) => Object.values(files).map((file) => [file?.digest, file?.size])));
  return Object.fromEntries(
    Object.entries(version?.files ?? {}).map(([name, digest]) => [name, known.get(digest) ?? null]),
  );
}

/** Which thresholds were chosen: with another one on each side, a difference is the model's and its threshold's. */
export function thresholdNotes({ threshold }: Evaluation, head: Predictions | null, base: Reference): string[] {
  if (threshold === undefined || typeof threshold === "number") return [];
  const of = (predictions: Predictions | null): string =>
    predictions?.task === "binary" ? String(predictions.threshold ?? "none") : "none";
  const before = base.kind === "measured" ? `; on the base ${of(base.predictions)}` : "";
  return [`The threshold, chosen by ${threshold.maximize} on ${threshold.on}, is ${of(head)}${before}.`];
}

function editNotes(model: Model, proposed: Model | undefined): string[] {
  if (proposed === undefined) return ["This pull request removes the model; it is judged by the rules of the base."];
  const [before, after] = [model.config.value, proposed.config.value];
  const notes: string[] = [];
  if (canonicalJson(before.gates ?? []) !== canonicalJson(after.gates ?? []))
    notes.push(
      "This pull request edits the gates. It is judged by those of the base; the new ones count once they are merged.",
    );
  if (canonicalJson(before.evaluation) !== canonicalJson(after.evaluation))
    notes.push(
      "This pull request edits the evaluation. It is measured by that of the base; the new one counts once it is merged.",
    );
  return notes;
}

async function baseReference(model: Model, from: "base" | "head", options: ModelsOptions): Promise<Reference> {
  const { pipeline, evaluation } = model.config.value;
  const side = options.bases.get(pipeline);
  if (from === "head") return { kind: "none", why: "The base has no such model to compare with." };
  if (side === undefined)
    return { kind: "missing", why: "The records hold no result of the base or the commits before it." };
  return measured(side, await predictionsOf(side, evaluation, options.stores), "The base");
}

function measured(side: Side, predictions: Awaited<ReturnType<typeof predictionsOf>>, what: string): Reference {
  if (!predictions.ok)
    return { kind: "missing", why: `${what}'s predictions cannot be read: ${reasons(predictions, 1)[0]}` };
  return { kind: "measured", predictions: predictions.value, numbers: flatNumbers(side.run.metrics) };
}

export async function productionReference(
  model: Model,
  version: ReturnType<typeof productionVersion>,
  stores: readonly Store[],
): Promise<Reference> {
  if (version === undefined) return { kind: "none", why: "There is no production version yet." };
  const { predictions: digest, commit, threshold } = version;
  const predictions = await readRecorded(stores, { digest, commit, threshold }, model.config.value.evaluation);
  if (predictions.ok) return { kind: "measured", predictions: predictions.value, numbers: version.metrics };
  return {
    kind: "missing",
    why: `The predictions of production v${version.version} cannot be read: ${reasons(predictions, 1)[0]}`,
  };
}
