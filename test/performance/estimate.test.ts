import { expect, test } from "vitest";
import { estimate } from "../../src/performance/estimate.ts";
import type { Samples } from "../../src/performance/interleave.ts";
import { seeded } from "../../src/statistics/index.ts";
import { noise } from "../metrics/helpers.ts";

const RANDOM = (): ReturnType<typeof seeded> => seeded("test");

/** 40 blocks of 10 requests; each block has a pace of its own, as a machine that others use as well. */
function samples(ms: number, next: () => number, paces: readonly number[]): Samples {
  return {
    latencies: paces.map((pace) => Float64Array.from({ length: 10 }, () => ms * pace * (1 - Math.log(1 - next()) / 5))),
    batches: paces.map((pace) => ({ rows: 320, ms: ms * pace * 40 * (0.95 + next() / 10) })),
  };
}
const pacesOf = (next: () => number): number[] => Array.from({ length: 40 }, () => 0.7 + 0.6 * next());

test("percentiles are those of all times, and throughput is rows by time", () => {
  const latencies = [Float64Array.from([4, 1, 3]), Float64Array.from([2, 10, 5, 6, 7, 8, 9])];
  const batches = [
    { rows: 64, ms: 10 },
    { rows: 64, ms: 30 },
  ];
  const { candidate, reference, ratios } = estimate({ latencies, batches }, null, RANDOM());
  expect(candidate).toMatchObject({ p50: { value: 5 }, p95: { value: 10 }, throughput: { value: 3200 } });
  expect([reference, ratios]).toEqual([null, null]);
});

test("what runs beside itself is 1 times as fast, without doubt", () => {
  const next = noise(1);
  const own = samples(3, next, pacesOf(next));
  const { ratios } = estimate(own, own, RANDOM());
  for (const ratio of Object.values(ratios ?? {})) expect(ratio).toEqual({ value: 1, low: 1, high: 1 });
});

test("the same samples give the same intervals", () => {
  const make = (): ReturnType<typeof estimate> => {
    const next = noise(2);
    return estimate(samples(1, next, pacesOf(next)), samples(1.1, next, pacesOf(next)), RANDOM());
  };
  expect(make()).toEqual(make());
});

test("the interval of a ratio holds the truth about as often as it says, also where blocks differ in pace", () => {
  const truth = 1.25;
  let [held, wide] = [0, 0];
  const RUNS = 20;
  for (let seed = 0; seed < RUNS; seed++) {
    const next = noise(seed + 10);
    const paces = pacesOf(next);
    const { ratios } = estimate(samples(truth, next, paces), samples(1, next, paces), seeded("cover", String(seed)));
    const { low = 0, high = 0 } = ratios?.p50 ?? {};
    if (low <= truth && truth <= high) held++;
    if (high - low > 0.5) wide++;
  }
  // Binomial: 16 or fewer of 20 would be seen in about one of 60.
  expect(held).toBeGreaterThan(16);
  expect(wide).toBe(0);
}, 60_000);
