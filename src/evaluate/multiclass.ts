import { clip, ratio, weightedMean } from "./binary.ts";
import type { Metric, Weighted } from "./metric.ts";
import type { MulticlassPredictions, Predictions } from "./predictions.ts";

/** Per class: how many are of it, were called it, and both. */
interface ClassCounts {
  readonly support: Float64Array;
  readonly called: Float64Array;
  readonly hits: Float64Array;
  readonly total: number;
}

/** As in scikit-learn: averages go over the classes that occur among labels or predictions. */
export const MULTICLASS: readonly Metric[] = [
  counted("accuracy", ({ hits, total }) => sum(hits) / total),
  counted("macro_f1", (counts, present) => present.reduce((all, one) => all + f1(counts, one), 0) / present.length),
  counted("micro_f1", ({ hits, total }) => sum(hits) / total),
  counted(
    "weighted_f1",
    (counts, present) =>
      present.reduce((all, one) => all + f1(counts, one) * (counts.support[one] ?? 0), 0) / counts.total,
  ),
  {
    name: "log_loss",
    direction: "lower",
    needsScore: true,
    prepare: (from) => {
      const { label, scores } = multiclass(from);
      return weightedMean(Float64Array.from(label, (truth, row) => -Math.log(clip(scores?.[truth]?.[row] ?? 0))));
    },
  },
];

/** `precision.<class>`, `recall.<class>` or `f1.<class>`; undefined for another name. */
export function classMetric(name: string): Metric | undefined {
  const match = /^(precision|recall|f1)\.(.+)$/s.exec(name);
  if (match === null) return undefined;
  const [, kind, wanted] = match;
  const prepare = (from: Predictions): Weighted => {
    const one = multiclass(from).classes.indexOf(wanted ?? "");
    if (one === -1) return () => null;
    return counted(name, (counts) => {
      if (kind === "f1") return f1(counts, one);
      return ratio(counts.hits[one] ?? 0, (kind === "recall" ? counts.support : counts.called)[one] ?? 0);
    }).prepare(from);
  };
  return { name, direction: "higher", needsScore: false, prepare };
}

function f1({ hits, support, called }: ClassCounts, one: number): number {
  return ratio(2 * (hits[one] ?? 0), (support[one] ?? 0) + (called[one] ?? 0));
}

function counted(name: string, formula: (counts: ClassCounts, present: readonly number[]) => number): Metric {
  const prepare = (from: Predictions): Weighted => {
    const { label, prediction, classes } = multiclass(from);
    const seen = new Set<number>([...label, ...prediction]);
    const present = [...seen].sort((a, b) => a - b);
    return (weights) => {
      const support = new Float64Array(classes.length);
      const called = new Float64Array(classes.length);
      const hits = new Float64Array(classes.length);
      let total = 0;
      for (let row = 0; row < label.length; row++) {
        const weight = weights[row] as number;
        const truth = label[row] as number;
        const guess = prediction[row] as number;
        support[truth] = (support[truth] as number) + weight;
        called[guess] = (called[guess] as number) + weight;
        if (truth === guess) hits[truth] = (hits[truth] as number) + weight;
        total += weight;
      }
      return total === 0 ? null : formula({ support, called, hits, total }, present);
    };
  };
  return { name, direction: "higher", needsScore: false, prepare };
}

function sum(values: Float64Array): number {
  return values.reduce((all, one) => all + one, 0);
}

function multiclass(from: Predictions): MulticlassPredictions {
  if (from.task !== "multiclass") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
