import type { Check, RunRecord, StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Digest, Result, StageKey } from "../core/index.ts";
import {
  chooseThreshold,
  flatNumbers,
  metricsOf,
  readRecorded,
  shownMetrics,
  versionNumbers,
} from "../metrics/index.ts";
import type { Numbers } from "../evaluate/index.ts";
import type { Predictions } from "../metrics/index.ts";
import type { SeedGroup } from "../pipeline/index.ts";
import type { Records } from "../records/index.ts";
import { fileIn, liftFile } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import type { Model } from "./models.ts";
import { versionDigest } from "./plan.ts";
import type { Candidate } from "./plan.ts";

/** What a pipeline made at a commit. */
export interface Made {
  readonly run: RunRecord;
  readonly stages: readonly StageRecord[];
  readonly store: Store;
  readonly records: Records;
  /** Metrics files that the pipeline writes once for each seed. */
  readonly seeds: readonly SeedGroup[];
  /** True when no stage had to run here. */
  readonly cached: boolean;
}

/** A model's candidate with what it is judged by. The bytes are verified: a version never names what is not there. */
export interface Measured {
  readonly candidate: Omit<Candidate, "verdict">;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly predictions: Predictions;
  readonly numbers: Numbers;
  readonly checks: readonly Check[];
  readonly seeds: Made["seeds"];
}

/** Name under which the reference profile travels with a model's files. */
export const PROFILE = "profile.json";

/** Gathers a model's files, profile and predictions from what its pipeline made. */
export async function measure(
  context: Context,
  model: Model,
  made: Made,
  facts: Pick<Candidate, "commit" | "pullRequest" | "run">,
): Promise<Result<Measured>> {
  const { evaluation, files: wanted } = model.config.value;
  const digests: Record<string, Digest> = {};
  let key: StageKey | undefined;
  for (const [name, path] of Object.entries(wanted)) {
    const found = await findOutput(made, path);
    if (!found.ok) return found;
    if (found.value === undefined) return missing(model, ["files", name], path);
    digests[name] = found.value.digest;
    key ??= found.value.key;
  }
  if (key === undefined) {
    return fail({ code: "file-invalid", at: model.config.at(["files"]), problem: "a model has at least one file" });
  }
  const profile = made.stages.find((stage) => stage.profile !== null)?.profile;
  if (profile != null) digests[PROFILE] ??= profile;
  const predictions = await findOutput(made, evaluation.predictions);
  if (!predictions.ok) return predictions;
  if (predictions.value === undefined) return missing(model, ["evaluation", "predictions"], evaluation.predictions);

  const files = new Map<string, Buffer>();
  for (const [name, digest] of Object.entries(digests)) {
    const bytes = await made.store.read(digest);
    if (!bytes.ok) return bytes;
    files.set(name, bytes.value);
  }
  const threshold = await thresholdOf(model, made);
  if (!threshold.ok) return threshold;
  const recorded = { ...predictions.value, commit: facts.commit, threshold: threshold.value };
  const read = await readRecorded([made.store], recorded, evaluation);
  if (!read.ok) return read;
  return ok({
    files,
    predictions: read.value,
    numbers: flatNumbers(made.run.metrics),
    checks: made.stages.flatMap(({ checks = [] }) => checks),
    seeds: made.seeds,
    candidate: {
      ...facts,
      digest: versionDigest(digests),
      size: [...files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0),
      files: digests,
      key,
      predictions: predictions.value.digest,
      ...(threshold.value === undefined ? {} : { threshold: threshold.value }),
      data: made.run.data,
      params: made.run.params,
      metrics: { ...versionNumbers(made.run.metrics), ...metricsOf(read.value, shownMetrics(evaluation), evaluation) },
      createdAt: context.now().toISOString(),
    },
  });
}

/** The threshold that is best on the candidate's own validation predictions; undefined: none is to be chosen. */
async function thresholdOf(model: Model, made: Made): Promise<Result<number | undefined>> {
  const { evaluation } = model.config.value;
  const { threshold } = evaluation;
  if (threshold === undefined || typeof threshold === "number") return ok(undefined);
  const found = await findOutput(made, threshold.on);
  if (!found.ok) return found;
  if (found.value === undefined) return missing(model, ["evaluation", "threshold", "on"], threshold.on);
  const recorded = { ...found.value, commit: made.run.commit };
  const validation = await readRecorded([made.store], recorded, { ...evaluation, predictions: threshold.on });
  return validation.ok ? chooseThreshold(validation.value, threshold, evaluation) : validation;
}

/** The blob at a path: an output of its own, or a file in a folder that is one. */
export async function findOutput(
  made: Made,
  path: string,
): Promise<Result<{ digest: Digest; key: StageKey } | undefined>> {
  for (const { outs, key } of made.stages) {
    const found = await fileIn(outs, path, [made.store]);
    if (!found.ok) return found;
    if (found.value === undefined) continue;
    const { digest, root, entry } = found.value;
    const lifted = entry === undefined ? ok() : await liftFile(made.store, root, entry);
    return lifted.ok ? ok({ digest, key }) : lifted;
  }
  return ok(undefined);
}

function missing(model: Model, at: readonly string[], path: string): Result<never> {
  return fail({
    code: "file-invalid",
    at: model.config.at(at),
    problem: `no stage of pipeline "${model.config.value.pipeline}" makes the file ${path}`,
  });
}
