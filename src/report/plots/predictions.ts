import type {
  BinaryPredictions,
  MulticlassPredictions,
  Predictions,
  RegressionPredictions,
} from "../../metrics/index.ts";
import { countPairs } from "./build.ts";
import { POINTS, strideRows } from "./sample.ts";
import type { Point } from "./sample.ts";
import type { LinesPlot, PlotReport, Series } from "./schema.ts";

/** As scikit-learn's calibration display has it: equal widths of the score. */
const BINS = 10;

/** What can be drawn of predictions alone, each side's on its own test set: the field's usual charts of the task. */
export function predictionPlots(base: Predictions | null, head: Predictions | null): PlotReport[] {
  if (head === null) return [];
  const before = base?.task === head.task ? base : null;
  switch (head.task) {
    case "binary":
      return binaryPlots(before as BinaryPredictions | null, head);
    case "multiclass":
      return [confusion(before as MulticlassPredictions | null, head)];
    case "regression":
      return [residuals(before as RegressionPredictions | null, head)];
    default:
      return [];
  }
}

function binaryPlots(base: BinaryPredictions | null, head: BinaryPredictions): PlotReport[] {
  const sides = [
    ["base", base],
    ["head", head],
  ] as const;
  const chart = (
    frame: Pick<LinesPlot, "id" | "title" | "x" | "y" | "diagonal" | "note">,
    points: (of: BinaryPredictions, score: Float64Array) => Point[],
  ): PlotReport[] => {
    const series = sides.flatMap(([side, of]): Series[] => {
      const drawn = of?.score == null ? [] : points(of, of.score);
      return drawn.length === 0 ? [] : [{ side, name: "", points: drawn, total: of!.ids.length }];
    });
    return series.length === 0 ? [] : [{ kind: "lines", template: "simple", ...frame, series }];
  };
  return [
    ...chart(
      { id: "roc", title: "ROC curve", x: "false positive rate", y: "true positive rate", diagonal: true, note: null },
      (of, score) => roc(thresholdSums(of, score)),
    ),
    ...chart(
      {
        id: "precision_recall",
        title: "Precision and recall",
        x: "recall",
        y: "precision",
        diagonal: false,
        note: null,
      },
      (of, score) => precisionRecall(thresholdSums(of, score)),
    ),
    ...chart(
      {
        id: "calibration",
        title: "Calibration",
        x: "mean score",
        y: "share of positives",
        diagonal: true,
        note: `${BINS} bins of equal width.`,
      },
      calibration,
    ),
    confusion(base, head),
  ];
}

/** Weight of positives and negatives whose score is at least each threshold, from the highest threshold to the lowest. */
interface Sums {
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/**
 * Counted exactly at up to POINTS thresholds: half of them quantiles of all scores, half of the positives' scores, so
 * that a curve is as fine where positives are rare. Bounded work: no sort of rows, one look-up of each.
 */
function thresholdSums({ label, weight }: BinaryPredictions, score: Float64Array): Sums {
  const half = Math.floor(POINTS / 2);
  const chosen = [
    ...quantiles(score, half),
    ...quantiles(
      score.filter((_, row) => label[row] === 1),
      half,
    ),
  ];
  const thresholds = Float64Array.from(new Set(chosen)).sort();
  const size = thresholds.length;
  const [positives, negatives] = [new Float64Array(size), new Float64Array(size)];
  for (let row = 0; row < score.length; row++) {
    const at = size - countAtMost(thresholds, score[row]!);
    if (at === size) continue;
    const sums = label[row] === 1 ? positives : negatives;
    sums[at] = sums[at]! + (weight?.[row] ?? 1);
  }
  for (let at = 1; at < size; at++) {
    positives[at] = positives[at]! + positives[at - 1]!;
    negatives[at] = negatives[at]! + negatives[at - 1]!;
  }
  return { positives, negatives };
}

/** Lowest and highest among them. */
function quantiles(values: Float64Array, most: number): number[] {
  const sorted = values.toSorted();
  const size = Math.min(most, sorted.length);
  const step = (sorted.length - 1) / Math.max(1, size - 1);
  return Array.from({ length: size }, (_, index) => sorted[Math.round(index * step)]!);
}

/** How many of the thresholds, which are in order, are not above a value. */
function countAtMost(thresholds: Float64Array, value: number): number {
  let [low, high] = [0, thresholds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function roc({ positives, negatives }: Sums): Point[] {
  const [all, none] = [positives.at(-1) ?? 0, negatives.at(-1) ?? 0];
  if (all === 0 || none === 0) return [];
  return [[0, 0], ...Array.from(positives, (sum, at): Point => [negatives[at]! / none, sum / all])];
}

function precisionRecall({ positives, negatives }: Sums): Point[] {
  const all = positives.at(-1) ?? 0;
  if (all === 0) return [];
  const points = Array.from(positives, (sum, at): Point => [sum / all, sum / (sum + negatives[at]!)]);
  return [[0, points.find(([, precision]) => !Number.isNaN(precision))?.[1] ?? 1], ...points].filter(
    (point): point is Point => !Number.isNaN(point[1]),
  );
}

function calibration({ label, weight }: BinaryPredictions, score: Float64Array): Point[] {
  const [mass, scores, positives] = [0, 1, 2].map(() => new Float64Array(BINS)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let row = 0; row < score.length; row++) {
    const bin = Math.min(BINS - 1, Math.floor(score[row]! * BINS));
    const counts = weight?.[row] ?? 1;
    mass[bin] = mass[bin]! + counts;
    scores[bin] = scores[bin]! + counts * score[row]!;
    positives[bin] = positives[bin]! + counts * label[row]!;
  }
  return Array.from(mass, (sum, bin): Point => [scores[bin]! / sum, positives[bin]! / sum]).filter(
    ([x]) => !Number.isNaN(x),
  );
}

function confusion<P extends BinaryPredictions | MulticlassPredictions>(base: P | null, head: P): PlotReport {
  const name = (of: P, code: number): string =>
    of.task === "multiclass" ? (of.classes[code] ?? "") : code === 1 ? "positive" : "negative";
  function* cells(of: P | null): Generator<readonly [string, string, number]> {
    for (let row = 0; row < (of?.ids.length ?? 0); row++)
      yield [name(of!, of!.label[row]!), name(of!, of!.prediction[row]!), of!.weight?.[row] ?? 1];
  }
  const counted = countPairs(cells(base), cells(head));
  const note = counted.notes.length === 0 ? null : `${counted.notes.join("; ")}.`;
  const frame = { id: "confusion", title: "Confusion matrix", x: "actual", y: "predicted", note, normalized: false };
  return { kind: "matrix", ...frame, ...counted.matrix };
}

/** Label minus prediction, as scikit-learn's prediction error display has it. */
function residuals(base: RegressionPredictions | null, head: RegressionPredictions): PlotReport {
  const series = (
    [
      ["base", base],
      ["head", head],
    ] as const
  ).flatMap(([side, of]): Series[] => {
    if (of === null) return [];
    const points = strideRows(of.ids.length).map((row): Point => [
      of.prediction[row]!,
      of.label[row]! - of.prediction[row]!,
    ]);
    return [{ side, name: "", points, total: of.ids.length }];
  });
  const frame = {
    id: "residuals",
    title: "Residuals",
    x: "prediction",
    y: "label − prediction",
    diagonal: false,
    note: null,
  };
  return { kind: "lines", template: "scatter", ...frame, series };
}
