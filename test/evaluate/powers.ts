import { compareSlices, searchSlices } from "../../src/evaluate/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { binomial, delong, normalTail, placements, studentQuantile, studentTail } from "../../src/statistics/index.ts";
import type { Placements, Random } from "../../src/statistics/index.ts";
import { RESAMPLES, sharesOf } from "./shares.ts";
import { binaryChange, meanChange, normal, randomOf } from "./simulated.ts";
import type { Simulated } from "./simulated.ts";

/** A known effect, and how often theory says that it is found. */
export interface Power {
  readonly name: string;
  readonly test: string;
  readonly theory: number;
  readonly found: (changes: number) => number;
}

function power(
  name: string,
  test: string,
  metric: string,
  theory: number,
  make: (change: number, random: Random) => Simulated,
): Power {
  const found = (changes: number): number => sharesOf({ name, metrics: [metric], make }, changes).called;
  return { name, test, theory, found };
}

export function powers(): Power[] {
  return [
    ...[50, 200].map((size) =>
      power(
        `mean ${0.4 / Math.sqrt(size / 50)} of ${size}`,
        "bootstrap",
        "mae",
        studentPower(0.4 * Math.sqrt(50), size),
        (change, random) => meanChange(size, change, random, 0.4 / Math.sqrt(size / 50)),
      ),
    ),
    ...(
      [
        [300, 0.06, 0.02],
        [1_000, 0.04, 0.02],
      ] as const
    ).map(([size, fixed, broken]) =>
      power(
        `${100 * fixed} % fixed, ${100 * broken} % broken of ${size}`,
        "mcnemar",
        "accuracy",
        mcnemarPower(size, fixed, broken),
        (change, random) => flipped(size, fixed, broken, change, random),
      ),
    ),
    ...(
      [
        [200, 0.35],
        [800, 0.18],
      ] as const
    ).map(([size, effect]) =>
      power(
        `positives' scores up by ${effect}, ${size} examples`,
        "delong",
        "roc_auc",
        delongPower(size, effect),
        (change, random) => binaryChange(size, change, random, { effect }),
      ),
    ),
  ];
}

/** Of the two-sided t-test at 5 % when z has this mean. */
function studentPower(z: number, size: number): number {
  // P(T > t) with T = (Z + z) / sqrt(V / df): averaged over V by the Wilson-Hilferty quantiles of chi-square.
  const df = size - 1;
  const bound = studentQuantile(0.975, df);
  const steps = 400;
  let sum = 0;
  for (let step = 0; step < steps; step++) {
    const at = studentQuantile((step + 0.5) / steps, 1e9);
    const scale = Math.max(0, 1 - 2 / (9 * df) + at * Math.sqrt(2 / (9 * df))) ** 1.5;
    sum += normalTail(bound * scale - z) + normalTail(bound * scale + z);
  }
  return sum / steps;
}

/** Each example is fixed, or broken, with these probabilities. */
function flipped(size: number, fixed: number, broken: number, change: number, random: Random): Simulated {
  const { base, head } = binaryChange(size, change, random);
  const better = binomial(random, size, fixed);
  const worse = binomial(random, size - better, broken / (1 - fixed));
  const label = base.label as Uint8Array;
  const side = (from: Predictions, start: number, end: number): Predictions =>
    ({
      ...from,
      score: null,
      prediction: label.map((one, row) => (row >= start && row < end ? 1 - one : one)),
    }) as Predictions;
  return { base: side(base, 0, better), head: side(head, better, better + worse) };
}

