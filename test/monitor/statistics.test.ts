import { describe, expect, it } from "vitest";
import { chiSquareTail, kolmogorovTail, logGamma, normalTail } from "../../src/monitor/special.ts";
import { adjust, chiSquare, kolmogorovSmirnov, shareTest, stabilityIndex } from "../../src/monitor/statistics.ts";

// Golden values: SciPy 1.17.
describe("special functions", () => {
  it.each([
    [0.3, 1.0957979948180756],
    [1, 0],
    [4.5, 2.4537365708424423],
    [50.2, 145.34654536468477],
  ])("ln Γ(%d)", (x, expected) => expect(logGamma(x)).toBeCloseTo(expected, 9));

  it.each([
    [3.84, 1, 0.05004352124870519],
    [0.5, 3, 0.9188914116546758],
    [25, 10, 0.005345505487134069],
    [200, 100, 1.1784500720979781e-8],
    [80, 19, 1.8596255029858537e-9],
  ])("the chi-square tail at %d with %d degrees", (x, df, expected) =>
    expect(chiSquareTail(x, df) / expected).toBeCloseTo(1, 7),
  );

  it.each([
    [-1, 0.8413447460685429],
    [0, 0.5],
    [1.96, 0.024997895148220435],
    [5, 2.866515718791933e-7],
  ])("the normal tail at %d", (z, expected) => expect(normalTail(z) / expected).toBeCloseTo(1, 7));

  it.each([
    [0.5, 0.9639452436648751],
    [1, 0.26999967167735456],
    [1.36, 0.049485876755377876],
    [2.5, 7.453306344157342e-6],
  ])("the Kolmogorov tail at %d", (x, expected) => expect(kolmogorovTail(x) / expected).toBeCloseTo(1, 7));

  it("stay in [0, 1] at the far ends", () => {
    for (const x of [0, 1e-12, 1e3, 1e6]) {
      for (const p of [chiSquareTail(x, 1), chiSquareTail(x, 500), kolmogorovTail(x), normalTail(x), normalTail(-x)]) {
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe("tests of two samples", () => {
  it("chi-square agrees with SciPy and joins thin bins", () => {
    const { statistic, p } = chiSquare([30, 50, 20], [45, 40, 35]);
    expect(statistic).toBeCloseTo(6.43703703703704, 9);
    expect(p).toBeCloseTo(0.04001429480764793, 9);
    // Thin bins alone would make a statistic out of noise.
    expect(chiSquare([100, 1, 0, 1], [100, 0, 1, 0]).p).toBeGreaterThan(0.3);
    expect(chiSquare([5], [7])).toEqual({ statistic: 0, p: 1 });
    expect(chiSquare([0, 0], [0, 0])).toEqual({ statistic: 0, p: 1 });
  });

  it("Kolmogorov-Smirnov is the largest gap of the two curves", () => {
    const { statistic, p } = kolmogorovSmirnov([50, 50, 0], [25, 50, 25]);
    expect(statistic).toBeCloseTo(0.25, 12);
    expect(p).toBeCloseTo(kolmogorovTail(0.25 * Math.sqrt(50)), 12);
    expect(kolmogorovSmirnov([1, 2], [0, 0]).p).toBe(1);
  });

  it("shares", () => {
    const { statistic, p } = shareTest(5, 100, 15, 100);
    expect(statistic).toBeCloseTo(0.1, 12);
    expect(p).toBeCloseTo(0.018422125454099048, 9);
    expect(shareTest(0, 100, 0, 50).p).toBe(1);
    expect(shareTest(0, 0, 1, 1).p).toBe(1);
  });

  it("the stability index is zero without drift, near its definition with it, and finite with empty bins", () => {
    expect(stabilityIndex([100, 100], [100, 100])).toBe(0);
    const plain = 0.25 * Math.log(0.75 / 0.5) + -0.25 * Math.log(0.25 / 0.5);
    expect(stabilityIndex([1e6, 1e6], [1.5e6, 0.5e6])).toBeCloseTo(plain, 5);
    expect(stabilityIndex([100, 0], [0, 100])).toBeGreaterThan(5);
    expect(Number.isFinite(stabilityIndex([100, 0], [0, 100]))).toBe(true);
  });

  it("adjusts as Benjamini and Hochberg do", () => {
    const expected = [0.025, 0.05, 0.05, 0.5, 0.025];
    for (const [i, q] of adjust([0.01, 0.04, 0.03, 0.5, 0.005]).entries()) expect(q).toBeCloseTo(expected[i]!, 12);
    expect(adjust([])).toEqual([]);
    expect(adjust([0.9, 0.95])).toEqual([0.95, 0.95]);
  });
});
