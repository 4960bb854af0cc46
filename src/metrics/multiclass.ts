import { balanced, clip, correlation, ratio } from "./binary.ts";
import { byRow } from "./metric.ts";
import type { Cells, Metric, Sums } from "./metric.ts";
import type { MulticlassPredictions, Predictions } from "./predictions.ts";
import { rocAuc } from "./ranked.ts";
import { meanOf, once, summed } from "./sums.ts";

/** Per class: how many are of it, were called it, and both. */
interface ClassCounts {
  readonly support: Float64Array;
  readonly called: Float64Array;
  readonly hits: Float64Array;
  readonly total: number;
  /** The classes that occur among labels or predictions, whatever their weight. */
  readonly present: readonly number[];
}

type PerClass = (counts: ClassCounts, one: number) => number;

const KINDS: Readonly<Record<string, PerClass>> = {
  precision: ({ hits, called }, one) => ratio(hits[one] ?? 0, called[one] ?? 0),
  recall: ({ hits, support }, one) => ratio(hits[one] ?? 0, support[one] ?? 0),
  f1: ({ hits, support, called }, one) => ratio(2 * (hits[one] ?? 0), (support[one] ?? 0) + (called[one] ?? 0)),
};

/** As in scikit-learn: averages go over the classes that occur among labels or predictions. */
export const MULTICLASS: readonly Metric[] = [
  counted("accuracy", right),
  counted("balanced_accuracy", ({ hits, support }) => balanced(hits, support)),
  ...Object.entries(KINDS).flatMap(([kind, of]) => [
    counted(`macro_${kind}`, (counts) => sum(counts.present.map((one) => of(counts, one))) / counts.present.length),
    counted(`micro_${kind}`, right),
    counted(
      `weighted_${kind}`,
      (counts) => sum(counts.present.map((one) => of(counts, one) * (counts.support[one] ?? 0))) / counts.total,
    ),
  ]),
  counted("mcc", ({ hits, support, called }) => correlation(sum(hits), support, called)),
  meanOf(
    "log_loss",
    "lower",
    once((from) => {
      const { label, scores } = multiclass(from);
      return Float64Array.from(label, (truth, row) => -Math.log(clip(scores?.[truth]?.[row] ?? 0)));
    }),
    true,
  ),
  { name: "roc_auc_ovr", direction: "higher", needsScore: true, prepare: (from) => oneVersusRest(multiclass(from)) },
];

/** `precision.<class>`, `recall.<class>`, `f1.<class>` or `top_<k>_accuracy`; undefined for another name. */
export function multiclassMetric(name: string): Metric | undefined {
  const k = /^top_([1-9]\d{0,5})_accuracy$/.exec(name)?.[1];
  if (k !== undefined) return topAccuracy(name, Number(k));
  const [, kind, wanted] = /^(precision|recall|f1)\.(.+)$/s.exec(name) ?? [];
  const of = KINDS[kind ?? ""];
  if (of === undefined) return undefined;
  return summed(name, "higher", (from) => {
    const one = multiclass(from).classes.indexOf(wanted ?? "");
    return sumsOf(from, (counts) => (one === -1 ? null : of(counts, one)));
  });
}

export interface Crossing extends Cells {
  /** Per cell: the label and the prediction of the examples in it. */
  readonly label: Int32Array;
  readonly prediction: Int32Array;
}

/** The cells of the confusion matrix that occur: of a thousand classes, never a million cells. */
export const crossing = once((from): Crossing => {
  const { label, prediction, classes } = multiclass(from);
  const cells = new Map<number, number>();
  const code = Int32Array.from(label, (truth, row) => {
    const pair = truth * classes.length + (prediction[row] as number);
    const known = cells.get(pair) ?? cells.size;
    cells.set(pair, known);
    return known;
  });
  return {
    code,
    size: cells.size,
    label: Int32Array.from(cells.keys(), (pair) => Math.floor(pair / classes.length)),
    prediction: Int32Array.from(cells.keys(), (pair) => pair % classes.length),
  };
});

function counted(name: string, formula: (counts: ClassCounts) => number): Metric {
  return summed(name, "higher", (from) => sumsOf(from, formula));
}

function sumsOf(from: Predictions, formula: (counts: ClassCounts) => number | null): Sums {
  const cells = crossing(from);
  const classes = multiclass(from).classes.length;
  const present = [...new Set([...cells.label, ...cells.prediction])].sort((a, b) => a - b);
  const value: Sums["value"] = (sums) => {
    const support = new Float64Array(classes);
    const called = new Float64Array(classes);
    const hits = new Float64Array(classes);
    let total = 0;
    for (let cell = 0; cell < cells.size; cell++) {
      const weight = sums[cell] as number;
      const truth = cells.label[cell] as number;
      const guess = cells.prediction[cell] as number;
      support[truth] = (support[truth] as number) + weight;
      called[guess] = (called[guess] as number) + weight;
      if (truth === guess) hits[truth] = weight;
      total += weight;
    }
    return total === 0 ? null : formula({ support, called, hits, total, present });
  };
  return { columns: [], cells, value };
}

function right({ hits, total }: ClassCounts): number {
  return sum(hits) / total;
}

/** Among equal scores the class later in code-unit order is the higher, as in scikit-learn. Null for k of all classes. */
function topAccuracy(name: string, k: number): Metric {
  const hit = once((from) => {
    const { label, scores } = multiclass(from);
    return Uint8Array.from(label, (truth, row) => {
      const own = scores?.[truth]?.[row] ?? 0;
      let above = 0;
      scores?.forEach((column, one) => {
        const score = column[row] as number;
        if (score > own || (score === own && one > truth)) above++;
      });
      return above < k ? 1 : 0;
    });
  });
  const metric = meanOf(name, "higher", hit, true);
  return summed(
    name,
    "higher",
    (from) => {
      const sums = metric.sums?.(from) as Sums;
      return k < multiclass(from).classes.length ? sums : { ...sums, value: () => null };
    },
    true,
  );
}

/** Mean over the classes of the ROC AUC of each against all others; null where one of them has no example. */
function oneVersusRest({
  label,
  scores,
  classes,
}: MulticlassPredictions): (weights: ArrayLike<number>) => number | null {
  const each = classes.map((_, one) =>
    byRow(
      rocAuc(
        Uint8Array.from(label, (truth) => (truth === one ? 1 : 0)),
        scores?.[one] ?? new Float64Array(label.length),
      ),
    ),
  );
  return (weights) => {
    const values = each.map((auc) => auc(weights));
    return values.includes(null) ? null : sum(values as number[]) / values.length;
  };
}

function sum(values: Iterable<number>): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}

function multiclass(from: Predictions): MulticlassPredictions {
  if (from.task !== "multiclass") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
