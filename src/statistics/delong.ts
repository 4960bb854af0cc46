/** Two scores of the same or of different examples, each with what it takes to compare their ROC AUCs. */
export interface Placements {
  readonly auc: number;
  /** Of each positive example: the share of negatives with a smaller score, ties as half. */
  readonly positive: Float64Array;
  /** Of each negative example: the share of positives with a larger score, ties as half. */
  readonly negative: Float64Array;
}

/**
 * Placement values of one score (DeLong, DeLong and Clarke-Pearson 1988), by sorting as in Sun and Xu (2014): in
 * n log n steps in place of one for each pair.
 * @param label 1 for a positive example
 * @returns null when a class has no example
 */
export function placements(label: ArrayLike<number>, score: ArrayLike<number>): Placements | null {
  let size = 0;
  for (let row = 0; row < label.length; row++) if (label[row] === 1) size++;
  const [positives, negatives] = [new Float64Array(size), new Float64Array(label.length - size)];
  for (let row = 0, p = 0, n = 0; row < label.length; row++) {
    if (label[row] === 1) positives[p++] = score[row] as number;
    else negatives[n++] = score[row] as number;
  }
  if (positives.length === 0 || negatives.length === 0) return null;
  const [sortedPositives, sortedNegatives] = [positives.slice().sort(), negatives.slice().sort()];
  for (let row = 0; row < positives.length; row++)
    positives[row] = below(sortedNegatives, positives[row] as number) / negatives.length;
  for (let row = 0; row < negatives.length; row++)
    negatives[row] = 1 - below(sortedPositives, negatives[row] as number) / positives.length;
  return { auc: meanOf(positives), positive: positives, negative: negatives };
}

/**
 * Standard error of the difference of two AUCs, and the degrees of freedom that it is known with (Satterthwaite's):
 * few, where a rare class carries most of it. Paired: of the same examples, in the same order.
 */
export function delong(base: Placements, head: Placements, paired: boolean): { error: number; df: number } {
  const classes: readonly ((side: Placements) => Float64Array)[] = [
    ({ positive }) => positive,
    ({ negative }) => negative,
  ];
  const parts = classes.flatMap((of) => {
    const [before, after] = [of(base), of(head)];
    return paired ? [after.map((value, row) => value - (before[row] as number))] : [before, after];
  });
  let [variance, uncertain] = [0, 0];
  for (const part of parts) {
    const own = varianceOfMean(part);
    variance += own;
    uncertain += own ** 2 / Math.max(1, part.length - 1);
  }
  return { error: Math.sqrt(variance), df: uncertain === 0 ? Infinity : variance ** 2 / uncertain };
}

/** How many values are smaller, equal ones as half. */
function below(sorted: Float64Array, value: number): number {
  return (edge(sorted, value, false) + edge(sorted, value, true)) / 2;
}

/** Position of the first value that is not smaller, or with `after` the first that is larger. */
export function edge(sorted: Float64Array, value: number, after: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = sorted[middle] as number;
    if (found < value || (after && found === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** 0 of a single value, which says nothing about its variance. */
function varianceOfMean(values: Float64Array): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return squares / (values.length - 1) / values.length;
}
