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

/** A metric that looks at the examples in an order of its own, as by score. */
export interface Ordered {
  /** Rows, in the order in which `value` takes their weights. */
  readonly order: Int32Array;
  readonly value: Weighted;
}

export interface Metric {
  readonly name: string;
  readonly direction: Direction;
  readonly needsScore: boolean;
  readonly prepare: (predictions: Predictions) => Weighted;
  /** Where the metric is a function of weighted sums; `prepare` then gives the same values. */
  readonly sums?: (predictions: Predictions) => Sums;
  /** The same for who makes the weights in that order at once: a pass in memory's order takes a tenth of the time. */
  readonly ordered?: (predictions: Predictions) => Ordered;
}

/** A metric of examples in an order. */
export function inOrder(
  name: string,
  direction: Direction,
  needsScore: boolean,
  ordered: (predictions: Predictions) => Ordered,
): Metric {
  return { name, direction, needsScore, prepare: (from) => byRow(ordered(from)), ordered };
}

/** For weights by row. */
export function byRow({ order, value }: Ordered): Weighted {
  const placed = new Float64Array(order.length);
  return (weights) => {
    for (let place = 0; place < placed.length; place++) placed[place] = weights[order[place] as number] as number;
    return value(placed);
  };
}

export type Task = Evaluation["task"];
