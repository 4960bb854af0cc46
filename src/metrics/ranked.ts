import { edge } from "../statistics/index.ts";
import type { Ordered } from "./metric.ts";

/** Rows by rising value, those of one value in their order. Sorting once serves every metric of the same values. */
const orders = new WeakMap<Float64Array, Int32Array>();

export function ascending(values: Float64Array): Int32Array {
  const known = orders.get(values);
  if (known !== undefined) return known;
  // Numbers are sorted by the engine far faster than rows by a function; each row then finds its place among them.
  const sorted = values.slice().sort();
  const taken = new Int32Array(values.length);
  const order = new Int32Array(values.length);
  for (const [row, value] of values.entries()) {
    const first = edge(sorted, value, false);
    order[first + (taken[first] as number)] = row;
    taken[first] = (taken[first] as number) + 1;
  }
  orders.set(values, order);
  return order;
}

/** Per place in the order of the scores: whether the example is positive, and whether it is the last of its score. */
function places(
  label: ArrayLike<number>,
  score: Float64Array,
): { order: Int32Array; positive: Uint8Array; last: Uint8Array } {
  const order = ascending(score);
  const [positive, last] = [new Uint8Array(order.length), new Uint8Array(order.length)];
  for (const [place, row] of order.entries()) {
    positive[place] = label[row] as number;
    const next = order[place + 1];
    last[place] = next === undefined || score[next] !== score[row] ? 1 : 0;
  }
  return { order, positive, last };
}

/**
 * Share of (positive, negative) pairs in the right order, ties as half: one sort, then one pass per set of weights.
 * Null without a positive or without a negative. Sums of what is not negative keep their digits.
 */
export function rocAuc(label: ArrayLike<number>, score: Float64Array): Ordered {
  const { order, positive, last } = places(label, score);
  const value: Ordered["value"] = (weights) => {
    let below = 0; // weight of negatives with a smaller score
    let [pairs, positives, tiedPositive, tiedNegative] = [0, 0, 0, 0];
    for (let place = 0; place < positive.length; place++) {
      if (positive[place] === 1) tiedPositive += weights[place] as number;
      else tiedNegative += weights[place] as number;
      if (last[place] === 0) continue;
      pairs += tiedPositive * (below + tiedNegative / 2);
      below += tiedNegative;
      positives += tiedPositive;
      tiedPositive = tiedNegative = 0;
    }
    return positives === 0 || below === 0 ? null : pairs / (positives * below);
  };
  return { order, value };
}

/**
 * Mean over the positives of the precision at their score, examples of one score taken together (scikit-learn's step
 * function, not the trapezoids under the curve). Null without a positive.
 */
export function averagePrecision(label: ArrayLike<number>, score: Float64Array): Ordered {
  const { order, positive, last } = places(label, score);
  const value: Ordered["value"] = (weights) => {
    let above = 0; // weight of all with a score as high or higher
    let [positives, tied, sum] = [0, 0, 0];
    for (let place = positive.length - 1; place >= 0; place--) {
      above += weights[place] as number;
      if (positive[place] === 1) tied += weights[place] as number;
      if (place > 0 && last[place - 1] === 0) continue;
      positives += tied;
      if (tied > 0) sum += tied * (positives / above);
      tied = 0;
    }
    return positives === 0 ? null : sum / positives;
  };
  return { order, value };
}
