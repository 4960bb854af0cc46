import { expect, test } from "vitest";
import { binomial, chiSquareTail, logGamma, seeded, uniform } from "../../src/statistics/index.ts";

test("words that differ anywhere give other numbers, the same words the same", () => {
  const first = (...words: string[]): number => seeded(...words).next();
  expect(first("a", "bc")).toBe(first("a", "bc"));
  expect(first("a", "bc")).not.toBe(first("ab", "c"));
});

test("uniform numbers never reach the ends", () => {
  const at = (bits: number): number => uniform({ next: () => bits } as unknown as Parameters<typeof uniform>[0]);
  expect(at(0)).toBeGreaterThan(0);
  expect(at(-1)).toBeLessThan(1);
});

// By waiting times, by rejection, by the complement, and with a mode at the edge.
test.each([
  [5, 0.3],
  [1000, 0.004],
  [60, 0.4],
  [40, 0.93],
  [1_000_000, 0.00002],
])("draws of binomial(%d, %d) have its probabilities", (n, p) => {
  const draws = 20_000;
  const random = seeded("binomial", `${n}`, `${p}`);
  const seen = new Map<number, number>();
  for (let draw = 0; draw < draws; draw++) {
    const k = binomial(random, n, p);
    seen.set(k, (seen.get(k) ?? 0) + 1);
  }
  const choose = (k: number): number => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  const probability = (k: number): number => Math.exp(choose(k) + k * Math.log(p) + (n - k) * Math.log1p(-p));
  let [statistic, cells, rest, restSeen] = [0, 0, 1, draws];
  for (let k = 0; k <= Math.min(n, 100); k++) {
    const expected = draws * probability(k);
    if (expected < 10) continue;
    statistic += ((seen.get(k) ?? 0) - expected) ** 2 / expected;
    cells++;
    rest -= expected / draws;
    restSeen -= seen.get(k) ?? 0;
  }
  if (rest * draws > 1) statistic += (restSeen - rest * draws) ** 2 / (rest * draws);
  expect(chiSquareTail(statistic, cells)).toBeGreaterThan(0.001);
});

test("a large binomial has its mean and variance", () => {
  const random = seeded("large");
  const [n, p, draws] = [1_000_000, 0.3, 20_000];
  const values = Array.from({ length: draws }, () => binomial(random, n, p));
  const mean = values.reduce((sum, one) => sum + one, 0) / draws;
  const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (draws - 1);
  expect(Math.abs(mean - n * p) / Math.sqrt((n * p * (1 - p)) / draws)).toBeLessThan(4);
  expect(variance / (n * p * (1 - p))).toBeCloseTo(1, 1);
});

test("nothing to draw, or nothing left to chance", () => {
  const random = seeded("edge");
  expect([binomial(random, 0, 0.5), binomial(random, 9, 0), binomial(random, 9, 1)]).toEqual([0, 0, 9]);
});
