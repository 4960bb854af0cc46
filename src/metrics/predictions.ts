import type { Digest } from "../core/index.ts";

/** One side's predictions on a test set, in columns; the rows are in the file's order. */
export type Predictions = BinaryPredictions | MulticlassPredictions | RegressionPredictions | RankingPredictions;

/** What every task's predictions have beside labels and answers; each column has a value for each row. */
export interface Examples {
  /** Of the file's bytes. */
  readonly digest: Digest;
  readonly ids: Words;
  /** How much each example counts, not negative; null: all the same. */
  readonly weight: Float64Array | null;
  /** To which group (a user, a document) rows belong, where they are not independent; null: each for itself. */
  readonly group: Grouped | null;
  /** By column that the evaluation names as a slice. */
  readonly slices: Readonly<Record<string, Coded>>;
  /** By column that a formula of the evaluation reads. */
  readonly numbers: Readonly<Record<string, Float64Array>>;
  /** By column that the evaluation shows of an example that flipped, as in the file. */
  readonly preview: Readonly<Record<string, Words>>;
}

/** Texts by position: a list, or many of them in little memory. */
export interface Words {
  readonly length: number;
  at(row: number): string | undefined;
}

/** A column that says which rows belong together: each row's position in `values`. */
export interface Grouped {
  readonly values: Words;
  readonly code: Int32Array;
}

/** A column of few different words. */
export interface Coded extends Grouped {
  readonly values: readonly string[];
}

/** Labels and predictions are 1 for the positive class, 0 for the other. */
export interface BinaryPredictions extends Examples {
  readonly task: "binary";
  readonly label: Uint8Array;
  readonly prediction: Uint8Array;
  /** From which score on the prediction is positive, where the evaluation says so; else it is as in the file. */
  readonly threshold?: number;
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

/** Rows of one query are ranked by score, the highest first. */
export interface RankingPredictions extends Examples {
  readonly task: "ranking";
  /** Relevance, not negative. */
  readonly label: Float64Array;
  readonly score: Float64Array;
  readonly query: Grouped;
}

/** The rows at `rows`, in that order. */
export function selectRows(from: Predictions, rows: Int32Array): Predictions {
  const examples = selectExamples(from, rows);
  switch (from.task) {
    case "binary":
      return {
        ...from,
        ...examples,
        label: taken(new Uint8Array(rows.length), from.label, rows),
        prediction: taken(new Uint8Array(rows.length), from.prediction, rows),
        score: from.score === null ? null : pick(from.score, rows),
      };
    case "multiclass":
      return {
        ...from,
        ...examples,
        label: taken(new Int32Array(rows.length), from.label, rows),
        prediction: taken(new Int32Array(rows.length), from.prediction, rows),
        scores: from.scores?.map((column) => pick(column, rows)) ?? null,
      };
    case "regression":
      return { ...from, ...examples, label: pick(from.label, rows), prediction: pick(from.prediction, rows) };
    case "ranking":
      return {
        ...from,
        ...examples,
        label: pick(from.label, rows),
        score: pick(from.score, rows),
        query: regroup(from.query, rows),
      };
  }
}

function selectExamples(from: Examples, rows: Int32Array): Examples {
  const words = (column: Words): Words => ({ length: rows.length, at: (row) => column.at(rows[row] ?? Infinity) });
  const coded = <From extends Grouped>(column: From): From => regroup(column, rows);
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

function regroup<From extends Grouped>(from: From, rows: Int32Array): From {
  return { ...from, code: taken(new Int32Array(rows.length), from.code, rows) };
}

function mapped<From, To>(columns: Readonly<Record<string, From>>, change: (column: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(columns).map(([title, column]) => [title, change(column)]));
}

function pick(column: Float64Array, rows: Int32Array): Float64Array {
  return taken(new Float64Array(rows.length), column, rows);
}

/** A plain loop: `from` with a function takes ten times as long, and slices take a million rows again and again. */
function taken<Column extends Uint8Array | Int32Array | Float64Array>(
  into: Column,
  from: Column,
  rows: Int32Array,
): Column {
  for (let at = 0; at < rows.length; at++) into[at] = from[rows[at] as number] ?? 0;
  return into;
}

/** The label of one example, as a word that two files can be compared by. */
export function labelOf(predictions: Predictions, row: number): string {
  if (predictions.task === "multiclass") return predictions.classes[predictions.label[row] ?? 0] ?? "";
  return String(predictions.label[row]);
}

/** The prediction of one example, as in the file up to spelling; of a ranking the score. */
export function predictionOf(predictions: Predictions, row: number): string {
  if (predictions.task === "ranking") return String(predictions.score[row]);
  if (predictions.task === "multiclass") return predictions.classes[predictions.prediction[row] ?? 0] ?? "";
  return String(predictions.prediction[row]);
}
