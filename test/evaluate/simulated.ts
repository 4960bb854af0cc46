import { normalQuantile, seeded, uniform } from "../../src/statistics/index.ts";
import type { Random } from "../../src/statistics/index.ts";
import type { Examples, Predictions } from "../../src/metrics/index.ts";
import { NO_COLUMNS } from "../metrics/helpers.ts";

/** Two models on the same examples, made so that the true difference of each metric is known or is 0. */
export interface Simulated {
  readonly base: Predictions;
  readonly head: Predictions;
}

export function randomOf(scenario: string, change: number): Random {
  return seeded("simulated pull request", scenario, `${change}`);
}

export function normal(random: Random): number {
  return normalQuantile(uniform(random));
}

/** Of one simulated change, `extra` on both sides: the digests decide the resamples, so each change has digests of its own. */
export function frame(size: number, change: number, extra: Partial<Examples> = {}): { base: Examples; head: Examples } {
  const both = { ...NO_COLUMNS, ...extra, ids: Array.from({ length: size }, (_, row) => `${row}`) };
  const digest = (side: string): Examples["digest"] => `sha256:${side}${change}` as Examples["digest"];
  return { base: { ...both, digest: digest("base") }, head: { ...both, digest: digest("head") } };
}

/** Squashed into (0, 1), so that it can be a probability. */
export function chance(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * Retrained: both sides share how hard an example is and differ by noise of their own. `effect` moves the head's scores
 * of positives; `rate` is the share of positives, of which there is at least one, as of negatives.
 */
export function binaryChange(
  size: number,
  change: number,
  random: Random,
  { noise = 0.7, effect = 0, rate = 0.4 } = {},
): Simulated {
  const { base, head } = frame(size, change);
  const label = Uint8Array.from({ length: size }, () => (uniform(random) < rate ? 1 : 0));
  label[0] = 1;
  label[1] = 0;
  const shared = Float64Array.from(label, (one) => (one === 1 ? 0.9 : -0.9) + normal(random));
  const side = (columns: Examples, shift: number): Predictions => {
    const score = Float64Array.from(shared, (one, row) => chance(one + noise * normal(random) + shift * label[row]!));
    const prediction = Uint8Array.from(score, (one) => (one >= 0.5 ? 1 : 0));
    return { ...columns, task: "binary", label, prediction, score };
  };
  return { base: side(base, 0), head: side(head, effect) };
}

export function multiclassChange(size: number, change: number, random: Random): Simulated {
  const { base, head } = frame(size, change);
  const classes = ["ant", "bee", "cat", "dog"];
  const label = Int32Array.from({ length: size }, () => Math.floor(4 * uniform(random) ** 1.5));
  const shared = Array.from(label, (truth) => classes.map((_, one) => (one === truth ? 1 : 0) + normal(random)));
  const side = (columns: Examples): Predictions => {
    const answers = shared.map((row) => {
      const raw = row.map((one) => Math.exp(one + 0.7 * normal(random)));
      const sum = raw.reduce((all, one) => all + one, 0);
      return raw.map((one) => one / sum);
    });
    return {
      ...columns,
      task: "multiclass",
      classes,
      label,
      prediction: Int32Array.from(answers, (row) => row.indexOf(Math.max(...row))),
      scores: classes.map((_, one) => Float64Array.from(answers, (row) => row[one]!)),
    };
  };
  return { base: side(base), head: side(head) };
}

/** Errors of the head are normal with a deviation of `scale` times the base's, which is 1; they share `shared`. */
export function regressionChange(size: number, change: number, random: Random, scale = 1, shared = 0.7): Simulated {
  const { base, head } = frame(size, change);
  const label = Float64Array.from({ length: size }, () => 10 + 2 * normal(random));
  const common = Float64Array.from(label, () => normal(random));
  const own = Math.sqrt(1 - shared ** 2);
  const side = (columns: Examples, deviation: number): Predictions => {
    const prediction = label.map((truth, row) => truth + deviation * (shared * common[row]! + own * normal(random)));
    return { ...columns, task: "regression", label, prediction };
  };
  return { base: side(base, 1), head: side(head, scale) };
}

/** The same change on test sets that have no example in common. */
export function elsewhere({ base, head }: Simulated, { head: other }: Simulated): Simulated {
  const ids = Array.from({ length: other.ids.length }, (_, row) => `other ${row}`);
  return { base, head: { ...other, ids, digest: head.digest } };
}

/** Differences of absolute errors are normal with this mean and deviation 1: the theory of a mean holds exactly. */
export function meanChange(size: number, change: number, random: Random, mean: number): Simulated {
  const { base, head } = frame(size, change);
  const label = new Float64Array(size);
  const side = (columns: Examples, of: () => number): Predictions => ({
    ...columns,
    task: "regression",
    label,
    prediction: label.map(of),
  });
  return { base: side(base, () => 10), head: side(head, () => 10 + mean + normal(random)) };
}

/** Few answers change at all: each of `flips` examples, on average, flips to right or to wrong with equal chance. */
export function rareChange(size: number, flips: number, change: number, random: Random): Simulated {
  const { base, head } = frame(size, change);
  const label = Uint8Array.from({ length: size }, () => (uniform(random) < 0.4 ? 1 : 0));
  const before = label.map((one) => (uniform(random) < 0.85 ? one : 1 - one));
  const after = before.slice();
  // Right and wrong ones are exchangeable: which side has which answer is a coin's choice.
  for (let row = 0; row < size; row++) {
    if (uniform(random) >= flips / size) continue;
    const right = uniform(random) < 0.5;
    before[row] = right ? label[row]! : 1 - label[row]!;
    after[row] = 1 - before[row]!;
  }
  const side = (columns: Examples, prediction: Uint8Array): Predictions => ({
    ...columns,
    task: "binary",
    label,
    prediction,
    score: null,
  });
  return { base: side(base, before), head: side(head, after) };
}
