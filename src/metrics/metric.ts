import type { Evaluation } from "./evaluation.ts";
import type { Predictions } from "./predictions.ts";

export type Direction = "higher" | "lower";

/** How much each example counts: its own weight, and in a bootstrap sample times how often it was drawn. */
export type Weights = ArrayLike<number>;

/**
 * A metric made ready for one set of predictions: everything that does not depend on the weights is computed once.
 * Null where the weighted examples do not define it (ROC AUC of a single class).
 */
export type Weighted = (weights: Weights) => number | null;

/** Which of a few cells each example lies in, as of a confusion matrix; the weight in each cell is what counts. */
export interface Cells {
  /** Per row, 0 to `size` - 1. */
  readonly code: Uint8Array | Int32Array;
  readonly size: number;
}

/** A metric as a function of weighted sums, so that one pass over the examples serves many metrics and samples. */
export interface Sums {
  /** Each is summed, row by row times the weight. Columns of several metrics that mean the same are one object. */
  readonly columns: readonly ArrayLike<number>[];
  /** Null: the columns say it all. */
  readonly cells: Cells | null;
  /** @param sums of the columns in their order, then the weight in each cell */
  readonly value: (sums: ArrayLike<number>) => number | null;
}

export interface Metric {
  readonly name: string;
  readonly direction: Direction;
  readonly needsScore: boolean;
  readonly prepare: (predictions: Predictions) => Weighted;
  /** Where the metric is a function of weighted sums; `prepare` then gives the same values. */
  readonly sums?: (predictions: Predictions) => Sums;
}

export type Task = Evaluation["task"];
