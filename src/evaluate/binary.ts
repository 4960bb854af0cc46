import type { Metric, Weighted, Weights } from "./metric.ts";
import type { BinaryPredictions, Predictions } from "./predictions.ts";

/** A probability of exactly 0 or 1 is taken as this far from it, as scikit-learn does in double precision. */
export const EPSILON = 2 ** -52;

interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/** Positive class, as in scikit-learn; a ratio of nothing to nothing counts as 0, as there. */
export const BINARY: readonly Metric[] = [
  counted("accuracy", ({ tp, fp, fn, tn }) => ratio(tp + tn, tp + fp + fn + tn)),
  counted("precision", ({ tp, fp }) => ratio(tp, tp + fp)),
  counted("recall", ({ tp, fn }) => ratio(tp, tp + fn)),
  counted("f1", ({ tp, fp, fn }) => ratio(2 * tp, 2 * tp + fp + fn)),
  { name: "roc_auc", direction: "higher", needsScore: true, prepare: (from) => rocAuc(binary(from)) },
  {
    name: "log_loss",
    direction: "lower",
    needsScore: true,
    prepare: (from) => mean(binary(from), (label, score) => -Math.log(clip(label === 1 ? score : 1 - score))),
  },
  {
    name: "brier",
    direction: "lower",
    needsScore: true,
    prepare: (from) => mean(binary(from), (label, score) => (score - label) ** 2),
  },
];

export function clip(probability: number): number {
  return Math.min(1 - EPSILON, Math.max(EPSILON, probability));
}

export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Weighted mean of values that are known per example. */
export function weightedMean(values: Float64Array): Weighted {
  return (weights) => {
    let sum = 0;
    let total = 0;
    for (let row = 0; row < values.length; row++) {
      const weight = weights[row] as number;
      sum += weight * (values[row] as number);
      total += weight;
    }
    return total === 0 ? null : sum / total;
  };
}

function mean(from: BinaryPredictions, value: (label: number, score: number) => number): Weighted {
  return weightedMean(Float64Array.from(from.ids, (_, row) => value(from.label[row] ?? 0, from.score?.[row] ?? 0)));
}

function counted(name: string, formula: (counts: Counts) => number): Metric {
  const prepare = (from: Predictions): Weighted => {
    const { label, prediction } = binary(from);
    const cell = Uint8Array.from(label, (truth, row) => truth * 2 + (prediction[row] ?? 0));
    return (weights) => {
      const cells = [0, 0, 0, 0] as [number, number, number, number];
      for (let row = 0; row < cell.length; row++) cells[cell[row] as 0 | 1 | 2 | 3] += weights[row] as number;
      const [tn, fp, fn, tp] = cells;
      return tn + fp + fn + tp === 0 ? null : formula({ tp, fp, fn, tn });
    };
  };
  return { name, direction: "higher", needsScore: false, prepare };
}

/** Share of (positive, negative) pairs in the right order, ties as half: one sort, then one pass per set of weights. */
function rocAuc({ label, score, ids }: BinaryPredictions): Weighted {
  const scores = score ?? new Float64Array(ids.length);
  const order = Int32Array.from(scores.keys()).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  return (weights: Weights) => {
    let below = 0; // weight of negatives with a smaller score
    let pairs = 0;
    let positives = 0;
    for (let index = 0; index < order.length;) {
      const value = scores[order[index] as number];
      let tiedPositive = 0;
      let tiedNegative = 0;
      for (; index < order.length && scores[order[index] as number] === value; index++) {
        const row = order[index] as number;
        if (label[row] === 1) tiedPositive += weights[row] as number;
        else tiedNegative += weights[row] as number;
      }
      pairs += tiedPositive * (below + tiedNegative / 2);
      below += tiedNegative;
      positives += tiedPositive;
    }
    return positives === 0 || below === 0 ? null : pairs / (positives * below);
  };
}

function binary(from: Predictions): BinaryPredictions {
  if (from.task !== "binary") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
