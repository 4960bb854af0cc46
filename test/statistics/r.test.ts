/** Held against R: `golden/statistics.R` makes the cases, `r.system.test.ts` makes them again where R is installed. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compareSeeds, mcnemar, nonInferior, verdictOf } from "../../src/evaluate/index.ts";
import {
  acceleration,
  benjaminiHochberg,
  chiSquareTail,
  delong,
  holm,
  jackknife,
  normalQuantile,
  normalTail,
  placements,
  quantile,
  resampled,
  studentQuantile,
  studentTail,
} from "../../src/statistics/index.ts";
import type { Placements, Shape } from "../../src/statistics/index.ts";

type Numbers = readonly number[];
interface Boot {
  readonly estimate: number;
  readonly drawn: Numbers;
  readonly strata: Numbers;
  readonly columns: readonly Numbers[];
  readonly variance: number;
}
interface Golden {
  readonly mcnemar: readonly { readonly fixed: number; readonly broken: number; readonly p: number }[];
  readonly delong: readonly {
    readonly paired: 0 | 1;
    readonly label: Numbers;
    readonly base: Numbers;
    readonly other: Numbers;
    readonly head: Numbers;
    readonly auc: readonly [number, number];
    readonly wilcoxon: number;
    readonly error: number;
    readonly p: number;
  }[];
  readonly boot: Record<
    "mean" | "ratio",
    Boot & {
      readonly acceleration: number;
      readonly percentile: readonly [number, number];
      readonly places: readonly [number, number];
      readonly bca: readonly [number, number];
    }
  > & { readonly strata: Boot };
  readonly t: readonly {
    readonly base: Numbers;
    readonly head: Numbers;
    readonly paired: 0 | 1;
    readonly margin: number;
    readonly difference: number;
    readonly p: number;
    readonly interval: readonly [number, number];
    readonly inner: readonly [number, number];
    readonly of_base: readonly [number, number];
    readonly above: number;
    readonly below: number;
  }[];
  readonly adjust: readonly { readonly p: Numbers; readonly holm: Numbers; readonly bh: Numbers }[];
  readonly tails: {
    readonly t: readonly { readonly at: number; readonly df: number; readonly tail: number }[];
    readonly t_quantile: readonly { readonly share: number; readonly df: number; readonly at: number }[];
    readonly normal: readonly { readonly share: number; readonly at: number }[];
    readonly chi_square: readonly { readonly at: number; readonly df: number; readonly tail: number }[];
  };
  readonly quantiles: { readonly values: Numbers; readonly shares: Numbers; readonly at: Numbers };
}

const golden = JSON.parse(readFileSync(new URL("golden/statistics.json", import.meta.url), "utf8")) as Golden;

/** To 1e-9 of the number itself, so that small p-values are held as tightly as large ones. */
function same(found: number | null | undefined, expected: number, what = ""): void {
  expect(Math.abs((found ?? Number.NaN) - expected), `${what}: ${found} for ${expected}`).toBeLessThanOrEqual(
    1e-9 * Math.max(Math.abs(expected), Number.MIN_VALUE),
  );
}

test("exact McNemar: binom.test", () => {
  for (const { fixed, broken, p } of golden.mcnemar) same(mcnemar(fixed, broken), p, `${fixed}, ${broken}`);
});

test("DeLong, paired and of different examples, with ties: pROC; AUC: wilcox.test", () => {
  for (const { paired, label, base, other, head, auc, wilcoxon, error, p } of golden.delong) {
    const [before, after] = [placements(label, base), placements(other, head)] as [Placements, Placements];
    same(before.auc, auc[0]);
    same(before.auc, wilcoxon);
    same(after.auc, auc[1]);
    const { error: found } = delong(before, after, paired === 1);
    same(found, error);
    same(2 * normalTail(Math.abs(after.auc - before.auc) / found), p);
  }
});

const sum = (values: Numbers): number => values.reduce((all, one) => all + one, 0);

function shapeOf({ columns, strata }: Boot, statistic: (sums: Numbers) => number): Shape {
  const starts = [...strata.keys()].filter((row) => strata[row] !== strata[row - 1]);
  const ends = [...starts, strata.length];
  return jackknife({ starts: ends, times: null }, (unit, size, stratum) =>
    statistic(
      columns.map((column) => {
        const own = sum(column.slice(ends[stratum], ends[stratum + 1]));
        return sum(column) - column[unit]! + (own - column[unit]!) / (size - 1);
      }),
    ),
  );
}

