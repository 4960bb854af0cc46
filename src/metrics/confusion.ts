import { confusionCells } from "./binary.ts";
import { crossing } from "./multiclass.ts";
import type { Predictions } from "./predictions.ts";
import { ones, totals } from "./sums.ts";

/** How much weight of each class was called each class. */
export interface Confusion {
  /** In code-unit order; of a binary task `0` and `1`. */
  readonly classes: readonly string[];
  /** By label, then by prediction. */
  readonly counts: readonly Float64Array[];
}

/** The confusion matrix of predictions by their weights; null where labels are no classes. */
export function confusionOf(predictions: Predictions): Confusion | null {
  const weights = predictions.weight ?? ones(predictions);
  const weightIn = (cells: ReturnType<typeof confusionCells>): Float64Array =>
    totals({ columns: [], cells, value: () => null }, weights);
  if (predictions.task === "binary") {
    const all = weightIn(confusionCells(predictions));
    return { classes: ["0", "1"], counts: [all.slice(0, 2), all.slice(2)] };
  }
  if (predictions.task !== "multiclass") return null;
  const { classes } = predictions;
  const cells = crossing(predictions);
  const counts = classes.map(() => new Float64Array(classes.length));
  for (const [cell, weight] of weightIn(cells).entries()) {
    const row = counts[cells.label[cell] ?? 0];
    if (row !== undefined) row[cells.prediction[cell] ?? 0] = weight;
  }
  return { classes, counts };
}
