import type { Weighted } from "./metric.ts";

/** Rows by rising score; rows of one score are neighbours. Sorting once serves every metric of the same scores. */
const orders = new WeakMap<Float64Array, Int32Array>();

function byScore(score: Float64Array): Int32Array {
  const known = orders.get(score);
  if (known !== undefined) return known;
  const order = Int32Array.from(score.keys()).sort((a, b) => (score[a] as number) - (score[b] as number));
  orders.set(score, order);
  return order;
}

/**
 * Share of (positive, negative) pairs in the right order, ties as half: one sort, then one pass per set of weights.
 * Null without a positive or without a negative. Sums of what is not negative keep their digits.
 */
export function rocAuc(label: ArrayLike<number>, score: Float64Array): Weighted {
  const order = byScore(score);
  return (weights) => {
    let below = 0; // weight of negatives with a smaller score
    let pairs = 0;
    let positives = 0;
    for (let index = 0; index < order.length;) {
      const value = score[order[index] as number];
      let tiedPositive = 0;
      let tiedNegative = 0;
      for (; index < order.length && score[order[index] as number] === value; index++) {
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

/**
 * Mean over the positives of the precision at their score, examples of one score taken together (scikit-learn's step
 * function, not the trapezoids under the curve). Null without a positive.
 */
export function averagePrecision(label: ArrayLike<number>, score: Float64Array): Weighted {
  const order = byScore(score);
  return (weights) => {
    let above = 0; // weight of all with a score as high or higher
    let positives = 0;
    let sum = 0;
    for (let index = order.length - 1; index >= 0;) {
      const value = score[order[index] as number];
      let tied = 0;
      for (; index >= 0 && score[order[index] as number] === value; index--) {
        const row = order[index] as number;
        above += weights[row] as number;
        if (label[row] === 1) tied += weights[row] as number;
      }
      positives += tied;
      if (tied > 0) sum += tied * (positives / above);
    }
    return positives === 0 ? null : sum / positives;
  };
}
