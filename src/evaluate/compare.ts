import type { Digest } from "../core/index.ts";
import { holm } from "../statistics/index.ts";
import { sameAnswers } from "./changed.ts";
import { evidenceOf } from "./evidence.ts";
import type { Evidence, Weighed } from "./evidence.ts";
import { flipsOf } from "./flips.ts";
import type { Flips } from "./flips.ts";
import type { MetricSource, Predictions } from "../metrics/index.ts";
import { pair } from "./pairing.ts";
import type { Pairing } from "./pairing.ts";
import { nonInferior, overall, verdictOf } from "./verdict.ts";
import type { Correction, Verdict } from "./verdict.ts";

/** One metric on both sides, judged. */
export interface MetricComparison extends Weighed {
  /** p after the correction over the metrics of this comparison. */
  readonly adjusted: number | null;
  readonly verdict: Verdict | null;
  /** Whether a loss as large as the metric's margin is ruled out; null where there is no margin, or no verdict. */
  readonly nonInferior: boolean | null;
}

export interface Comparison {
  readonly pairing: Pairing;
  /** True when both sides predict the same for every example, scores included. */
  readonly identical: boolean;
  readonly metrics: readonly MetricComparison[];
  /** Null where the examples differ too much for a verdict on the model. */
  readonly verdict: Verdict | null;
  /** Of the p-values of the metrics, which are one family; null where there is no verdict. */
  readonly correction: Correction | null;
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
  const evidence = evidenceOf({
    base,
    head,
    paired,
    metrics: options.metrics,
    source: options.evaluation ?? head,
    resamples,
    seed: [digests.base, digests.head],
  });
  const identical = paired && sameAnswers(base, head);
  const tested = evidence.filter(({ p }) => p !== null);
  const adjusted = holm(tested.map(({ p }) => p ?? 1));
  const metrics = evidence.map((one) => {
    const at = tested.indexOf(one);
    const judged = judge(one, at === -1 ? null : (adjusted[at] ?? 1), options.margins?.[one.name]);
    return identical ? equal(judged) : judged;
  });
  const verdicts = metrics.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]));
  return {
    pairing,
    identical,
    metrics,
    verdict: !paired ? null : identical ? "equivalent" : overall(verdicts),
    correction: paired ? { method: "holm", tests: tested.length } : null,
    flips: paired ? flipsOf(base, head) : null,
    resamples,
    ...digests,
  };
}

function judge({ inner, ...one }: Evidence, adjusted: number | null, margin: number | undefined): MetricComparison {
  const { direction, difference } = one;
  if (adjusted === null || difference === null || inner === null)
    return { ...one, adjusted, verdict: null, nonInferior: null };
  return {
    ...one,
    adjusted,
    verdict: verdictOf({ difference, direction, adjusted, inner, margin: margin ?? null }),
    nonInferior: margin === undefined ? null : nonInferior(direction, inner, margin),
  };
}

/** Nothing changed, so nothing can be uncertain: equivalent at any margin. */
function equal(metric: MetricComparison): MetricComparison {
  if (metric.difference === null) return metric;
  return { ...metric, verdict: "equivalent", nonInferior: metric.nonInferior === null ? null : true };
}
