import type { Digest } from "../core/index.ts";
import { holm, quantile, seeded } from "../statistics/index.ts";
import { bootstrap, bootstrapP } from "./bootstrap.ts";
import { flipsOf } from "./flips.ts";
import type { Flips } from "./flips.ts";
import { mcnemar } from "./mcnemar.ts";
import type { Direction, Weighted } from "./metric.ts";
import { findMetric, hasScores, metricOf } from "./metrics.ts";
import type { MetricSource } from "./metrics.ts";
import { pair } from "./pairing.ts";
import type { Pairing } from "./pairing.ts";
import type { Predictions } from "./predictions.ts";
import { ALPHA, CONFIDENCE, overall, verdictOf } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** One metric on both sides. Values are of the examples that the comparison is on. */
export interface MetricComparison {
  readonly name: string;
  readonly direction: Direction;
  readonly base: number | null;
  readonly head: number | null;
  /** head minus base. */
  readonly difference: number | null;
  /** Of the difference, at `CONFIDENCE`, not corrected for the number of metrics. */
  readonly interval: readonly [number, number] | null;
  readonly test: "mcnemar" | "bootstrap" | null;
  readonly p: number | null;
  /** p after Holm's correction over the metrics of this comparison. */
  readonly adjusted: number | null;
  readonly verdict: Verdict | null;
  /** Why something above is null. */
  readonly note: string | null;
}

export interface Comparison {
  readonly pairing: Pairing;
  /** True when both sides predict the same for every example, scores included. */
  readonly identical: boolean;
  readonly metrics: readonly MetricComparison[];
  /** Null where the examples differ too much for a verdict on the model. */
  readonly verdict: Verdict | null;
  readonly flips: Flips | null;
  readonly resamples: number;
  readonly base: Digest;
  readonly head: Digest;
}

export const RESAMPLES = 2_000;

/**
 * Compares two sides' predictions: a difference, its interval and a verdict for each metric, in the order asked for.
 * A function of its input: the random numbers come from the two digests.
 * @param options.metrics names; one that cannot be computed from predictions of the task is left out
 * @param options.margins per metric, the difference that does not matter: without one nothing is called equivalent
 */
export function compareModels(options: {
  readonly base: Predictions;
  readonly head: Predictions;
  readonly metrics: readonly string[];
  /** Where formulas of the evaluation are among the metrics. */
  readonly evaluation?: MetricSource;
  readonly margins?: Readonly<Record<string, number>>;
  readonly resamples?: number;
}): Comparison {
  const resamples = options.resamples ?? RESAMPLES;
  const { pairing, base, head } = pair(options.base, options.head);
  const paired = pairing.kind !== "unpaired";
  const digests = { base: options.base.digest, head: options.head.digest };
  const source = options.evaluation ?? head;
  const names = [...new Set(options.metrics)].filter((name) => findMetric(source, name) !== undefined);
  const points = names.map((name) => point(name, base, head, source));
  const measured = points.filter((one) => one.difference !== null);
  const samples = bootstrap({
    random: seeded("lockstep-bootstrap-1", digests.base, digests.head),
    base,
    head,
    paired,
    resamples,
    metrics: measured.map(({ name }) => ({ base: prepared(name, base, source), head: prepared(name, head, source) })),
  });
  const flips = paired ? flipsOf(base, head) : null;
  const evidence = measured.map((one, index) => {
    const sample = samples[index] ?? new Float64Array();
    const exact = one.name === "accuracy" && flips !== null;
    return {
      name: one.name,
      sample,
      test: exact ? ("mcnemar" as const) : ("bootstrap" as const),
      p: exact ? mcnemar(flips.fixed.count, flips.broken.count) : bootstrapP(sample),
    };
  });
  const adjusted = holm(evidence.map(({ p }) => p));
  const metrics = points.map((one): MetricComparison => {
    const index = evidence.findIndex(({ name }) => name === one.name);
    const found = evidence[index];
    if (found === undefined || one.difference === null || found.sample.length === 0) return one;
    const tail = (1 - CONFIDENCE) / 2;
    const interval = [quantile(found.sample, tail), quantile(found.sample, 1 - tail)] as const;
    if (!paired) return { ...one, interval };
    const p = adjusted[index] ?? 1;
    const verdict = verdictOf({
      difference: one.difference,
      direction: one.direction,
      adjusted: p,
      inner: [quantile(found.sample, ALPHA), quantile(found.sample, 1 - ALPHA)],
      margin: options.margins?.[one.name] ?? null,
    });
    return { ...one, interval, test: found.test, p: found.p, adjusted: p, verdict };
  });
  const identical = paired && sameAnswers(base, head);
  const judged = metrics.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]));
  return {
    pairing,
    identical,
    metrics: identical ? metrics.map(equal) : metrics,
    verdict: !paired ? null : identical ? "equivalent" : overall(judged),
    flips,
    resamples,
    ...digests,
  };
}

function point(name: string, base: Predictions, head: Predictions, source: MetricSource): MetricComparison {
  const metric = findMetric(source, name);
  const values = { base: metricOf(base, name, source), head: metricOf(head, name, source) };
  const difference = values.base === null || values.head === null ? null : values.head - values.base;
  const scored = metric?.needsScore !== true || (hasScores(base) && hasScores(head));
  const note = scored ? "not defined for these examples" : "needs `score` in the evaluation's columns";
  return {
    name,
    direction: metric?.direction ?? "higher",
    ...values,
    difference,
    interval: null,
    test: null,
    p: null,
    adjusted: null,
    verdict: null,
    note: difference === null ? note : null,
  };
}

function prepared(name: string, predictions: Predictions, source: MetricSource): Weighted {
  return findMetric(source, name)?.prepare(predictions) ?? (() => null);
}

/** Nothing changed, so nothing can be uncertain: equivalent at any margin. */
function equal(metric: MetricComparison): MetricComparison {
  return metric.difference === null ? metric : { ...metric, verdict: "equivalent" };
}

function sameAnswers(base: Predictions, head: Predictions): boolean {
  const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
    a.length === b.length && Array.prototype.every.call(a, (value: number, index: number) => value === b[index]);
  if (base.task === "regression" && head.task === "regression") return same(base.prediction, head.prediction);
  if (base.task === "binary" && head.task === "binary")
    return same(base.prediction, head.prediction) && same(base.score ?? [], head.score ?? []);
  if (base.task === "ranking" && head.task === "ranking") return same(base.score, head.score);
  if (base.task !== "multiclass" || head.task !== "multiclass") return false;
  return (
    base.classes.join("\0") === head.classes.join("\0") &&
    same(base.prediction, head.prediction) &&
    (base.scores?.length ?? 0) === (head.scores?.length ?? 0) &&
    (base.scores ?? []).every((column, index) => same(column, head.scores?.[index] ?? []))
  );
}