test.each([
  { name: "mean" as const, statistic: ([x = 0]: Numbers) => x / 40 },
  { name: "ratio" as const, statistic: ([y = 0, x = 0]: Numbers) => y / x },
])("bootstrap of a $name: boot's jackknife, percentile and BCa bounds", ({ name, statistic }) => {
  const one = golden.boot[name];
  same(statistic(one.columns.map(sum)), one.estimate);
  const shape = shapeOf(one, statistic);
  same(shape.second, one.variance);
  same(acceleration(shape), one.acceleration);
  // So many units that nothing is widened for a small sample: boot has no such step.
  const large = { ...shape, unbiased: shape.second, uncertain: 0, units: 1e15, fourth: 0 };
  const sorted = Float64Array.from(one.drawn).sort();
  resampled(one.estimate, sorted, large, "percentile")
    .interval(0.95)
    .forEach((bound, side) => same(bound, one.percentile[side]!));
  const bounds = resampled(one.estimate, sorted, large, "bca").interval(0.95);
  bounds.forEach((bound, side) => {
    const place = one.places[side]!;
    const [low, high] = [sorted[Math.floor(place) - 1]!, sorted[Math.ceil(place) - 1]!];
    same(bound, low + (high - low) * (place - Math.floor(place)), `place ${place}`);
    expect(one.bca[side]).toBeGreaterThanOrEqual(low);
    expect(one.bca[side]).toBeLessThanOrEqual(high);
  });
});

test("the variance of an estimate from strata: boot's var.linear", () => {
  same(shapeOf(golden.boot.strata, ([x = 0]) => x / 35).second, golden.boot.strata.variance);
});

test("seeds, paired and Welch: t.test; equivalent and non-inferior: two t.tests against the margin", () => {
  const bySeed = (values: Numbers, from = 0): Record<string, number> =>
    Object.fromEntries(values.map((value, at) => [`${from + at}`, value]));
  for (const one of golden.t) {
    const [found] = compareSeeds([
      { base: bySeed(one.base), head: bySeed(one.head, one.paired ? 0 : 100), direction: "higher" },
    ]);
    expect(found?.paired).toBe(one.paired === 1);
    same(found?.difference, one.difference);
    same(found?.adjusted, one.p);
    found?.interval?.forEach((bound, side) => same(bound, one.interval[side]!));
    found?.base?.interval?.forEach((bound, side) => same(bound, one.of_base[side]!));
    const { margin, inner, difference } = one;
    const told = { difference, direction: "higher" as const, adjusted: 1, inner, margin };
    expect(verdictOf(told) === "equivalent").toBe(Math.max(one.above, one.below) < 0.05);
    expect(nonInferior("higher", inner, margin)).toBe(one.above < 0.05);
    expect(nonInferior("lower", inner, margin)).toBe(one.below < 0.05);
  }
  const verdicts = golden.t.map(({ above, below }) => Math.max(above, below) < 0.05);
  expect(new Set(verdicts).size).toBe(2);
});

test("Holm and Benjamini-Hochberg: p.adjust", () => {
  for (const { p, holm: byHolm, bh } of golden.adjust) {
    holm(p).forEach((one, at) => same(one, byHolm[at]!));
    benjaminiHochberg(p).forEach((one, at) => same(one, bh[at]!));
  }
});

test("distributions: pt, qt, qnorm, pchisq; quantiles: type 7", () => {
  for (const { at, df, tail } of golden.tails.t) same(studentTail(at, df), tail, `t ${at}, ${df}`);
  for (const { share, df, at } of golden.tails.t_quantile) same(studentQuantile(share, df), at, `t ${share}, ${df}`);
  for (const { share, at } of golden.tails.normal) same(normalQuantile(share), at, `normal ${share}`);
  for (const { at, df, tail } of golden.tails.chi_square) same(chiSquareTail(at, df), tail, `chi-square ${at}, ${df}`);
  const sorted = Float64Array.from(golden.quantiles.values);
  golden.quantiles.shares.forEach((share, index) => same(quantile(sorted, share), golden.quantiles.at[index]!));
});
