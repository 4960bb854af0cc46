import { describe, expect, it } from "vitest";
import {
  chiSquareTail,
  kolmogorovTail,
  logGamma,
  normalQuantile,
  normalTail,
  studentQuantile,
  studentTail,
} from "../../src/statistics/index.ts";

// Golden values: SciPy 1.17.
const STUDENT: readonly (readonly [number, number, number])[] = [
  [0.3, 1, 0.4072264209222577],
  [2, 1.5, 0.11209416517802556],
  [2.776, 4, 0.02501138915998821],
  [1.96, 50, 0.027790437027578194],
  [6, 12, 3.108369432429282e-5],
  [4.5, 2e5, 3.3995840922168975e-6],
];

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

  it.each([
    [1e-12, -7.034483825301131],
    [0.001, -3.090232306167813],
    [0.025, -1.9599639845400545],
    [0.3, -0.5244005127080409],
    [0.5, 0],
    [0.9999, 3.7190164854556809],
  ])("the normal quantile at %d", (share, expected) => expect(normalQuantile(share)).toBeCloseTo(expected, 8));

  it.each(STUDENT)("Student's t tail at %d with %d degrees", (t, df, tail) => {
    expect(studentTail(t, df) / tail).toBeCloseTo(1, 7);
    expect(studentQuantile(tail, df) / -t).toBeCloseTo(1, 7);
  });

  it("quantiles end where the tails do", () => {
    for (const quantile of [normalQuantile, (share: number) => studentQuantile(share, 4)])
      expect([quantile(0), quantile(1)]).toEqual([-Infinity, Infinity]);
  });
});
