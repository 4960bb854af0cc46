import { BINARY, fbetaMetric } from "./binary.ts";
import { businessMetric } from "./business.ts";
import type { Direction, Metric, Task } from "./metric.ts";
import { MULTICLASS, multiclassMetric } from "./multiclass.ts";
import type { Predictions } from "./predictions.ts";
import { cutMetric, RANKING } from "./ranking.ts";
import type { Evaluation } from "./evaluation.ts";
import { quantileLoss, REGRESSION } from "./regression.ts";
import { ones } from "./sums.ts";

interface Catalogue {
  readonly metrics: readonly Metric[];
  /** Those with a number or a class in their name. */
  readonly named: (name: string) => Metric | undefined;
}

const BY_TASK: Record<Task, Catalogue> = {
  binary: { metrics: BINARY, named: fbetaMetric },
  multiclass: { metrics: MULTICLASS, named: multiclassMetric },
  regression: { metrics: REGRESSION, named: quantileLoss },
  ranking: { metrics: RANKING, named: cutMetric },
};

/** What decides which metrics there are: those of the task, and the formulas of an evaluation. */
export type MetricSource = Pick<Evaluation, "task" | "business">;

/** The metric of that name that Lockstep computes from predictions; undefined for any other name. */
export function findMetric(source: MetricSource, name: string): Metric | undefined {
  const formula = source.business !== undefined && Object.hasOwn(source.business, name) ? source.business[name] : null;
  return standard(source.task, name) ?? (formula == null ? undefined : businessMetric(source.task, name, formula));
}

/** Whether a name is a metric of the task, so that no formula may have it. */
export function isStandard(task: Task, name: string): boolean {
  return standard(task, name) !== undefined;
}

function standard(task: Task, name: string): Metric | undefined {
  const { metrics, named } = BY_TASK[task];
  return metrics.find((metric) => metric.name === name) ?? named(name);
}

/** What a report shows, in its order: formulas marked as first, the evaluation's list, other formulas. */
export function shownMetrics({ metrics, business }: Pick<Evaluation, "metrics" | "business">): string[] {
  const formulas = Object.entries(business ?? {});
  const first = formulas.filter(([, { first }]) => first === true);
  return [...new Set([...first.map(([name]) => name), ...metrics, ...formulas.map(([name]) => name)])];
}

/** A metric's value on all rows by their weights; null where it is not defined for them or needs a score column that is not there. */
export function metricOf(predictions: Predictions, name: string, source: MetricSource = predictions): number | null {
  const metric = findMetric(source, name);
  if (metric === undefined || source.task !== predictions.task) return null;
  if (metric.needsScore && !hasScores(predictions)) return null;
  return metric.prepare(predictions)(predictions.weight ?? ones(predictions));
}

/** Values of the metrics that can be computed from these predictions; names that cannot be are left out. */
export function metricsOf(
  predictions: Predictions,
  names: readonly string[],
  source: MetricSource = predictions,
): Record<string, number> {
  const values = names.map((name) => [name, metricOf(predictions, name, source)] as const);
  return Object.fromEntries(values.filter((entry): entry is [string, number] => entry[1] !== null));
}

export function hasScores(predictions: Predictions): boolean {
  if (predictions.task === "binary" || predictions.task === "ranking") return predictions.score !== null;
  return predictions.task === "multiclass" && predictions.scores !== null;
}

const LOWER =
  /^(.*_)?(loss|error|errors|err|mae|mse|rmse|mape|brier|ece|perplexity|wer|cer|fpr|fnr|latency|ms|seconds|duration|time|size|bytes|cost|difference|diff)$/;
const HIGHER =
  /^(.*_)?(accuracy|acc|precision|recall|specificity|f\d+|auc|ap|map|mrr|mcc|r2|score|ndcg|bleu|iou|dice|correct|throughput)$/;

/** Which way is good, told from the last part of a metric's name (`test.log_loss`); null when the name does not say. */
export function directionOf(name: string): Direction | null {
  const last = (name.split(/[./]/).at(-1) ?? "").toLowerCase().replaceAll("-", "_");
  return LOWER.test(last) ? "lower" : HIGHER.test(last) ? "higher" : null;
}
