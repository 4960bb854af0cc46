import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseThreshold, metricOf } from "../../src/metrics/index.ts";
import type { Evaluation, Predictions } from "../../src/metrics/index.ts";
import { withThreshold } from "../../src/metrics/threshold.ts";
import { binary, BINARY, predictions } from "./helpers.ts";

const EVALUATION: Evaluation = {
  ...BINARY,
  business: {
    cost: { formula: "fn * 3 + fp + sum(prediction * (1 - label) * 0.5)", direction: "lower" },
    undefined: { formula: "1 / (n - n)", direction: "higher" },
  },
};
const on = "build/validation.csv" as Evaluation["predictions"];

test("the threshold is the best of the scores that occur, the smallest of equals", () => {
  const example = fc.record({ label: fc.nat(1), score: fc.nat(12), weight: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(example, { minLength: 1, maxLength: 40 }), (examples) => {
      const plain = binary(
        examples.map(({ label }) => label),
        (row) => (examples[row]?.score ?? 0) / 12,
      ) as Extract<Predictions, { task: "binary" }>;
      const weighted = { ...plain, weight: Float64Array.from(examples, ({ weight }) => weight) };
      for (const maximize of ["f1", "balanced_accuracy", "mcc", "accuracy", "cost"]) {
        const sign = maximize === "cost" ? -1 : 1;
        const tried = [...new Set(weighted.score)]
          .sort((a, b) => a - b)
          .map((threshold) => ({
            threshold,
            value: metricOf(withThreshold(weighted, threshold), maximize, EVALUATION),
          }));
        const values = tried.flatMap(({ value }) => (value === null ? [] : [sign * value]));
        const best = tried.find(({ value }) => value !== null && sign * value === Math.max(...values));
        const chosen = chooseThreshold(weighted, { maximize, on }, EVALUATION);
        expect(chosen.ok ? chosen.value : undefined).toBe(best?.threshold);
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});

test("where no threshold gives the metric a value, that is told", () => {
  const chosen = chooseThreshold(
    binary([0, 1], () => 0.5),
    { maximize: "undefined", on },
    EVALUATION,
  );
  expect(chosen.ok ? [] : chosen.failures).toEqual([
    {
      code: "predictions-invalid",
      at: { file: on, line: 1, column: 1 },
      problem: "no threshold can be chosen by undefined: it has no value on these predictions",
    },
  ]);
});

test("a threshold that is given takes the place of the file's prediction", async () => {
  const text = "id,label,prediction,score\n1,1,1,0.2\n2,0,1,0.3\n3,1,0,0.9\n";
  const read = async (threshold?: number): Promise<number[]> => {
    const made = await predictions(text, threshold === undefined ? BINARY : { ...BINARY, threshold });
    return made.task === "binary" ? [...made.prediction] : [];
  };
  expect(await read()).toEqual([1, 1, 0]);
  expect(await read(0.3)).toEqual([0, 1, 1]);
  expect(await read(0.25)).toEqual([0, 1, 1]);
  expect(await read(0)).toEqual([1, 1, 1]);
});
