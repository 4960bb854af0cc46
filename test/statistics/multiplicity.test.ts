import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benjaminiHochberg, holm, quantile } from "../../src/statistics/index.ts";

interface Golden {
  readonly holm: readonly (readonly [readonly number[], readonly number[]])[];
  readonly quantiles: { readonly values: readonly number[]; readonly at: readonly (readonly [number, number])[] };
}

/** Values of scipy and numpy; `test/metrics/golden/make.py` makes them. */
const golden = JSON.parse(readFileSync(new URL("../metrics/golden/golden.json", import.meta.url), "utf8")) as Golden;

test("Holm's correction and quantiles have the reference values", () => {
  for (const [values, adjusted] of golden.holm) {
    holm(values).forEach((value, index) => expect(value).toBeCloseTo(adjusted[index] ?? -1, 12));
  }
  const sorted = Float64Array.from(golden.quantiles.values);
  for (const [at, value] of golden.quantiles.at) expect(quantile(sorted, at)).toBeCloseTo(value, 12);
});

test("with more to look at, more evidence is needed", () => {
  expect(holm(Array.from({ length: 60 }, () => 0.001)).every((p) => p > 0.05)).toBe(true);
});

// scipy.stats.false_discovery_control
test.each([
  [
    [0.01, 0.04, 0.03, 0.5, 0.005],
    [0.025, 0.05, 0.05, 0.5, 0.025],
  ],
  [
    [0.001, 0.2, 0.03, 0.03, 0.9, 0.0004],
    [0.003, 0.24, 0.045, 0.045, 0.9, 0.0024],
  ],
  [
    [0.9, 0.95],
    [0.95, 0.95],
  ],
  [[], []],
])("Benjamini-Hochberg of %j", (values, expected) => {
  const adjusted = benjaminiHochberg(values);
  expect(adjusted).toHaveLength(expected.length);
  for (const [index, q] of adjusted.entries()) expect(q).toBeCloseTo(expected[index]!, 12);
});
