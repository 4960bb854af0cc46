import { expect, test } from "vitest";
import { delong, placements } from "../../src/statistics/index.ts";
import type { Placements } from "../../src/statistics/index.ts";

const LABEL = [1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1];
const ONE = [
  1.6, 2.4, 0.6, 0.8, 0.8, 0.4, 0.9, 2.4, -0.4, 1.2, 1.0, 0.6, 0.6, -0.2, 0.2, 1.1, 0.1, 0.9, -0.3, -0.2, -1.3, 1.0,
  0.6, 0.0, -0.1, 0.4, -1.1, -0.3, 0.6, -0.2,
];
const TWO = [
  0.9, 1.4, 0.0, 0.4, 1.6, 0.0, -0.3, 0.2, -0.4, 0.6, 1.0, -0.0, 0.2, -0.7, -0.3, 1.0, -0.0, 0.6, 1.5, 0.5, -2.0, 2.0,
  0.8, -0.6, 0.9, 0.3, -1.2, -0.5, -0.4, 0.1,
];

test("AUCs and standard errors are those of the definition, by numpy on the matrix of all pairs", () => {
  const [one, two] = [placements(LABEL, ONE), placements(LABEL, TWO)] as [Placements, Placements];
  expect([one.auc, two.auc]).toEqual([expect.closeTo(0.5446428571428572, 12), expect.closeTo(0.6116071428571429, 12)]);
  expect(delong(one, two, true).error).toBeCloseTo(0.09948602214796681, 12);
  expect(delong(two, one, true).error).toBeCloseTo(0.09948602214796681, 12);
  expect(delong(one, two, false).error).toBeCloseTo(0.15772265198436017, 12);
  expect(delong(one, one, true).error).toBe(0);
});

test("one class has no AUC", () => {
  expect(placements([1, 1], [0.2, 0.3])).toBeNull();
  expect(placements([], [])).toBeNull();
});
