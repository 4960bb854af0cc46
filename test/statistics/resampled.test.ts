import { expect, test } from "vitest";
import { acceleration, freedom, jackknife, resampled, seeded } from "../../src/statistics/index.ts";
import type { Shape } from "../../src/statistics/index.ts";

const VALUES = [
  1.679034, 0.108283, 0.771749, -0.133804, -0.585031, -0.232804, -0.012273, -0.525212, -0.567302, 0.400854, 0.508897,
  0.602239, -0.430627, 1.950696, 0.938571, 1.716061, -0.145371, -0.549654, -0.228785, -0.09158, 1.86667, -0.576324,
  -0.514341, 0.238744, -0.311771, 0.047238, 0.630248, -0.577866, 1.388088, -0.599604, 1.902853, 0.315318, -0.359456,
  0.047686, 0.778497, -0.147127, -0.235186, 0.498421, 0.993225, -0.301608,
];
const sum = VALUES.reduce((all, one) => all + one, 0);
const mean = sum / VALUES.length;
const shape = jackknife(
  { starts: [0, VALUES.length], times: null },
  (unit) => (sum - VALUES[unit]!) / (VALUES.length - 1),
);

function meansOf(resamples: number): Float64Array {
  const random = seeded("resampled");
  const drawn = (): number => VALUES[Math.floor(((random.next() >>> 0) / 2 ** 32) * VALUES.length)]!;
  const one = (): number => VALUES.reduce((all) => all + drawn(), 0) / VALUES.length;
  return Float64Array.from({ length: resamples }, one).sort();
}
const sorted = meansOf(40_000);

/** So many units that nothing has to be widened for a small sample: what SciPy computes. */
const large: Shape = { ...shape, unbiased: shape.second, uncertain: 0, units: 1e9, fourth: 0 };

test("acceleration and BCa bounds are scipy.stats.bootstrap's", () => {
  expect(acceleration(shape)).toBeCloseTo(0.022991, 6);
  const [low, high] = resampled(mean, sorted, large, "bca").interval(0.95);
  expect(low).toBeCloseTo(0.04015, 2);
  expect(high).toBeCloseTo(0.52113, 2);
  const [from, to] = resampled(mean, sorted, large, "percentile").interval(0.95);
  expect(from).toBeCloseTo(0.02645, 2);
  expect(to).toBeCloseTo(0.50324, 2);
});

test.each(["bca", "percentile", "normal"] as const)(
  "p of %s is the level at which the interval touches 0",
  (method) => {
    const { p, interval } = resampled(mean, sorted, shape, method);
    expect(p).toBeLessThan(0.05);
    expect(interval(1 - p)[0]).toBeCloseTo(0, 2);
    expect(interval(1 - p / 2)[0]).toBeLessThan(0);
    const mirrored = resampled(-mean, sorted.map((value) => -value).sort(), { ...shape, third: -shape.third }, method);
    expect(mirrored.p).toBeCloseTo(p, 10);
    expect(mirrored.interval(0.9)[1]).toBeCloseTo(-interval(0.9)[0], 10);
  },
);

test("the standard deviation's interval of a small sample is as wide as Student's", () => {
  const few = { units: 5, strata: 1, second: 1, unbiased: 5 / 4, uncertain: 25 / 64, third: 0, fourth: 1 / 5 };
  expect(freedom(few)).toBe(4);
  const [low, high] = resampled(mean, sorted, few, "normal").interval(0.95);
  const deviation = Math.sqrt(VALUES.reduce((all, one) => all + (one - mean) ** 2, 0)) / VALUES.length;
  // t(0.975, 4) = 2.7764 and the factor that makes a deviation of n into one of n - 1.
  expect((high - low) / 2 / (2.7764 * Math.sqrt(5 / 4) * deviation)).toBeCloseTo(1, 1);
});

test("where no sample reaches 0, p goes on along the normal curve; it is never 0", () => {
  const far = (by: number): number =>
    resampled(
      mean + by,
      sorted.map((one) => one + by),
      shape,
      "bca",
    ).p;
  expect(far(0.5)).toBeLessThan(1 / 40_000);
  expect(far(0.7)).toBeLessThan(far(0.5));
  expect(far(0.7)).toBeGreaterThan(0);
});

test("what never varies is judged by its number alone", () => {
  const still = { units: 4, strata: 1, second: 0, unbiased: 0, uncertain: 0, third: 0, fourth: 0 };
  expect(resampled(0, new Float64Array(100), still, "bca")).toMatchObject({ p: 1 });
  expect(resampled(1, new Float64Array(100).fill(1), still, "bca").p).toBe(1 / 8);
  expect(resampled(1, new Float64Array(100).fill(1), { ...still, units: 50 }, "bca").p).toBeCloseTo(2 / 101, 12);
});
