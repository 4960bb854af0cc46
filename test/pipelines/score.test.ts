import { expect, it } from "vitest";
import { score } from "../../pipelines/digits/score.ts";

const sure = (label: number, prediction: number, probability: number): Parameters<typeof score>[0][number] => ({
  label,
  prediction,
  probabilities: Array.from({ length: 10 }, (_, at) => (at === label ? probability : (1 - probability) / 9)),
});

it("counts as the definitions say", () => {
  const { accuracy, macro_f1, log_loss } = score([sure(0, 0, 0.5), sure(0, 1, 0.25), sure(1, 1, 0.5), sure(2, 2, 1)]);
  expect(accuracy).toBe(0.75);
  // Class 0: precision 1, recall 1/2. Class 1: precision 1/2, recall 1. Class 2: both 1. The others do not occur.
  expect(macro_f1).toBeCloseTo((2 / 3 + 2 / 3 + 1) / 3, 12);
  expect(log_loss).toBeCloseTo((2 * Math.log(2) + Math.log(4)) / 4, 12);
});

it("stays finite for a label that was given no chance", () => {
  expect(score([sure(3, 4, 0)]).log_loss).toBeCloseTo(-Math.log(1e-15), 6);
});
