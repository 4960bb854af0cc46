import type { Digest } from "../core/index.ts";

/** One side's predictions on a test set, in columns; the rows are in the file's order. */
export type Predictions = BinaryPredictions | MulticlassPredictions | RegressionPredictions;

/** What every task's predictions have beside labels and answers; each column has a value for each row. */
export interface Examples {
  /** Of the file's bytes. */
  readonly digest: Digest;
  readonly ids: readonly string[];
  /** How much each example counts, not negative; null: all the same. */
  readonly weight: Float64Array | null;
  /** To which group (a user, a document) rows belong, where they are not independent; null: each for itself. */
  readonly group: Coded | null;
  /** By column that the evaluation names as a slice. */
  readonly slices: Readonly<Record<string, Coded>>;
  /** By column that a formula of the evaluation reads. */
  readonly numbers: Readonly<Record<string, Float64Array>>;
  /** By column that the evaluation shows of an example that flipped, as in the file. */
  readonly preview: Readonly<Record<string, readonly string[]>>;
}

/** A column of few different words: each row's position in `values`. */
export interface Coded {
  readonly values: readonly string[];
  readonly code: Int32Array;
}

/** Labels and predictions are 1 for the positive class, 0 for the other. */
export interface BinaryPredictions extends Examples {
  readonly task: "binary";
  readonly label: Uint8Array;
  readonly prediction: Uint8Array;
  /** Probability of the positive class, 0 to 1; null where the model names no score column. */
  readonly score: Float64Array | null;
}

/** Labels and predictions are positions in `classes`, which is in code-unit order. */
export interface MulticlassPredictions extends Examples {
  readonly task: "multiclass";
  readonly classes: readonly string[];
  readonly label: Int32Array;
  readonly prediction: Int32Array;
  /** Per class the probability of each example; null where the model names no score columns. */
  readonly scores: readonly Float64Array[] | null;
}

export interface RegressionPredictions extends Examples {
  readonly task: "regression";
  readonly label: Float64Array;
  readonly prediction: Float64Array;
}

/** The rows at `rows`, in that order. */
export function selectRows(from: Predictions, rows: Int32Array): Predictions {
  const examples = selectExamples(from, rows);
  switch (from.task) {
    case "binary":
      return {
        ...from,
        ...examples,
        label: Uint8Array.from(rows, (row) => from.label[row] ?? 0),
        prediction: Uint8Array.from(rows, (row) => from.prediction[row] ?? 0),
        score: from.score === null ? null : pick(from.score, rows),
      };
    case "multiclass":
      return {
        ...from,
        ...examples,
        label: Int32Array.from(rows, (row) => from.label[row] ?? 0),
        prediction: Int32Array.from(rows, (row) => from.prediction[row] ?? 0),
        scores: from.scores?.map((column) => pick(column, rows)) ?? null,
      };
    case "regression":
      return { ...from, ...examples, label: pick(from.label, rows), prediction: pick(from.prediction, rows) };
  }
}

function selectExamples(from: Examples, rows: Int32Array): Examples {
  const words = (column: readonly string[]): string[] => Array.from(rows, (row) => column[row] ?? "");
  const coded = ({ values, code }: Coded): Coded => ({ values, code: Int32Array.from(rows, (row) => code[row] ?? 0) });
  return {
    digest: from.digest,
    ids: words(from.ids),
    weight: from.weight === null ? null : pick(from.weight, rows),
    group: from.group === null ? null : coded(from.group),
    slices: mapped(from.slices, coded),
    numbers: mapped(from.numbers, (column) => pick(column, rows)),
    preview: mapped(from.preview, words),
  };
}

function mapped<From, To>(columns: Readonly<Record<string, From>>, change: (column: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(columns).map(([title, column]) => [title, change(column)]));
}

function pick(column: Float64Array, rows: Int32Array): Float64Array {
  return Float64Array.from(rows, (row) => column[row] ?? 0);
}

/** The label of one example, as a word that two files can be compared by. */
export function labelOf(predictions: Predictions, row: number): string {
  if (predictions.task === "multiclass") return predictions.classes[predictions.label[row] ?? 0] ?? "";
  return String(predictions.label[row]);
}

/** The prediction of one example, as in the file up to spelling. */
export function predictionOf(predictions: Predictions, row: number): string {
  if (predictions.task === "multiclass") return predictions.classes[predictions.prediction[row] ?? 0] ?? "";
  return String(predictions.prediction[row]);
}
