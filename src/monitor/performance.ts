import type { ModelConfig } from "../config/index.ts";
import { normalTail } from "../statistics/index.ts";

/** Labelled rows below which performance is not judged. */
export const MIN_LABELLED = 50;
const LEVEL = 0.01;
/** Smallest fall of accuracy, or relative rise of the mean absolute error, that matters. */
const LEAST_FALL = 0.02;
const LEAST_RISE = 0.1;

/** How well the version does on the requests whose truth has arrived, against what it did when it was promoted. */
export interface Performance {
  readonly metric: "accuracy" | "mae";
  readonly promised: number;
  readonly now: number;
  readonly labelled: number;
  /** One-sided: how likely a fall this large is if nothing has changed. */
  readonly p: number;
  readonly worse: boolean;
}

export interface Labelled {
  readonly prediction: string | number;
  readonly label: string;
}

/** Undefined when too few labels have arrived or the version has no metric to compare with, as for a ranking. */
export function judgePerformance(
  rows: readonly Labelled[],
  task: ModelConfig["evaluation"]["task"],
  metrics: Readonly<Record<string, number>>,
): Performance | undefined {
  if (rows.length < MIN_LABELLED || task === "ranking") return undefined;
  return task === "regression" ? meanError(rows, metrics["mae"]) : accuracy(rows, metrics["accuracy"]);
}

function accuracy(rows: readonly Labelled[], promised: number | undefined): Performance | undefined {
  if (promised === undefined) return undefined;
  const right = rows.filter(({ prediction, label }) => String(prediction) === label).length;
  const now = right / rows.length;
  // Kept off 0 and 1, where the normal approximation would be certain of everything.
  const share = Math.min(Math.max(promised, 0.005), 0.995);
  const p = normalTail((share - now) / Math.sqrt((share * (1 - share)) / rows.length));
  const worse = p <= LEVEL && promised - now >= LEAST_FALL;
  return { metric: "accuracy", promised, now, labelled: rows.length, p, worse };
}

function meanError(rows: readonly Labelled[], promised: number | undefined): Performance | undefined {
  const errors = rows
    .map(({ prediction, label }) => Math.abs(Number(prediction) - Number(label)))
    .filter((error) => Number.isFinite(error));
  if (promised === undefined || errors.length < MIN_LABELLED) return undefined;
  const now = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const variance = errors.reduce((sum, error) => sum + (error - now) ** 2, 0) / (errors.length - 1);
  const certain = now > promised ? 0 : 1;
  const p = variance === 0 ? certain : normalTail((now - promised) / Math.sqrt(variance / errors.length));
  const worse = p <= LEVEL && now >= promised * (1 + LEAST_RISE);
  return { metric: "mae", promised, now, labelled: errors.length, p, worse };
}
