import { expect, test } from "vitest";
import { judgeGates } from "../../src/evaluate/index.ts";
import type { GateInput, GateResult, Reference } from "../../src/evaluate/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { binary } from "../metrics/helpers.ts";

const LABELS = Array.from({ length: 600 }, (_, row) => row % 2);
const REGIONS = ["north", "south", "west", "tiny"];
/** 200 rows each of three regions but for 10 rows of a fourth. */
const regionOf = (row: number): number => (row >= 590 ? 3 : Math.floor(row / 200));
const code = Int32Array.from(LABELS, (_, row) => regionOf(row));

/** Wrong on the first so many rows of each region. */
function model(wrong: Readonly<Record<string, number>>): Predictions {
  const seen = [0, 0, 0, 0];
  const made = binary(LABELS, (row, label) => {
    const region = regionOf(row);
    seen[region] = (seen[region] ?? 0) + 1;
    return ((seen[region] ?? 0) <= (wrong[REGIONS[region] ?? ""] ?? 0) ? 1 - label : label) * 0.6 + 0.2;
  });
  return { ...made, slices: { region: { values: REGIONS, code } } };
}
const reference = (wrong: Readonly<Record<string, number>>): Reference => ({
  kind: "measured",
  predictions: model(wrong),
  numbers: {},
});

function judge(
  gate: GateInput["gates"][number],
  wrong: Readonly<Record<string, number>>,
  more: Partial<GateInput> = {},
): GateResult {
  const [result] = judgeGates({
    gates: [gate],
    candidate: { predictions: model(wrong), numbers: {} },
    base: reference({ north: 10, south: 10, west: 10 }),
    production: { kind: "none", why: "There is no production version yet." },
    files: {},
    resamples: 500,
    ...more,
  });
  if (result === undefined) throw new Error("no result");
  return result;
}

test("a bound on the value holds in each slice that has enough rows", () => {
  const gate = { metric: "accuracy", min: 0.9, slice: "*" } as const;
  expect(judge(gate, { north: 10, south: 20, tiny: 9 })).toMatchObject({
    passed: true,
    rule: "accuracy at least 0.9 in every slice",
    found: "worst is region=south: 0.9; 3 slices judged; 1 of fewer than 30 rows, or without a value: too few to judge",
  });
  expect(judge(gate, { north: 40, south: 30, west: 1 })).toMatchObject({
    passed: false,
    found: expect.stringMatching(/^fails in region=north: 0\.8, region=south: 0\.85; 3 slices judged/),
  });
  expect(judge({ ...gate, slice: "region=south" }, { north: 40 })).toMatchObject({
    passed: true,
    rule: "accuracy at least 0.9 in region=south",
    found: "worst is region=south: 1",
  });
});

test("a loss is judged in each slice by its interval's bound, whatever the rest gains", () => {
  const gate = { metric: "accuracy", max_regression: 0.1, slice: "region" } as const;
  expect(judge(gate, { north: 12, south: 10, west: 10 })).toMatchObject({
    passed: true,
    rule: "accuracy at most 0.1 worse than base in every region",
    found: expect.stringMatching(
      /^worst is region=north: −0\.01 \(95 % interval −0\.\d+ to [+−]?0[.\d]*\); 3 slices judged/,
    ),
  });
  // Overall it is better; in the south a loss of 0.1 is not ruled out.
  const mixed = judge(gate, { north: 0, south: 26, west: 0 });
  expect(mixed).toMatchObject({ passed: false, found: expect.stringMatching(/^fails in region=south: −0\.08 \(/) });
});

test("Holm makes the same slice harder to pass among others that are as uncertain", () => {
  const wrong = { north: 20, south: 20, west: 20 };
  const base = reference({});
  const bound = (slice: string, max_regression: number): boolean =>
    judge({ metric: "accuracy", max_regression, slice }, wrong, { base }).passed;
  const least = (slice: string): number => {
    let [fails, passes] = [0.1, 0.3];
    while (passes - fails > 0.002) {
      const middle = (fails + passes) / 2;
      if (bound(slice, middle)) passes = middle;
      else fails = middle;
    }
    return passes;
  };
  expect(least("region")).toBeGreaterThan(least("region=south"));
  // Not as much as Bonferroni over thrice as many would: the bound is within a third of the interval's half.
  expect(least("region") - least("region=south")).toBeLessThan(0.02);
});

test("a slice that has to have rows fails without them; one that is nowhere has none", () => {
  const gate = { metric: "accuracy", max_regression: 0.1, slice: "*", min_rows: 50 } as const;
  expect(judge(gate, { north: 10, south: 10, west: 10 })).toMatchObject({
    passed: false,
    rule: "accuracy at most 0.1 worse than base in every slice of at least 50 rows",
    found: expect.stringMatching(/^too few rows: region=tiny has 10; worst is region=/),
  });
  const east = { metric: "accuracy", min: 0.9, slice: "region=east" } as const;
  expect(judge(east, {})).toMatchObject({ passed: true, found: expect.stringContaining("too few to judge") });
  expect(judge({ ...east, min_rows: 1 }, {})).toMatchObject({
    passed: false,
    found: expect.stringMatching(/^too few rows: region=east has 0/),
  });
});

test("nothing changed passes at 0; a first version passes; what cannot be sliced fails and says so", () => {
  const gate = { metric: "accuracy", max_regression: 0, slice: "*" } as const;
  expect(judge(gate, { north: 10, south: 10, west: 10 }).passed).toBe(true);
  expect(judge({ ...gate, against: "production" }, {})).toMatchObject({
    passed: true,
    found: "There is no production version yet.",
  });
  expect(judge({ ...gate, metric: "latency_ms" }, {})).toMatchObject({
    passed: false,
    found: "latency_ms is not computed from predictions, so there is nothing to slice",
  });
  expect(judge({ ...gate, slice: "plan" }, {})).toMatchObject({
    passed: false,
    found: "the predictions have no slice column plan",
  });
});
