import { delong, placements, resampled, studentQuantile, studentTail } from "../statistics/index.ts";
import { bootstrap } from "./bootstrap.ts";
import { leastP } from "./changed.ts";
import { mcnemar } from "./mcnemar.ts";
import type { Direction, Metric, MetricSource, Predictions } from "../metrics/index.ts";
import { findMetric, hasScores, metricOf } from "../metrics/index.ts";
import type { Contrast, Distribution } from "./sampled.ts";
import { ALPHA, CONFIDENCE } from "./verdict.ts";

export type Test = "mcnemar" | "delong" | "bootstrap" | "cluster-bootstrap";

/** What two sides say about one metric. Values are of the examples that the comparison is on. */
export interface Weighed {
  readonly name: string;
  readonly direction: Direction;
  readonly base: number | null;
  readonly head: number | null;
  /** head minus base. */
  readonly difference: number | null;
  /** Of the difference, at `CONFIDENCE`. */
  readonly interval: readonly [number, number] | null;
  readonly test: Test | null;
  /** Two-sided, of "no difference"; null where the sides have different examples. */
  readonly p: number | null;
  /** Why something above is null, or how it was come by. */
  readonly note: string | null;
}

/** With what only a verdict is read from. */
export interface Evidence extends Weighed {
  /** Of the difference, at 1 - 2 `ALPHA`: what two one-sided tests at `ALPHA` are read from. */
  readonly inner: readonly [number, number] | null;
}

/** Without this many samples, bounds are not read from single ones of them. */
const PERCENTILES = 400;

/**
 * Weighs each metric's difference; see docs/verdict.md for which method is taken when. Names that are no metric of the
 * task are left out.
 * @param options.seed words that the random numbers depend on
 * @param options.rows examples of all comparisons that are made together, which bounds the work; absent: of this one
 */
export function evidenceOf(
  options: Contrast & {
    readonly metrics: readonly string[];
    /** Where the names are looked up. */
    readonly source: MetricSource;
    readonly resamples: number;
    readonly seed: readonly string[];
    readonly rows?: number;
  },
): Evidence[] {
  const { base, head, paired, source } = options;
  const found = [...new Set(options.metrics)].flatMap((name) => findMetric(source, name) ?? []);
  const points = found.map((metric) => {
    const auc = isDelong(metric, base, head) ? byDelong(metric, base, head, paired) : null;
    return { metric, evidence: auc ?? pointOf(metric, options), done: auc !== null };
  });
  const open = points.filter(({ evidence, done }) => !done && evidence.difference !== null);
  const samples = bootstrap({
    ...options,
    metrics: open.map(({ metric }) => metric),
    rows: options.rows ?? base.ids.length + head.ids.length,
  });
  const evidence = points.map(({ metric, evidence: point }) => {
    const sample = samples.find((one) => one.metric === metric);
    return sample === undefined ? point : byBootstrap(point, sample, options);
  });
  return paired ? evidence : evidence.map((one) => ({ ...one, test: null, p: null }));
}

function pointOf(metric: Metric, { base, head, source }: Contrast & { readonly source: MetricSource }): Evidence {
  const { name, direction, needsScore } = metric;
  const values = {
    base: metricOf(base, name, base.task === source.task ? source : base),
    head: metricOf(head, name, source),
  };
  const difference = values.base === null || values.head === null ? null : values.head - values.base;
  const scored = !needsScore || (hasScores(base) && hasScores(head));
  const note = scored ? "not defined for these examples" : "needs `score` in the evaluation's columns";
  const none = { interval: null, inner: null, test: null, p: null };
  return { name, direction, ...values, difference, ...none, note: difference === null ? note : null };
}

/** Its variance is of independent examples that all count the same. */
function isDelong({ name }: Metric, ...sides: readonly Predictions[]): boolean {
  return name === "roc_auc" && sides.every((side) => side.task === "binary" && isPlain(side));
}

