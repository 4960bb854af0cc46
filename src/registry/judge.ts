import type { ModelLock, ModelVersion } from "../config/index.ts";
import { message, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { compareModels, judgeGates, marginsOf } from "../evaluate/index.ts";
import { readRecorded, shownMetrics } from "../metrics/index.ts";
import type { Evaluation } from "../metrics/index.ts";
import type { Reference } from "../evaluate/index.ts";
import type { Store } from "../store/index.ts";
import type { Measured } from "./candidate.ts";
import { productionVersion } from "./models.ts";
import type { Model } from "./models.ts";
import { speedOf } from "./speed.ts";

export interface Judgement {
  readonly verdict: ModelVersion["verdict"];
  /** Gates that the candidate does not pass, each with what was found. */
  readonly failed: readonly string[];
}

/**
 * Judges a candidate against the version that is in production now. `rules` is the model as the branch had it before
 * the push, because a change must not loosen the gate that it has to pass itself, nor redefine what the gate is on:
 * `measured` is by the evaluation of the rules too. What the branch promised before the push is what is in production,
 * so a rule against `base` is judged by the same version.
 */
export async function judge(
  context: Context,
  measured: Measured,
  options: { readonly model: Model; readonly rules: Model; readonly lock: ModelLock; readonly store: Store },
): Promise<Result<Judgement>> {
  const { model, rules, lock, store } = options;
  const gates = rules.config.value.gates ?? [];
  const { evaluation } = rules.config.value;
  const reference = await production(productionVersion(lock), evaluation, store);
  const speed = await speedOf(context, measured, { model, gates, lock, store });
  const results = judgeGates({
    gates,
    evaluation,
    candidate: { predictions: measured.predictions, numbers: measured.numbers },
    base: reference,
    production: reference,
    files: Object.fromEntries([...measured.files].map(([name, bytes]) => [name, bytes.byteLength])),
    card: model.config.value.card ?? {},
    checks: measured.checks,
    seeds: measured.seeds,
    ...(speed === undefined ? {} : { speed }),
  });
  return ok({
    verdict: verdictOf(reference, measured, evaluation, marginsOf(gates, evaluation.margins)),
    failed: results.filter((result) => !result.passed).map(({ rule, found }) => `${rule}: ${found}`),
  });
}

async function production(version: ModelVersion | undefined, evaluation: Evaluation, store: Store): Promise<Reference> {
  if (version === undefined) return { kind: "none", why: "nothing is in production yet" };
  const { predictions: digest, commit, threshold } = version;
  const file = `predictions of version ${version.version}`;
  const read = await readRecorded([store], { digest, file, commit, threshold }, evaluation);
  if (read.ok) return { kind: "measured", predictions: read.value, numbers: version.metrics };
  return { kind: "missing", why: `version ${version.version} cannot be compared with: ${message(read.failures[0])}` };
}

function verdictOf(
  reference: Reference,
  measured: Measured,
  evaluation: Evaluation,
  margins: Readonly<Record<string, number>>,
): ModelVersion["verdict"] {
  if (reference.kind === "none") return "first";
  if (reference.kind === "missing" || reference.predictions === null) return "no-evidence";
  const compared = compareModels({
    base: reference.predictions,
    head: measured.predictions,
    metrics: shownMetrics(evaluation),
    evaluation,
    margins,
  });
  return compared.verdict ?? "no-evidence";
}
