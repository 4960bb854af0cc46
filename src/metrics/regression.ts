import { EPSILON } from "./binary.ts";
import { inOrder } from "./metric.ts";
import type { Metric, Ordered, Sums, Weighted } from "./metric.ts";
import type { Predictions, RegressionPredictions } from "./predictions.ts";
import { ascending } from "./ranked.ts";
import { mean, meanOf, once, ones, summed, weightedSum } from "./sums.ts";

const squares = perExample((error) => error ** 2);

export const REGRESSION: readonly Metric[] = [
  meanOf("mae", "lower", perExample(Math.abs)),
  summed("rmse", "lower", (from) => ({ columns: [squares(from), ones(from)], cells: null, value: root })),
  meanOf("mse", "lower", squares),
  summed("r2", "higher", r2),
  meanOf(
    "mape",
    "lower",
    perExample((error, truth) => Math.abs(error) / Math.max(Math.abs(truth), EPSILON)),
  ),
  inOrder("median_ae", "lower", false, (from) => weightedMedian(perExample(Math.abs)(from))),
  { name: "max_error", direction: "lower", needsScore: false, prepare: (from) => largest(perExample(Math.abs)(from)) },
];

/** `quantile_loss.<q>`: mean pinball loss of predictions of the quantile q, 0 to 1; undefined for another name. */
export function quantileLoss(name: string): Metric | undefined {
  const text = /^quantile_loss\.((?:0?\.\d{1,6})|0|1(?:\.0{1,6})?)$/.exec(name)?.[1];
  if (text === undefined) return undefined;
  const q = Number(text);
  return meanOf(
    name,
    "lower",
    perExample((error) => (error <= 0 ? -q * error : (1 - q) * error)),
  );
}

/**
 * Labels are taken from their mean first, so that a common offset costs no digits. As in scikit-learn, where all labels
 * are equal it is 1 for predictions without an error, else 0; of fewer than two examples there is none.
 */
function r2(from: Predictions): Sums {
  const { label, weight } = regression(from);
  const all = weight ?? ones(from);
  const first = label[0] ?? 0;
  const same = label.every((truth) => truth === first);
  const centre = same ? first : (mean([weightedSum(label, all), weightedSum(ones(from), all)]) ?? first);
  const shifted = Float64Array.from(label, (truth) => truth - centre);
  const counted = ones(from);
  const value: Sums["value"] = (sums) => {
    const [residual, sum, square, total] = [0, 1, 2, 3].map((index) => sums[index] ?? 0) as [
      number,
      number,
      number,
      number,
    ];
    if (total === 0 || label.length < 2) return null;
    const spread = square - sum ** 2 / total;
    // Rounding of a spread that is none, as in a sample that drew one label only.
    if (spread <= square * 1e-14) return residual === 0 ? 1 : 0;
    return 1 - residual / spread;
  };
  const columns = [squares(from), shifted, Float64Array.from(shifted, (truth) => truth ** 2), counted];
  return { columns, cells: null, value };
}

/** Half of the weight is at or below it and half at or above: between two values, their mean (as with equal weights). */
function weightedMedian(values: Float64Array): Ordered {
  const order = ascending(values);
  const sorted = Float64Array.from(order, (row) => values[row] as number);
  const each = new Uint8Array(order.length).fill(1);
  const value: Ordered["value"] = (weights) => {
    const half = weightedSum(each, weights) / 2;
    if (half === 0) return null;
    let below = 0;
    let lower: number | null = null; // found, and exactly half of the weight is at or below it
    for (let place = 0; place < sorted.length; place++) {
      const weight = weights[place] as number;
      if (weight === 0) continue;
      if (lower !== null) return (lower + (sorted[place] as number)) / 2;
      below += weight;
      if (below < half - EPSILON) continue;
      if (below - half > EPSILON) return sorted[place] as number;
      lower = sorted[place] as number;
    }
    return lower;
  };
  return { order, value };
}

/** Of the examples that have weight. */
function largest(values: Float64Array): Weighted {
  return (weights) => {
    let most: number | null = null;
    for (const [row, value] of values.entries()) if ((weights[row] as number) > 0) most = Math.max(most ?? 0, value);
    return most;
  };
}

function root(sums: ArrayLike<number>): number | null {
  const square = mean(sums);
  return square === null ? null : Math.sqrt(square);
}

/** @param of error (prediction minus label) and label */
function perExample(of: (error: number, truth: number) => number): (from: Predictions) => Float64Array {
  return once((from) => {
    const { label, prediction } = regression(from);
    return Float64Array.from(label, (truth, row) => of((prediction[row] as number) - truth, truth));
  });
}

function regression(from: Predictions): RegressionPredictions {
  if (from.task !== "regression") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
