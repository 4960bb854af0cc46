import { holm, studentQuantile, studentTail } from "../statistics/index.ts";
import type { Direction } from "../metrics/index.ts";
import { CONFIDENCE, verdictOf } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** One metric of one side: seed -> value. */
export type BySeed = Readonly<Record<string, number>>;

/** A mean over seeds with its interval at `CONFIDENCE`; without one where there is but one seed. */
export interface SeedMean {
  readonly n: number;
  readonly mean: number;
  readonly interval: readonly [number, number] | null;
}

export interface SeedComparison {
  readonly base: SeedMean | null;
  readonly head: SeedMean | null;
  /** True: both sides have the same seeds, and each is compared with itself. */
  readonly paired: boolean;
  readonly difference: number | null;
  readonly interval: readonly [number, number] | null;
  /** After Holm's correction over the metrics compared together. */
  readonly adjusted: number | null;
  readonly verdict: Verdict | null;
  readonly note: string | null;
}

/** With fewer seeds an interval leans hard on the values being normal, which nobody knows. */
const ENOUGH_SEEDS = 6;

/**
 * Compares metrics that came as one number per seed: by Student's t for the differences seed by seed where both sides
 * have the same seeds, else by Welch's t with his degrees of freedom (Welch 1947). The verdicts are corrected over all
 * metrics given.
 */
export function compareSeeds(
  metrics: readonly {
    readonly base: BySeed | null;
    readonly head: BySeed;
    readonly direction: Direction | null;
    /** Difference that does not matter; absent: none is known. */
    readonly margin?: number | undefined;
  }[],
): SeedComparison[] {
  const measured = metrics.map(({ base, head }) => compareOne(base ?? {}, head));
  const tested = measured.flatMap(({ p }, index) => (p === null ? [] : [{ p, index }]));
  const corrected = holm(tested.map(({ p }) => p));
  const adjusted = new Map(tested.map(({ index }, rank) => [index, corrected[rank] ?? 1]));
  return measured.map(({ p: raw, inner, ...one }, index) => {
    const direction = metrics[index]?.direction ?? null;
    const p = raw === null ? null : (adjusted.get(index) ?? null);
    if (p === null || one.difference === null || inner === null) return { ...one, adjusted: p, verdict: null };
    if (direction === null) return { ...one, adjusted: p, verdict: null, note: "which way is good is not known" };
    const evidence = {
      difference: one.difference,
      direction,
      adjusted: p,
      inner,
      margin: metrics[index]?.margin ?? null,
    };
    return { ...one, adjusted: p, verdict: verdictOf(evidence) };
  });
}

/** `inner`: the 90 % interval, of two one-sided tests. */
type Measured = Omit<SeedComparison, "adjusted" | "verdict"> & {
  readonly p: number | null;
  readonly inner: readonly [number, number] | null;
};

function compareOne(base: BySeed, head: BySeed): Measured {
  const seeds = Object.keys(head);
  const [before, after] = [Object.values(base), Object.values(head)];
  const paired = before.length === seeds.length && seeds.every((seed) => seed in base);
  const sides = { base: meanOf(before), head: meanOf(after), paired };
  const none = { ...sides, difference: null, interval: null, inner: null, p: null };
  if (sides.base === null || sides.head === null) {
    return { ...none, note: `the ${sides.base === null ? "base" : "change"} has no values by seed` };
  }
  const difference = paired
    ? average(seeds.map((seed) => (head[seed] ?? 0) - (base[seed] ?? 0)))
    : sides.head.mean - sides.base.mean;
  const alone = { ...none, difference };
  if (Math.min(before.length, after.length) < 2) return { ...alone, note: "one seed: its noise is not known" };
  if (variance(before) === 0 && variance(after) === 0 && difference !== 0) {
    return { ...alone, note: "the same for every seed: its noise is not known" };
  }
  const { error, df } = paired
    ? pairedError(seeds.map((seed) => (head[seed] ?? 0) - (base[seed] ?? 0)))
    : welchError(before, after);
  const around = (level: number): readonly [number, number] => {
    const reach = error === 0 ? 0 : error * studentQuantile(level, df);
    return [difference - reach, difference + reach];
  };
  const p = error === 0 ? Number(difference === 0) : Math.min(1, 2 * studentTail(Math.abs(difference) / error, df));
  const fewest = Math.min(before.length, after.length);
  const note = fewest < ENOUGH_SEEDS ? `rough: ${fewest} seeds` : null;
  return { ...alone, interval: around(1 - (1 - CONFIDENCE) / 2), inner: around(CONFIDENCE), p, note };
}

function meanOf(values: readonly number[]): SeedMean | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = average(values);
  if (n === 1) return { n, mean, interval: null };
  const reach = Math.sqrt(variance(values) / n) * studentQuantile(1 - (1 - CONFIDENCE) / 2, n - 1);
  return { n, mean, interval: [mean - reach, mean + reach] };
}

interface StandardError {
  readonly error: number;
  readonly df: number;
}

function pairedError(differences: readonly number[]): StandardError {
  return { error: Math.sqrt(variance(differences) / differences.length), df: differences.length - 1 };
}

function welchError(a: readonly number[], b: readonly number[]): StandardError {
  const [u, v] = [variance(a) / a.length, variance(b) / b.length];
  const df = (u + v) ** 2 / (u ** 2 / (a.length - 1) + v ** 2 / (b.length - 1));
  return { error: Math.sqrt(u + v), df: Number.isFinite(df) ? df : 1 };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample: divided by n - 1. Values that are all the same have exactly none. */
function variance(values: readonly number[]): number {
  if (values.every((value) => value === values[0])) return 0;
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
