import { inOrder } from "./metric.ts";
import type { Cells, Metric, Sums } from "./metric.ts";
import type { BinaryPredictions, Predictions } from "./predictions.ts";
import { calibrationError } from "./calibration.ts";
import { averagePrecision, rocAuc } from "./ranked.ts";
import { meanOf, once, summed } from "./sums.ts";

/** A probability of exactly 0 or 1 is taken as this far from it, as scikit-learn does in double precision. */
export const EPSILON = 2 ** -52;

export interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/** Positive class, as in scikit-learn; a ratio of nothing to nothing counts as 0, as there. */
export const BINARY: readonly Metric[] = [
  counted("accuracy", ({ tp, fp, fn, tn }) => ratio(tp + tn, tp + fp + fn + tn)),
  counted("balanced_accuracy", ({ tp, fp, fn, tn }) => balanced([tp, tn], [tp + fn, tn + fp])),
  counted("precision", ({ tp, fp }) => ratio(tp, tp + fp)),
  counted("recall", ({ tp, fn }) => ratio(tp, tp + fn)),
  counted("specificity", ({ tn, fp }) => ratio(tn, tn + fp)),
  fbeta("f1", 1),
  counted("mcc", ({ tp, fp, fn, tn }) => correlation(tp + tn, [tp + fn, tn + fp], [tp + fp, tn + fn])),
  inOrder("roc_auc", "higher", true, (from) => rocAuc(binary(from).label, scoresOf(from))),
  inOrder("average_precision", "higher", true, (from) => averagePrecision(binary(from).label, scoresOf(from))),
  meanOf(
    "log_loss",
    "lower",
    perExample((label, score) => -Math.log(clip(label === 1 ? score : 1 - score))),
    true,
  ),
  meanOf(
    "brier",
    "lower",
    perExample((label, score) => (score - label) ** 2),
    true,
  ),
  {
    name: "ece",
    direction: "lower",
    needsScore: true,
    prepare: (from) => calibrationError(binary(from).label, scoresOf(from)),
  },
];

/** `f2`, `f0.5`: how much more recall counts than precision; undefined for another name. */
export function fbetaMetric(name: string): Metric | undefined {
  const beta = /^f(\d{1,3}(?:\.\d{1,6})?)$/.exec(name)?.[1];
  return beta === undefined || Number(beta) === 0 ? undefined : fbeta(name, Number(beta));
}

function fbeta(name: string, beta: number): Metric {
  const square = beta ** 2;
  return counted(name, ({ tp, fp, fn }) => ratio((1 + square) * tp, (1 + square) * tp + square * fn + fp));
}

export function clip(probability: number): number {
  return Math.min(1 - EPSILON, Math.max(EPSILON, probability));
}

export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Mean recall of the classes that have examples. */
export function balanced(hits: ArrayLike<number>, support: ArrayLike<number>): number {
  let sum = 0;
  let classes = 0;
  for (let one = 0; one < hits.length; one++) {
    if (support[one] === 0) continue;
    sum += (hits[one] as number) / (support[one] as number);
    classes++;
  }
  return sum / classes;
}

/** Matthews' coefficient of any number of classes (Gorodkin 2004); 0 where one side has a single class. */
export function correlation(right: number, support: ArrayLike<number>, called: ArrayLike<number>): number {
  let [total, both, labels, guesses] = [0, 0, 0, 0];
  for (let one = 0; one < support.length; one++) {
    const [truth, guess] = [support[one] as number, called[one] as number];
    total += truth;
    both += truth * guess;
    labels += truth ** 2;
    guesses += guess ** 2;
  }
  const spread = (total ** 2 - labels) * (total ** 2 - guesses);
  return spread === 0 ? 0 : (right * total - both) / Math.sqrt(spread);
}

/** Which of tn, fp, fn, tp each example is. */
export const confusionCells = once((from): Cells => {
  const { label, prediction } = binary(from);
  const code = new Uint8Array(label.length);
  for (let row = 0; row < code.length; row++) code[row] = (label[row] as number) * 2 + (prediction[row] as number);
  return { code, size: 4 };
});

export function countsOf(sums: ArrayLike<number>, from = 0): Counts {
  const [tn, fp, fn, tp] = [0, 1, 2, 3].map((cell) => sums[from + cell] ?? 0) as [number, number, number, number];
  return { tn, fp, fn, tp };
}

function counted(name: string, formula: (counts: Counts) => number): Metric {
  const value: Sums["value"] = (sums) => {
    const counts = countsOf(sums);
    return counts.tn + counts.fp + counts.fn + counts.tp === 0 ? null : formula(counts);
  };
  return summed(name, "higher", (from) => ({ columns: [], cells: confusionCells(from), value }));
}

function perExample(value: (label: number, score: number) => number): (from: Predictions) => Float64Array {
  return once((from) => {
    const scores = scoresOf(from);
    const { label } = binary(from);
    const values = new Float64Array(label.length);
    for (let row = 0; row < values.length; row++) values[row] = value(label[row] as number, scores[row] as number);
    return values;
  });
}

function scoresOf(from: Predictions): Float64Array {
  return binary(from).score ?? new Float64Array(from.ids.length);
}

function binary(from: Predictions): BinaryPredictions {
  if (from.task !== "binary") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
