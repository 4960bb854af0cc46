import { expect, test } from "vitest";
import { compareModels } from "../../src/evaluate/index.ts";
import { findMetric, selectRows } from "../../src/metrics/index.ts";
import type { BinaryPredictions, Predictions } from "../../src/metrics/index.ts";
import { seeded, studentQuantile, uniform } from "../../src/statistics/index.ts";
import { binaryChange, multiclassChange, regressionChange } from "./simulated.ts";
import type { Simulated } from "./simulated.ts";
import { groupedChange } from "./simulated-groups.ts";

const random = seeded("groups");
const rounded = (side: Predictions): Predictions =>
  side.task === "binary" ? { ...side, score: side.score!.map((one) => Math.round(10 * one) / 10) } : side;

test.each([
  { name: "roc_auc", from: rounded(binaryChange(40, 1, random).base) },
  { name: "average_precision", from: rounded(binaryChange(40, 2, random).base) },
  { name: "ece", from: binaryChange(40, 3, random).base },
  { name: "roc_auc_ovr", from: multiclassChange(60, 4, random).base },
  { name: "median_ae", from: regressionChange(41, 5, random).base },
  { name: "max_error", from: regressionChange(41, 6, random).base },
])("$name of drawn rows is that of a file in which each stands as often as it was drawn", ({ name, from }) => {
  const metric = findMetric(from, name)!;
  const value = metric.prepare(from);
  for (let trial = 0; trial < 20; trial++) {
    const drawn = Float64Array.from({ length: from.ids.length }, () => Math.floor(4 * uniform(random)));
    const rows = Int32Array.from([...drawn].flatMap((times, row) => Array.from({ length: times }, () => row)));
    const written = metric.prepare(selectRows(from, rows))(new Float64Array(rows.length).fill(1));
    expect(value(drawn)).toBeCloseTo(written!, 12);
    const inOrder = metric.ordered?.(from);
    if (inOrder !== undefined) {
      const placed = Float64Array.from(inOrder.order, (row) => drawn[row]!);
      expect(inOrder.value(placed)).toBe(value(drawn));
    }
  }
});

/** Each pair of a positive and a negative counts by the product of their weights. */
function byPairs({ label, score, weight }: BinaryPredictions): { auc: number; influence: Float64Array } {
  const influence = new Float64Array(label.length);
  let [won, all] = [0, 0];
  const each = (visit: (p: number, n: number, weight: number, win: number) => void): void => {
    for (let p = 0; p < label.length; p++)
      for (let n = 0; label[p] === 1 && n < label.length; n++) {
        if (label[n] === 1) continue;
        const win = score![p]! > score![n]! ? 1 : score![p] === score![n] ? 0.5 : 0;
        visit(p, n, weight![p]! * weight![n]!, win);
      }
  };
  each((_p, _n, by, win) => {
    won += by * win;
    all += by;
  });
  each((p, n, by, win) => {
    influence[p] = influence[p]! + (by * (win - won / all)) / all;
    influence[n] = influence[n]! + (by * (win - won / all)) / all;
  });
  return { auc: won / all, influence };
}

test("the AUC of weighted rows in groups scatters as by all pairs of rows, summed by group (Obuchowski 1997)", () => {
  const change = groupedChange("binary", { groups: 80, rows: 6, correlation: 0.4, unequal: true }, 0, random);
  const weight = Float64Array.from({ length: change.base.ids.length }, () => 0.5 + uniform(random));
  const [base, head] = [change.base, change.head].map((side) => ({ ...rounded(side), weight })) as [
    BinaryPredictions,
    BinaryPredictions,
  ];
  const [before, after] = [byPairs(base), byPairs(head)];
  const groups = new Float64Array(80);
  base.group!.code.forEach((group, row) => {
    groups[group] = groups[group]! + after.influence[row]! - before.influence[row]!;
  });
  const error = Math.sqrt((groups.reduce((sum, one) => sum + one ** 2, 0) * 80) / 79);
  const { metrics } = compareModels({ base, head, metrics: ["roc_auc"] });
  expect(metrics[0]!.difference).toBeCloseTo(after.auc - before.auc, 12);
  expect(metrics[0]!.test).toBe("cluster-bootstrap");
  const [low, high] = metrics[0]!.interval!;
  const width = (high - low) / 2 / studentQuantile(0.975, 79);
  expect(width / error).toBeGreaterThan(0.85);
  expect(width / error).toBeLessThan(1.15);
});

const grouped = (groups: number, unequal = false): Simulated =>
  groupedChange("regression", { groups, rows: 8, correlation: 0.3, unequal }, groups, random);

test("nothing is told from fewer than ten groups, nor from more of which a few hold most rows", () => {
  const told = (change: Simulated): unknown => {
    const { metrics, verdict } = compareModels({ ...change, metrics: ["mae"], margins: { mae: 100 } });
    const { interval, p, note } = metrics[0]!;
    return { there: interval !== null && p !== null, note, verdict };
  };
  expect(told(grouped(10))).toEqual({ there: true, note: null, verdict: "equivalent" });
  const note = "too few groups for an interval: they count as 9, it takes 10";
  expect(told(grouped(9))).toEqual({ there: false, note, verdict: "no-evidence" });
  const { base, head } = grouped(12);
  const heavy = Float64Array.from({ length: base.ids.length }, (_, row) => (base.group!.code[row] === 0 ? 50 : 1));
  expect(told({ base: { ...base, weight: heavy }, head: { ...head, weight: heavy } })).toMatchObject({ there: false });
  // Where nothing changed there is nothing to be uncertain about.
  expect(told({ base, head: { ...base, digest: head.digest } })).toMatchObject({ there: true, verdict: "equivalent" });
});

test("a rare class: one example says nothing of how its scores scatter, two say little", () => {
  const sides = (positives: number): Simulated => {
    const { base, head } = binaryChange(300, positives, seeded("rare"), { rate: 0 });
    const label = Uint8Array.from({ length: 300 }, (_, row) => (row < positives ? 1 : 0));
    const shifted = (side: Predictions, by: number): BinaryPredictions => {
      const score = (side as BinaryPredictions).score!.map((one, row) => (label[row] === 1 ? by + 0.1 * one : one / 2));
      return { ...(side as BinaryPredictions), label, score };
    };
    // All positives rank at the median before, and above every negative after.
    return { base: shifted(base, 0.15), head: shifted(head, 0.9) };
  };
  const auc = (positives: number): ReturnType<typeof compareModels>["metrics"][number] =>
    compareModels({ ...sides(positives), metrics: ["roc_auc"] }).metrics[0]!;
  expect(auc(1)).toMatchObject({ interval: null, p: null, verdict: null });
  expect(auc(1).difference).toBeGreaterThan(0.05);
  expect(auc(20).verdict).toBe("better");
  const width = (positives: number): number => auc(positives).interval![1] - auc(positives).interval![0];
  expect(width(2)).toBeGreaterThan(width(20));
});
