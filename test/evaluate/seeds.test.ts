import { expect, test } from "vitest";
import { compareSeeds } from "../../src/evaluate/index.ts";
import type { BySeed, SeedComparison } from "../../src/evaluate/index.ts";

const values = (list: readonly number[], first = 1): BySeed =>
  Object.fromEntries(list.map((value, index) => [String(first + index), value]));
const BEFORE = values([0.912, 0.905, 0.921, 0.899, 0.915, 0.908]);
const AFTER = values([0.921, 0.917, 0.926, 0.912, 0.919, 0.92]);

function compare(base: BySeed | null, head: BySeed, direction: "higher" | "lower" | null = "higher"): SeedComparison {
  return compareSeeds([{ base, head, direction }])[0] as SeedComparison;
}

test("the same seeds on both sides: SciPy's ttest_rel and its interval, and t.interval of each side", () => {
  const made = compare(BEFORE, AFTER);
  expect(made).toMatchObject({ paired: true, verdict: "better", note: null, base: { n: 6 }, head: { n: 6 } });
  expect(made.difference).toBeCloseTo(0.009166666666666656, 12);
  expect(made.adjusted).toBeCloseTo(0.0021409209710407753, 10);
  expect(made.interval?.[0]).toBeCloseTo(0.005106738474093687, 10);
  expect(made.interval?.[1]).toBeCloseTo(0.013226594859239663, 10);
  expect(made.base?.interval?.[0]).toBeCloseTo(0.9018711064875328, 10);
  expect(made.base?.interval?.[1]).toBeCloseTo(0.9181288935124675, 10);
});

test("other seeds: SciPy's ttest_ind without equal variances; few of them are said to be rough", () => {
  const made = compare(BEFORE, values([0.931, 0.917, 0.926, 0.912], 10));
  expect(made).toMatchObject({ paired: false, verdict: "no-evidence", note: "rough: 4 seeds" });
  expect(made.adjusted).toBeCloseTo(0.07383740183192455, 10);
  expect(made.interval?.[0]).toBeCloseTo(-0.0015080410196593695, 10);
  expect(made.interval?.[1]).toBeCloseTo(0.024508041019659057, 10);
});

test("what cannot be judged is not, and says why", () => {
  const noise = "its noise is not known";
  expect(compare(values([0.9]), values([0.95]))).toMatchObject({ verdict: null, interval: null });
  expect(compare(values([0.9]), values([0.95])).note).toBe(`one seed: ${noise}`);
  expect(compare(values([0.9, 0.9]), values([0.95, 0.95])).note).toBe(`the same for every seed: ${noise}`);
  expect(compare(null, AFTER)).toMatchObject({ base: null, difference: null, note: "the base has no values by seed" });
  expect(compare(BEFORE, AFTER, null)).toMatchObject({ verdict: null, note: "which way is good is not known" });
  expect(compare(BEFORE, BEFORE)).toMatchObject({ difference: 0, adjusted: 1, verdict: "no-evidence" });
});

test("inside a margin by the 90 % interval it is equivalent; SciPy's bounds of both one-sided tests", () => {
  // scipy.stats.ttest_rel(after, before).confidence_interval(0.9), of values whose difference is 0.0005 in the mean.
  const head = values([0.913, 0.904, 0.922, 0.9, 0.914, 0.91]);
  const at = (margin: number): string | null | undefined =>
    compareSeeds([{ base: BEFORE, head, direction: "higher", margin }])[0]?.verdict;
  expect(at(0.001507524186666513 + 1e-9)).toBe("equivalent");
  expect(at(0.001507524186666513 - 1e-9)).toBe("no-evidence");
});

test("a loss that falls is better, and several metrics are corrected together", () => {
  expect(compare(AFTER, BEFORE, "lower")).toMatchObject({ verdict: "better" });
  const one = { base: BEFORE, head: AFTER, direction: "higher" } as const;
  const many = compareSeeds(Array.from({ length: 30 }, () => one));
  expect(many[0]?.adjusted).toBeCloseTo(30 * 0.0021409209710407753, 8);
  expect(many.every(({ verdict }) => verdict === "no-evidence")).toBe(true);
});