/** Sum over all outcomes that the exact two-sided test at 5 % rejects. */
export function mcnemarPower(n: number, fixed: number, broken: number): number {
  const log = new Float64Array(n + 1);
  for (let k = 2; k <= n; k++) log[k] = log[k - 1]! + Math.log(k);
  // Of so many examples that flipped, the most on the smaller side that the test still rejects.
  const rejected = Array.from({ length: n + 1 }, (_, pairs) => {
    let [k, sum] = [-1, 0];
    for (let next = 0; next <= pairs / 2; next++) {
      sum += Math.exp(log[pairs]! - log[next]! - log[pairs - next]! - pairs * Math.LN2);
      if (2 * sum >= 0.05) break;
      k = next;
    }
    return k;
  });
  let all = 0;
  for (let a = 0; a <= n; a++) {
    for (let b = 0; a + b <= n; b++) {
      if (Math.min(a, b) > rejected[a + b]!) continue;
      const p = log[n]! - log[a]! - log[b]! - log[n - a - b]! + a * Math.log(fixed) + b * Math.log(broken);
      all += Math.exp(p + (n - a - b) * Math.log(1 - fixed - broken));
    }
  }
  return all;
}

/**
 * From the true difference and its standard error, which 10 times 200,000 examples tell: z to 1 %, power to a point.
 */
function delongPower(size: number, effect: number): number {
  const [many, times] = [200_000, 10];
  const of = (side: Predictions): Placements => placements(side.label, (side as { score: Float64Array }).score)!;
  let [difference, error] = [0, 0];
  for (let time = 0; time < times; time++) {
    const { base, head } = binaryChange(many, 0, randomOf(`the truth, ${effect}`, time), { effect });
    const [before, after] = [of(base), of(head)];
    difference += (after.auc - before.auc) / times;
    error += delong(before, after, true).error / times;
  }
  const z = Math.abs(difference) / (error * Math.sqrt(many / size));
  const bound = studentQuantile(0.975, size * 0.8);
  return studentTail(bound - z, 1e9) + studentTail(bound + z, 1e9);
}

/** With slice columns drawn at random, of which none has to do with anything but `special`, where the change acts. */
function sliced(size: number, change: number, random: Random, effect: number): Simulated {
  const values = (count: number, of: string): { values: string[]; code: Int32Array } => ({
    values: Array.from({ length: count }, (_, one) => `${of}${one}`),
    code: Int32Array.from({ length: size }, () => Math.floor(count * uniformOf(random))),
  });
  const slices = { region: values(5, "r"), plan: values(3, "p") };
  const { base, head } = binaryChange(size, change, random);
  if (head.task !== "binary" || base.task !== "binary") throw new TypeError("binary");
  const acts = (row: number): boolean => slices.region.code[row] === 0;
  const worse = head.score!.map((one, row) =>
    acts(row) ? one + effect * (0.5 - one) + effect * 0.05 * normal(random) : one,
  );
  const score = worse.map((one) => Math.min(0.999, Math.max(0.001, one)));
  return { base: { ...base, slices }, head: { ...head, slices, score } };
}

const uniformOf = (random: Random): number => (random.next() >>> 0) / 2 ** 32;

/** Share of reports without effect in which any of 8 slices and 3 metrics is called after Holm's correction. */
export function slicesCalled(changes: number): number {
  let called = 0;
  for (let change = 0; change < changes; change++) {
    const sides = sliced(400, change, randomOf("slices", change), 0);
    const { slices } = compareSlices({ ...sides, metrics: ["accuracy", "f1", "roc_auc"], resamples: RESAMPLES });
    if (slices.some(({ metrics }) => metrics.some(({ adjusted }) => adjusted !== null && adjusted < 0.05))) called++;
  }
  return called / changes;
}

/**
 * Of the slices that a search finds, on average, the share in which nothing happened; and of the reports, the share in
 * which it found the one in which something did.
 */
export function searched(changes: number, effect: number): { false: number; found: number } {
  let [wrong, right] = [0, 0];
  for (let change = 0; change < changes; change++) {
    const found = searchSlices(sliced(600, change, randomOf(`search ${effect}`, change), effect))?.found ?? [];
    const true_ = found.filter(({ parts }) =>
      parts.some(({ column, value }) => effect > 0 && column === "region" && value === "r0"),
    );
    if (found.length > 0) wrong += (found.length - true_.length) / found.length;
    if (true_.length > 0) right++;
  }
  return { false: wrong / changes, found: right / changes };
}
