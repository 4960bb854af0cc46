import type { Evaluation } from "./read.ts";
import type { Predictions } from "./predictions.ts";

export type Direction = "higher" | "lower";

/** How often each example counts; in a bootstrap sample, how often it was drawn. */
export type Weights = ArrayLike<number>;

/**
 * A metric made ready for one set of predictions: everything that does not depend on the weights is computed once.
 * Null where the weighted examples do not define it (ROC AUC of a single class).
 */
export type Weighted = (weights: Weights) => number | null;

export interface Metric {
  readonly name: string;
  readonly direction: Direction;
  readonly needsScore: boolean;
  readonly prepare: (predictions: Predictions) => Weighted;
}

export type Task = Evaluation["task"];
