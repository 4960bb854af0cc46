import type { ModelConfig, ModelLock, ModelVersion } from "../config/index.ts";
import { message, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { judgeGates } from "../evaluate/index.ts";
import { metricsOf, readRecorded, shownMetrics } from "../metrics/index.ts";
import type { Reference } from "../evaluate/index.ts";
import type { Store } from "../store/index.ts";
import { findOutput } from "./candidate.ts";
import type { Made } from "./candidate.ts";
import { countLook } from "./look.ts";
import { productionVersion } from "./models.ts";
import type { Model } from "./models.ts";

export interface HeldOutJudgement {
  /** For the version's entry; absent: the model has no held-out set. */
  readonly entry?: NonNullable<ModelVersion["heldOut"]>;
  /** Gates on the held-out set that the candidate does not pass, each with what was found. */
  readonly failed: readonly string[];
}

/**
 * Judges a candidate on its held-out predictions. Asked for when everything else has passed, so that a change that is
 * refused anyway learns nothing from them. The rules are the branch's before the push: a push that takes the held-out
 * set away is still judged on it.
 */
export async function judgeHeldOut(options: {
  readonly model: Model;
  readonly rules: Model;
  readonly lock: ModelLock;
  readonly made: Made;
}): Promise<Result<HeldOutJudgement>> {
  const { model, rules, lock, made } = options;
  const { evaluation } = rules.config.value;
  const promised = evaluation.held_out;
  const wanted = promised ?? model.config.value.evaluation.held_out;
  if (wanted === undefined) return ok({ failed: [] });
  const found = await findOutput(made, wanted.predictions);
  if (!found.ok) return found;
  if (found.value === undefined) return ok({ failed: [`held-out: no stage makes the file ${wanted.predictions}`] });
  const { digest } = found.value;
  const own = { ...evaluation, predictions: wanted.predictions };
  const predictions = await readRecorded([made.store], { digest, commit: made.run.commit }, own);
  if (!predictions.ok) return predictions;
  const reference = await production(lock, made.store, own);
  const results = judgeGates({
    gates: promised?.gates ?? [],
    evaluation,
    candidate: { predictions: predictions.value, numbers: {} },
    base: reference,
    production: reference,
    files: {},
  });
  const looks = await countLook(made, predictions.value);
  if (!looks.ok) return looks;
  const metrics = metricsOf(predictions.value, shownMetrics(evaluation), evaluation);
  const failed = results.filter(({ passed }) => !passed).map(({ rule, found: why }) => `held-out: ${rule}: ${why}`);
  const said = `held-out: this was look ${looks.value.count} at these examples`;
  return ok({
    entry: { predictions: digest, metrics, looks: looks.value.count },
    failed: failed.length > 0 && looks.value.count > 1 ? [...failed, said] : failed,
  });
}

async function production(lock: ModelLock, store: Store, evaluation: ModelConfig["evaluation"]): Promise<Reference> {
  const version = productionVersion(lock);
  if (version?.heldOut === undefined) return { kind: "none", why: "production has no held-out predictions" };
  const { predictions: digest, metrics } = version.heldOut;
  const file = `held-out predictions of version ${version.version}`;
  const predictions = await readRecorded([store], { digest, file, commit: version.commit }, evaluation);
  if (predictions.ok) return { kind: "measured", predictions: predictions.value, numbers: metrics };
  const why = `version ${version.version} cannot be compared with: ${message(predictions.failures[0])}`;
  return { kind: "missing", why };
}
