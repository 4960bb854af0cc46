import { chiSquareTail, kolmogorovTail, normalTail } from "../statistics/index.ts";

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Share that an empty bin counts as in the population stability index, so that its logarithm exists. */
const EMPTY = 1e-4;

/**
 * Population stability index of two histograms over the same bins, less what chance alone gives: with no drift at all
 * its mean is about (bins - 1)(1/n + 1/m), which for a few hundred rows is more than the threshold of 0.1 in use.
 */
export function stabilityIndex(reference: readonly number[], current: readonly number[]): number {
  const n = sumOf(reference);
  const m = sumOf(current);
  if (n === 0 || m === 0) return 0;
  let index = 0;
  let used = 0;
  for (const [i, count] of reference.entries()) {
    const now = current[i]!;
    if (count === 0 && now === 0) continue;
    used++;
    const p = Math.max(count / n, EMPTY);
    const q = Math.max(now / m, EMPTY);
    index += (q - p) * Math.log(q / p);
  }
  return Math.max(0, index - Math.max(0, used - 1) * (1 / n + 1 / m));
}

export interface Tested {
  readonly statistic: number;
  readonly p: number;
}

/**
 * Two-sample Kolmogorov-Smirnov over binned counts. Binning and ties can only lower the statistic, so that the
 * p-value errs on the side of no drift.
 */
export function kolmogorovSmirnov(reference: readonly number[], current: readonly number[]): Tested {
  const n = sumOf(reference);
  const m = sumOf(current);
  if (n === 0 || m === 0) return { statistic: 0, p: 1 };
  let below = 0;
  let belowNow = 0;
  let statistic = 0;
  for (const [i, count] of reference.entries()) {
    below += count;
    belowNow += current[i]!;
    statistic = Math.max(statistic, Math.abs(below / n - belowNow / m));
  }
  return { statistic, p: kolmogorovTail(statistic * Math.sqrt((n * m) / (n + m))) };
}

/** Chi-square test of homogeneity; bins too thin for it are joined into one. No p below 1 with fewer than two bins. */
export function chiSquare(reference: readonly number[], current: readonly number[]): Tested {
  const n = sumOf(reference);
  const m = sumOf(current);
  if (n === 0 || m === 0) return { statistic: 0, p: 1 };
  const thin = (count: number): boolean => (count * Math.min(n, m)) / (n + m) < 5;
  const cells: [number, number][] = [];
  const rest: [number, number] = [0, 0];
  for (const [i, count] of reference.entries()) {
    const now = current[i]!;
    if (!thin(count + now)) cells.push([count, now]);
    else {
      rest[0] += count;
      rest[1] += now;
    }
  }
  if (rest[0] + rest[1] > 0) cells.push(rest);
  if (cells.length < 2) return { statistic: 0, p: 1 };
  let statistic = 0;
  for (const [count, now] of cells) {
    const expected = ((count + now) * n) / (n + m);
    const expectedNow = ((count + now) * m) / (n + m);
    statistic += (count - expected) ** 2 / expected + (now - expectedNow) ** 2 / expectedNow;
  }
  return { statistic, p: chiSquareTail(statistic, cells.length - 1) };
}

/** Two-sided test of two shares (pooled normal approximation). `statistic` is the difference, second less first. */
export function shareTest(hits: number, of: number, hitsNow: number, ofNow: number): Tested {
  if (of === 0 || ofNow === 0) return { statistic: 0, p: 1 };
  const difference = hitsNow / ofNow - hits / of;
  const pooled = (hits + hitsNow) / (of + ofNow);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / ofNow));
  return { statistic: difference, p: deviation === 0 ? 1 : 2 * normalTail(Math.abs(difference) / deviation) };
}
