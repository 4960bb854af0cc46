import { quantile } from "./quantile.ts";
import { acceleration, freedom, widening } from "./shape.ts";
import type { Shape } from "./shape.ts";
import { normalQuantile, normalTail, studentQuantile, studentTail } from "./special.ts";

export type Method = "bca" | "percentile" | "normal" | "jackknife";

/** What a bootstrap distribution says about an estimate. */
export interface Resampled {
  /** Bounds of the interval that holds the truth with this probability. */
  readonly interval: (confidence: number) => readonly [number, number];
  /** Two-sided p-value of "it is 0": the level at which the interval would touch 0. Never 0, never above 1. */
  readonly p: number;
}

/**
 * Intervals from a bootstrap distribution, by one of these methods: BCa (Efron 1987), percentile, or the normal curve
 * with the distribution's standard deviation, for which a hundred samples are enough, or with that of the jackknife,
 * which does better than all of them where units are few and unequal. All of them are widened for small samples, as a
 * t interval is against a normal one (the "expanded" levels of Hesterberg 2015, section 5.3).
 * @param sorted estimates from the samples, ascending
 */
export function resampled(estimate: number, sorted: Float64Array, shape: Shape, method: Method): Resampled {
  const { mean, deviation } = moments(sorted);
  const df = freedom(shape);
  const wide = widening(shape);
  if (deviation === 0) return fixed(estimate, sorted.length, shape.units);
  const bias = method === "bca" ? biasOf(estimate, sorted) : 0;
  const bend = method === "bca" ? acceleration(shape) : 0;
  const symmetric = method === "normal" ? deviation : method === "jackknife" ? Math.sqrt(shape.second) : null;
  const bound = (share: number): number => {
    const z = wide * studentQuantile(share, df);
    if (symmetric !== null) return estimate + z * symmetric;
    const level = bias + (bias + z) / Math.max(0.1, 1 - bend * (bias + z));
    return at(sorted, 1 - normalTail(level));
  };
  const touching = symmetric !== null ? -estimate / symmetric : zeroAt(sorted, estimate, mean, deviation);
  const off = touching - bias;
  const t = (off / Math.max(0.1, 1 + bend * off) - bias) / wide;
  return {
    interval: (confidence) => [bound((1 - confidence) / 2), bound((1 + confidence) / 2)],
    p: Math.min(1, 2 * studentTail(Math.abs(t), df)),
  };
}

/** The bound that `share` of the samples lie below, where R samples cut the line into R + 1 parts, as `p` counts them. */
function at(sorted: Float64Array, share: number): number {
  const place = (share * (sorted.length + 1) - 1) / Math.max(1, sorted.length - 1);
  return quantile(sorted, Math.min(1, Math.max(0, place)));
}

/** Every sample gave the same: nothing varies, and a sign test of the units is the most that can be said. */
function fixed(estimate: number, samples: number, units: number): Resampled {
  const p = estimate === 0 ? 1 : Math.min(1, Math.max(2 / (samples + 1), 2 ** (1 - units)));
  return { interval: () => [estimate, estimate], p };
}

function moments(values: Float64Array): { mean: number; deviation: number } {
  let mean = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    const off = value - mean;
    mean += off / (index + 1);
    squares += off * (value - mean);
  }
  const deviation = Math.sqrt(squares / Math.max(1, values.length - 1));
  // Rounding in sums is no variation.
  return { mean, deviation: deviation > 1e-12 * Math.abs(mean) ? deviation : 0 };
}

/** Normal quantile of the share of samples below the estimate, those equal to it as half. */
function biasOf(estimate: number, sorted: Float64Array): number {
  const [below, upTo] = [first(sorted, (value) => value >= estimate), first(sorted, (value) => value > estimate)];
  const share = (below + upTo) / 2 / sorted.length;
  return normalQuantile(Math.min(1 - 1 / (sorted.length + 1), Math.max(1 / (sorted.length + 1), share)));
}

/**
 * Normal quantile of the share of samples on the other side of 0. Where none is there the samples are too few to tell,
 * and the normal curve goes on from where they end.
 */
function zeroAt(sorted: Float64Array, estimate: number, mean: number, deviation: number): number {
  const positive = estimate > 0;
  const across = positive ? first(sorted, (value) => value > 0) : sorted.length - first(sorted, (value) => value >= 0);
  const samples = sorted.length + 1;
  const known = normalQuantile(Math.min((across + 1) / samples, 1 - 1 / samples));
  const z = across === 0 ? Math.min(known, -Math.abs(mean) / deviation) : known;
  return positive ? z : -z;
}

/** Position of the first value that `from` is true of; it is true of all that follow. */
function first(sorted: Float64Array, from: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (from(sorted[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
