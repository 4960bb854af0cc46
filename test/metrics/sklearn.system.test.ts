import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { confusionOf, findMetric, metricOf, totals } from "../../src/metrics/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { NO_COLUMNS } from "./helpers.ts";
import { disagreements, predictionsOf } from "./judged.ts";
import type { Case, Values } from "./judged.ts";

/** A Python with scikit-learn: the churn example's, or the system's. */
const python = process.env["CHURN_PYTHON"] ?? "python3";
const there = ((): boolean => {
  try {
    execFileSync(python, ["-c", "import sklearn"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
if (!there) console.log(`skipped: ${python} has no scikit-learn (install it, or set CHURN_PYTHON)`);

/** The same numbers as `large` in judge.py. */
function large(): Record<"binary" | "regression", Predictions> {
  const n = 1_000_000;
  const part = [2654435761n, 2246822519n, 3266489917n].map((by) =>
    Float64Array.from({ length: n }, (_, row) => Number((BigInt(row) * by) % 2n ** 32n) / 2 ** 32),
  ) as [Float64Array, Float64Array, Float64Array];
  const label = Uint8Array.from(part[0], (value) => (value < 0.2 ? 1 : 0));
  const score = part[1].map((value, row) => 0.3 * (label[row] ?? 0) + 0.7 * value);
  const truth = part[0].map((value) => 1e6 + value);
  const examples = {
    ...NO_COLUMNS,
    digest: `sha256:${"0".repeat(64)}` as Predictions["digest"],
    ids: { length: n, at: String },
    weight: part[2].map((value) => value * 3),
  };
  return {
    binary: {
      task: "binary",
      ...examples,
      label,
      score,
      prediction: Uint8Array.from(score, (value) => (value >= 0.5 ? 1 : 0)),
    },
    regression: {
      task: "regression",
      ...examples,
      label: truth,
      prediction: truth.map((value, row) => value + ((part[1][row] ?? 0) - 0.5) * 0.01),
    },
  };
}

describe.skipIf(!there)("scikit-learn is the judge", () => {
  const judged = (): { cases: readonly Case[]; large: Record<"binary" | "regression", Values> } =>
    JSON.parse(
      execFileSync(python, [join(import.meta.dirname, "judge.py")], {
        maxBuffer: 2 ** 28,
        timeout: 500_000,
      }).toString(),
    );

  test("of every metric on random inputs, and on a million rows", { timeout: 600_000 }, () => {
    const { cases, large: values } = judged();
    expect(cases.length).toBeGreaterThan(200);
    const wrong = cases.flatMap((one) => disagreements(predictionsOf(one), one.values, one.name));
    const million = large();
    for (const task of ["binary", "regression"] as const)
      wrong.push(...disagreements(million[task], values[task], `a million rows, ${task}`));
    expect(wrong).toEqual([]);
    // The judge has said something of each: a metric that is null everywhere would not be judged.
    const judgedOf = (task: string, metric: string): number =>
      cases.filter((one) => one.task === task && one.values[metric] != null).length;
    for (const task of ["binary", "multiclass", "regression", "ranking"]) {
      const names = Object.keys(cases.find((one) => one.task === task)?.values ?? {});
      for (const name of names) expect(judgedOf(task, name), `${task} ${name}`).toBeGreaterThan(8);
    }
    // Metrics that are sums say the same by them; confusion counts are scikit-learn's.
    for (const one of cases) {
      const predictions = predictionsOf(one);
      const weights = predictions.weight ?? new Uint8Array(predictions.ids.length).fill(1);
      for (const name of Object.keys(one.values)) {
        const sums = findMetric(predictions, name)?.sums?.(predictions);
        if (sums !== undefined) expect(sums.value(totals(sums, weights))).toBe(metricOf(predictions, name));
      }
      if (one.confusion === undefined) continue;
      confusionOf(predictions)?.counts.forEach((row, label) =>
        row.forEach((count, called) => expect(count).toBeCloseTo(one.confusion?.[label]?.[called] ?? -1, 9)),
      );
    }
  });
});
