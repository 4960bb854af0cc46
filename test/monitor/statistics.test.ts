import { describe, expect, it } from "vitest";
import { kolmogorovTail } from "../../src/statistics/index.ts";
import { chiSquare, kolmogorovSmirnov, shareTest, stabilityIndex } from "../../src/monitor/statistics.ts";

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
});
