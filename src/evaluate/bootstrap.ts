import type { Random } from "../statistics/index.ts";
import type { Weighted } from "./metric.ts";
import type { Predictions } from "./predictions.ts";

/** Row numbers by label, so that each bootstrap sample keeps the test set's class balance; one stratum where labels are no classes. */
export function strata(predictions: Predictions): Int32Array[] {
  const all = Int32Array.from({ length: predictions.ids.length }, (_, row) => row);
  if (predictions.task === "regression" || predictions.task === "ranking") return [all];
  const rows = new Map<number, number[]>();
  for (const [row, label] of predictions.label.entries()) {
    const members = rows.get(label);
    if (members === undefined) rows.set(label, [row]);
    else members.push(row);
  }
  return [...rows.entries()].sort(([a], [b]) => a - b).map(([, members]) => Int32Array.from(members));
}

/** Draws with replacement within each stratum; `weights` becomes how often each row was drawn. */
export function draw(random: Random, groups: readonly Int32Array[], weights: Uint32Array): void {
  weights.fill(0);
  for (const group of groups) {
    const size = group.length;
    const scale = size / 0x1_0000_0000;
    for (let drawn = 0; drawn < size; drawn++) {
      const row = group[Math.floor((random.next() >>> 0) * scale)] as number;
      weights[row] = (weights[row] as number) + 1;
    }
  }
}

export interface Sides {
  readonly base: Weighted;
  readonly head: Weighted;
}

/**
 * Bootstrap distribution of head minus base for each metric, sorted. Paired: each sample draws the same examples for
 * both sides, which is what makes a small difference visible. A sample that does not define a metric is left out.
 */
export function bootstrap(options: {
  readonly random: Random;
  readonly base: Predictions;
  readonly head: Predictions;
  readonly paired: boolean;
  readonly metrics: readonly Sides[];
  readonly resamples: number;
}): Float64Array[] {
  const { random, base, head, paired, metrics, resamples } = options;
  const baseGroups = strata(base);
  const headGroups = paired ? baseGroups : strata(head);
  const baseWeights = new Uint32Array(base.ids.length);
  const headWeights = paired ? baseWeights : new Uint32Array(head.ids.length);
  const differences = metrics.map(() => new Float64Array(resamples));
  const counts = metrics.map(() => 0);
  for (let sample = 0; sample < resamples; sample++) {
    draw(random, baseGroups, baseWeights);
    if (!paired) draw(random, headGroups, headWeights);
    for (const [index, metric] of metrics.entries()) {
      const before = metric.base(baseWeights);
      const after = metric.head(headWeights);
      if (before === null || after === null) continue;
      (differences[index] as Float64Array)[counts[index] as number] = after - before;
      counts[index] = (counts[index] as number) + 1;
    }
  }
  return differences.map((values, index) => values.subarray(0, counts[index]).sort());
}

/** Two-sided p-value of "no difference", by inverting the percentile interval; never 0, never above 1. */
export function bootstrapP(sorted: Float64Array): number {
  let below = 0;
  let above = 0;
  for (const value of sorted) {
    if (value <= 0) below++;
    if (value >= 0) above++;
  }
  return Math.min(1, (2 * (Math.min(below, above) + 1)) / (sorted.length + 1));
}
