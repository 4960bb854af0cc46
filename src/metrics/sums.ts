import type { Direction, Metric, Sums, Weights } from "./metric.ts";
import type { Predictions } from "./predictions.ts";

/** A metric that is a function of weighted sums. */
export function summed(
  name: string,
  direction: Direction,
  sums: (predictions: Predictions) => Sums,
  needsScore = false,
): Metric {
  const prepare: Metric["prepare"] = (from) => {
    const ready = sums(from);
    return (weights) => ready.value(totals(ready, weights));
  };
  return { name, direction, needsScore, prepare, sums };
}

/** The weighted mean of one value per example. */
export function meanOf(
  name: string,
  direction: Direction,
  column: (predictions: Predictions) => ArrayLike<number>,
  needsScore = false,
): Metric {
  const sums = (from: Predictions): Sums => ({ columns: [column(from), ones(from)], cells: null, value: mean });
  return summed(name, direction, sums, needsScore);
}

export function mean(sums: ArrayLike<number>): number | null {
  const [sum, total] = [sums[0] as number, sums[1] as number];
  return total === 0 ? null : sum / total;
}

/** What `Sums.value` takes, of all rows. */
export function totals({ columns, cells }: Sums, weights: Weights): Float64Array {
  const sums = new Float64Array(columns.length + (cells?.size ?? 0));
  columns.forEach((column, index) => (sums[index] = weightedSum(column, weights)));
  if (cells === null) return sums;
  const { code } = cells;
  for (let row = 0; row < code.length; row++) {
    const at = columns.length + (code[row] as number);
    sums[at] = (sums[at] as number) + (weights[row] as number);
  }
  return sums;
}

const BLOCK = 512;

/**
 * Sums of short blocks, added up with Neumaier's compensation: values of both signs at a million rows keep their
 * digits, at the speed of a plain sum. (Sums of weights alone need no such care: what is not negative loses at most the
 * number of rows times 1e-16 of itself.)
 */
export function weightedSum(column: ArrayLike<number>, weights: Weights): number {
  let sum = 0;
  let lost = 0;
  for (let start = 0; start < column.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, column.length);
    let block = 0;
    for (let row = start; row < end; row++) block += (column[row] as number) * (weights[row] as number);
    const next = sum + block;
    lost += Math.abs(sum) >= Math.abs(block) ? sum - next + block : block - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** Computed once for each set of predictions and shared by all who ask: the same object. */
export function once<Value>(make: (predictions: Predictions) => Value): (predictions: Predictions) => Value {
  const known = new WeakMap<Predictions, Value>();
  return (predictions) => {
    const before = known.get(predictions);
    if (before !== undefined) return before;
    const made = make(predictions);
    known.set(predictions, made);
    return made;
  };
}

/** The column whose weighted sum is the weight of all. */
export const ones = once((from) => new Uint8Array(from.ids.length).fill(1));
