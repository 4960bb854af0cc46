import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { findMetric } from "./metrics.ts";
import type { BinaryPredictions, Predictions } from "./predictions.ts";
import type { Evaluation } from "./evaluation.ts";
import { ones, totals } from "./sums.ts";

/** Predictions made anew from the scores: positive from the threshold on. Without scores, or one, as they are. */
export function withThreshold(predictions: Predictions, threshold: number | undefined): Predictions {
  if (threshold === undefined || predictions.task !== "binary" || predictions.score === null) return predictions;
  const prediction = Uint8Array.from(predictions.score, (score) => (score >= threshold ? 1 : 0));
  return { ...predictions, prediction, threshold };
}

/**
 * The threshold of an evaluation that chooses it on validation predictions: of the scores that occur, the one at which
 * the metric is best, the smallest of equals. One sort and one pass, because every metric it can be chosen by is a
 * function of sums, and a row's part of a sum changes once.
 * @returns a failure where the metric has no value at any of them
 */
export function chooseThreshold(
  validation: Predictions,
  { maximize, on }: Exclude<Evaluation["threshold"], number | undefined>,
  evaluation: Evaluation,
): Result<number> {
  const best = bestThreshold(validation, maximize, evaluation);
  if (best !== null) return ok(best);
  const problem = `no threshold can be chosen by ${maximize}: it has no value on these predictions`;
  return fail({ code: "predictions-invalid", at: { file: on, line: 1, column: 1 }, problem });
}

function bestThreshold(validation: Predictions, name: string, evaluation: Evaluation): number | null {
  const metric = findMetric(evaluation, name);
  if (validation.task !== "binary" || validation.score === null || metric?.sums === undefined) return null;
  const { score } = validation;
  const weights = validation.weight ?? ones(validation);
  const all = (prediction: 0 | 1): BinaryPredictions => ({
    ...validation,
    prediction: new Uint8Array(score.length).fill(prediction),
  });
  const [yes, no] = [metric.sums(all(1)), metric.sums(all(0))];
  const sums = totals(yes, weights);
  const cells = yes.columns.length;
  const add = (at: number, amount: number): void => void (sums[at] = (sums[at] ?? 0) + amount);
  const sign = metric.direction === "higher" ? 1 : -1;
  const order = Int32Array.from(score.keys()).sort((a, b) => (score[a] as number) - (score[b] as number));
  let best: { threshold: number; value: number } | null = null;
  for (let index = 0; index < order.length;) {
    const threshold = score[order[index] as number] as number;
    const value = yes.value(sums);
    if (value !== null && (best === null || sign * value > best.value)) best = { threshold, value: sign * value };
    for (; index < order.length && score[order[index] as number] === threshold; index++) {
      const row = order[index] as number;
      const weight = weights[row] as number;
      for (const [at, column] of yes.columns.entries())
        add(at, weight * ((no.columns[at]?.[row] as number) - (column[row] as number)));
      if (yes.cells === null || no.cells === null) continue;
      add(cells + (yes.cells.code[row] as number), -weight);
      add(cells + (no.cells.code[row] as number), weight);
    }
  }
  return best?.threshold ?? null;
}
