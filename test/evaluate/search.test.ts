import { expect, test } from "vitest";
import { searchSlices } from "../../src/evaluate/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { binary, noise } from "../metrics/helpers.ts";

const ROWS = 2_000;
const LABELS = Array.from({ length: ROWS }, (_, row) => row % 2);
const slices = (seed: number): Predictions["slices"] => {
  const next = noise(seed);
  const column = (values: string[]): Predictions["slices"][string] => ({
    values,
    code: Int32Array.from(LABELS, () => Math.floor(next() * values.length)),
  });
  return { region: column(["north", "south", "west"]), plan: column(["free", "paid"]), age: column(["old", "young"]) };
};

/** Two sides with noise of their own; the head is worse by `by` where `hit` says so. */
function sides(
  seed: number,
  by: number,
  hit: (row: number, cut: Predictions["slices"]) => boolean,
): {
  base: Predictions;
  head: Predictions;
} {
  const next = noise(seed + 100);
  const cut = slices(seed);
  const side = (loss: (row: number) => number): Predictions => ({
    ...binary(LABELS, (row, label) => {
      const sure = 0.7 + 0.1 * (next() - 0.5) - loss(row);
      return label === 1 ? sure : 1 - sure;
    }),
    slices: cut,
  });
  return { base: side(() => 0), head: side((row) => (hit(row, cut) ? by : 0)) };
}

const is = (cut: Predictions["slices"], column: string, row: number, value: string): boolean =>
  cut[column]?.values[cut[column]?.code[row] ?? 0] === value;

test("a slice that the change hurts is found, by column or by pair, and what it is part of is not told twice", () => {
  const one = searchSlices(sides(1, 0.1, (row, cut) => is(cut, "region", row, "south")));
  expect(one?.found[0]).toMatchObject({ parts: [{ column: "region", value: "south" }] });
  expect(one?.found[0]?.inside).toBeGreaterThan(0.1);
  expect(Math.abs(one?.found[0]?.outside ?? 1)).toBeLessThan(0.02);
  // 3 + 2 + 2 values, and 6 + 6 + 4 pairs.
  expect(one).toMatchObject({ looked: 23, loss: "log loss" });
  const pair = searchSlices(sides(2, 0.15, (row, cut) => is(cut, "plan", row, "free") && is(cut, "age", row, "young")));
  expect(pair?.found[0]?.parts).toEqual([
    { column: "plan", value: "free" },
    { column: "age", value: "young" },
  ]);
  expect(pair?.found.length).toBeLessThanOrEqual(5);
});

test("where the change acts alike everywhere, hardly ever is anything found", () => {
  let reports = 0;
  for (let seed = 0; seed < 60; seed++)
    if ((searchSlices(sides(seed, 0.05, () => true))?.found.length ?? 0) > 0) reports++;
  // 5 % of 60 are 3; more than 9 would be seen once in a thousand times.
  expect(reports).toBeLessThanOrEqual(9);
});

test("nothing is looked at where nothing can be: few rows, other examples, no change", () => {
  const { base, head } = sides(3, 0.1, () => false);
  expect(searchSlices({ base, head: base })).toMatchObject({ found: [], looked: 23 });
  const strangers = { ...head, ids: LABELS.map((_, row) => `x${row}`) };
  expect(searchSlices({ base, head: strangers as Predictions })).toBeNull();
});
