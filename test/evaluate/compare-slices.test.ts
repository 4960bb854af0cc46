import { expect, test } from "vitest";
import { compareModels, compareSlices } from "../../src/evaluate/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { benjaminiHochberg, holm } from "../../src/statistics/index.ts";
import { binary, noise } from "../metrics/helpers.ts";

const SIZE = 600;
const LABELS = Array.from({ length: SIZE }, (_, row) => (row % 3 === 0 ? 1 : 0));
const REGION = {
  values: ["north", "south", "none", "tiny"],
  code: Int32Array.from(LABELS, (_, row) => (row < 4 ? 3 : row % 2)),
};

/** `north` has a skill of its own. */
function model(seed: number, north: number): Predictions {
  const random = noise(seed);
  const made = binary(LABELS, (row, label) => {
    const skill = row % 2 === 0 ? north : 0.3;
    return skill * label + (1 - skill) * random();
  });
  return { ...made, slices: { region: REGION } };
}

const METRICS = ["accuracy", "roc_auc", "log_loss"];
const sides = { base: model(1, 0.2), head: model(2, 0.6), metrics: METRICS, resamples: 400 };

test("each slice is compared as a test set of its own, in one family of tests", () => {
  const { slices, correction } = compareSlices(sides);
  expect(slices.map(({ column, value, examples }) => [column, value, examples])).toEqual([
    ["region", "north", 298],
    ["region", "south", 298],
    ["region", "tiny", 4],
  ]);
  const [north, south, tiny] = slices;
  expect(
    north!.metrics.every(
      ({ adjusted, difference, direction }) => adjusted! < 0.05 && difference! > 0 === (direction === "higher"),
    ),
  ).toBe(true);
  expect(south!.metrics.every(({ adjusted }) => adjusted! > 0.05)).toBe(true);
  for (const { interval, p, note } of tiny!.metrics)
    expect([interval, p, note]).toEqual([null, null, "too few examples for an interval"]);
  expect(correction).toEqual({ method: "holm", tests: 6 });
  const tested = [...north!.metrics, ...south!.metrics];
  expect(tested.map(({ adjusted }) => adjusted)).toEqual(holm(tested.map(({ p }) => p!)));
});

test("a slice of everything says what the comparison of everything says", () => {
  const all = { all: { values: ["x"], code: new Int32Array(SIZE) } };
  const [slice] = compareSlices({ ...sides, slices: all }).slices;
  const whole = compareModels(sides);
  for (const [index, metric] of slice!.metrics.entries()) {
    const expected = whole.metrics[index]!;
    expect(metric).toMatchObject({ base: expected.base, head: expected.head, test: expected.test });
    expect(metric.interval![0]).toBeCloseTo(expected.interval![0], 1);
  }
});

test("a slice's numbers do not hang on the other slices; the correction does", () => {
  const odd = { values: ["even", "odd"], code: Int32Array.from(LABELS, (_, row) => row % 2) };
  const alone = compareSlices({ ...sides, slices: { odd } }).slices;
  const among = compareSlices({ ...sides, slices: { region: REGION, odd } }).slices.filter(
    ({ column }) => column === "odd",
  );
  const bare = (slices: typeof alone): unknown =>
    slices.map(({ metrics }) => metrics.map((metric) => ({ ...metric, adjusted: null })));
  expect(bare(among)).toEqual(bare(alone));
  expect(among[1]!.metrics[0]!.adjusted).toBeGreaterThanOrEqual(alone[1]!.metrics[0]!.adjusted!);
});

test("what was found by search is corrected by Benjamini and Hochberg", () => {
  const correct = { method: "benjamini-hochberg", adjust: benjaminiHochberg } as const;
  const { slices, correction } = compareSlices({ ...sides, correct });
  expect(correction).toEqual({ method: "benjamini-hochberg", tests: 6 });
  const tested = slices.flatMap(({ metrics }) => metrics).filter(({ p }) => p !== null);
  expect(tested.map(({ adjusted }) => adjusted)).toEqual(benjaminiHochberg(tested.map(({ p }) => p!)));
});

test("different test sets have values and intervals by slice, and no tests", () => {
  const head = { ...sides.head, ids: LABELS.map((_, row) => `other${row}`) };
  const { slices, correction } = compareSlices({ ...sides, head });
  expect(correction).toBeNull();
  expect(slices[0]!.metrics[0]).toMatchObject({ p: null, adjusted: null, test: null });
  expect(slices[0]!.metrics[0]!.interval![0]).toBeGreaterThan(0);
});
