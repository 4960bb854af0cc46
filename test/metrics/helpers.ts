import { digestOf } from "../../src/store/index.ts";
import { readPredictions } from "../../src/metrics/index.ts";
import type { Evaluation, Predictions, Words } from "../../src/metrics/index.ts";

export const BINARY: Evaluation = {
  predictions: "build/predictions.csv" as Evaluation["predictions"],
  task: "binary",
  columns: { id: "id", label: "label", prediction: "prediction", score: "score" },
  metrics: ["accuracy", "roc_auc", "log_loss"],
};
export const MULTICLASS: Evaluation = {
  ...BINARY,
  task: "multiclass",
  columns: { id: "id", label: "label", prediction: "prediction", score: "p_" },
  metrics: ["accuracy", "macro_f1", "log_loss"],
};
export const REGRESSION: Evaluation = {
  ...BINARY,
  task: "regression",
  columns: { id: "id", label: "label", prediction: "prediction" },
  metrics: ["mae", "rmse", "r2"],
};

export const RANKING: Evaluation = {
  ...BINARY,
  task: "ranking",
  columns: { id: "id", label: "relevance", score: "score", query: "query" },
  metrics: ["ndcg"],
};

/** Reads CSV text that is expected to be sound. */
export async function predictions(text: string, evaluation: Evaluation, numbers?: string[]): Promise<Predictions> {
  const bytes = Buffer.from(text);
  const read = await readPredictions({ file: evaluation.predictions, bytes, evaluation, ...(numbers && { numbers }) });
  if (!read.ok) throw new Error(JSON.stringify(read.failures));
  return read.value;
}

/** The problems of CSV text that is expected to be refused, as `line:column problem`. */
export async function problems(
  text: string | Uint8Array,
  evaluation: Evaluation,
  { file = "p.csv", numbers = [] as readonly string[] } = {},
): Promise<string[]> {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const read = await readPredictions({ file, bytes, evaluation, numbers });
  if (read.ok) throw new Error("it was read without a complaint");
  return read.failures.map((failure) => {
    if (failure.code !== "predictions-invalid") throw new Error(`unexpected failure ${failure.code}`);
    return `${failure.at.line}:${failure.at.column} ${failure.problem}`;
  });
}

/** Texts that are kept in another form than a list. */
export function listed(words: Words): (string | undefined)[] {
  return Array.from({ length: words.length }, (_, at) => words.at(at));
}

/** Numbers from 0 to 1 that are the same on every run (mulberry32). */
export function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Of predictions made in memory: no column beside labels and answers. */
export const NO_COLUMNS = { weight: null, group: null, slices: {}, numbers: {}, preview: {} };

/** Binary predictions made in memory: `score` of example `row` with label `label`, predicted at one half. */
export function binary(labels: readonly number[], score: (row: number, label: number) => number): Predictions {
  const scores = Float64Array.from(labels, (label, row) => Math.min(1, Math.max(0, score(row, label))));
  return {
    task: "binary",
    digest: digestOf(new Uint8Array(scores.buffer)),
    ...NO_COLUMNS,
    ids: labels.map((_, row) => `e${row}`),
    label: Uint8Array.from(labels),
    prediction: Uint8Array.from(scores, (value) => (value >= 0.5 ? 1 : 0)),
    score: scores,
  };
}