function isPlain({ weight, group }: Predictions): boolean {
  return weight === null && group === null;
}

/** Null where a class has fewer than two examples, or the scores are missing. */
function byDelong(metric: Metric, base: Predictions, head: Predictions, paired: boolean): Evidence | null {
  if (base.task !== "binary" || head.task !== "binary" || base.score === null || head.score === null) return null;
  const [before, after] = [placements(base.label, base.score), placements(head.label, head.score)];
  if (before === null || after === null) return null;
  // How a class of one example scatters is not known.
  if ([before, after].some(({ positive, negative }) => Math.min(positive.length, negative.length) < 2)) return null;
  const difference = after.auc - before.auc;
  const { error, df } = delong(before, after, paired);
  const around = (tail: number): readonly [number, number] => {
    const half = error === 0 ? 0 : -studentQuantile(tail, df) * error;
    return [difference - half, difference + half];
  };
  const p = error === 0 ? (difference === 0 ? 1 : 0) : 2 * studentTail(Math.abs(difference) / error, df);
  const { name, direction } = metric;
  return {
    name,
    direction,
    base: before.auc,
    head: after.auc,
    difference,
    interval: around((1 - CONFIDENCE) / 2),
    inner: around(ALPHA),
    test: "delong",
    p: paired ? Math.max(Math.min(1, p), leastP(base, head)) : p,
    note: null,
  };
}

function byBootstrap(
  point: Evidence,
  found: Distribution,
  { base, head, paired, resamples }: Contrast & { readonly resamples: number },
): Evidence {
  const { sorted, shape, groups } = found;
  if (point.difference === null) return point;
  if (shape.units - shape.strata < 1) return { ...point, note: "too few examples for an interval" };
  if (sorted.length < DEFINED * found.resamples)
    return { ...point, note: "too few samples of the examples define it for an interval" };
  if (groups !== null && groups < FEWEST_GROUPS && sorted[0] !== sorted.at(-1)) {
    const count = groups.toFixed(1).replace(".0", "");
    return { ...point, note: `too few groups for an interval: they count as ${count}, it takes ${FEWEST_GROUPS}` };
  }
  const few = found.resamples < Math.min(resamples, PERCENTILES);
  const form = groups !== null && groups < MANY_GROUPS ? "jackknife" : "bca";
  const method = few ? "normal" : shape.second > 0 ? form : "percentile";
  const { interval, p } = resampled(point.difference, sorted, shape, method);
  const exact = paired && point.name === "accuracy" && isPlain(base) && isPlain(head);
  return {
    ...point,
    interval: interval(CONFIDENCE),
    inner: interval(1 - 2 * ALPHA),
    test: exact ? "mcnemar" : groups !== null ? "cluster-bootstrap" : "bootstrap",
    p: exact ? mcnemarOf(base, head) : paired ? Math.max(p, leastP(base, head)) : p,
    note: few ? `from ${found.resamples} bootstrap samples, by their standard deviation` : point.note,
  };
}

/** Nothing is told from fewer groups than this: their scatter is hardly known. */
const FEWEST_GROUPS = 10;
/**
 * With fewer the jackknife holds its level (MacKinnon, Nielsen and Webb 2023) where BCa does not: Cameron and Miller
 * (2015) call 20 to 50 few, and 60 that agree much still were in simulations.
 */
const MANY_GROUPS = 100;

/** Of the samples that were drawn, some may not define the metric; what is left of them then leans one way. */
const DEFINED = 0.9;

function mcnemarOf(base: Predictions, head: Predictions): number {
  if (base.task === "ranking" || head.task === "ranking") return 1;
  let [fixed, broken] = [0, 0];
  for (let row = 0; row < base.label.length; row++) {
    const before = base.label[row] === base.prediction[row];
    const after = head.label[row] === head.prediction[row];
    if (after && !before) fixed++;
    if (before && !after) broken++;
  }
  return mcnemar(fixed, broken);
}
