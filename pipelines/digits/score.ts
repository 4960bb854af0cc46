import { CLASSES } from "./examples.ts";

export interface Scored {
  readonly label: number;
  readonly prediction: number;
  readonly probabilities: readonly number[];
}

/** A probability of zero for what happened would make the loss infinite. */
const LEAST = 1e-15;

/** Accuracy, mean of the classes' F1 (of classes that occur), and log loss in nats. */
export function score(rows: readonly Scored[]): { accuracy: number; macro_f1: number; log_loss: number } {
  const right = rows.filter((row) => row.label === row.prediction).length;
  const losses = rows.map((row) => -Math.log(Math.max(LEAST, row.probabilities[row.label] ?? 0)));
  const f1 = [...CLASSES.keys()].flatMap((name) => {
    const labelled = rows.filter((row) => row.label === name).length;
    const predicted = rows.filter((row) => row.prediction === name).length;
    const both = rows.filter((row) => row.label === name && row.prediction === name).length;
    return labelled + predicted === 0 ? [] : [(2 * both) / (labelled + predicted)];
  });
  return { accuracy: right / rows.length, macro_f1: mean(f1), log_loss: mean(losses) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
