import { z } from "zod";
import { compareSlices, searchSlices } from "../evaluate/index.ts";
import type { SliceMetric } from "../evaluate/index.ts";
import type { Evaluation, Predictions } from "../metrics/index.ts";
import { metricRowSchema } from "./metric-row.ts";

const part = z.strictObject({ column: z.string(), value: z.string() });
const sliceRowSchema = metricRowSchema.extend({ slice: part, examples: z.number() });
export type SliceRow = z.infer<typeof sliceRowSchema>;

/** The change on parts of the test set. */
export const sliceReportSchema = z.strictObject({
  /** What is shown to be worse, then metric by metric the slice first whose interval reaches furthest to the bad side. */
  rows: z.array(sliceRowSchema),
  /** Rows left out. */
  left: z.number(),
  /** Slices compared, each by `metrics`. */
  count: z.number(),
  metrics: z.array(z.string()),
  /** Columns with too many values to be slices. */
  tooMany: z.array(z.string()),
  /** p-values that Holm's correction is over. */
  tests: z.number(),
  /** Found by looking: leads, among which 5 % are false on average. Null: nothing could be searched. */
  search: z
    .strictObject({
      looked: z.number(),
      loss: z.string(),
      found: z.array(
        z.strictObject({
          parts: z.array(part),
          examples: z.number(),
          inside: z.number(),
          outside: z.number(),
          p: z.number(),
        }),
      ),
    })
    .nullable(),
});
export type SliceReport = z.infer<typeof sliceReportSchema>;

/** The first of the evaluation's metrics. */
const METRICS = 3;
const ROWS = 60;
/** A column of more values is no cut into groups. */
const VALUES = 50;
const ALPHA = 0.05;

/** Compares the declared slices of two sides and looks for others; null where the predictions have none. */
export function sliceReport(options: {
  readonly base: Predictions;
  readonly head: Predictions;
  readonly evaluation: Evaluation;
  readonly metrics: readonly string[];
  readonly resamples?: number;
}): SliceReport | null {
  const { evaluation } = options;
  const columns = Object.entries(options.head.slices);
  if (columns.length === 0) return null;
  const kept = Object.fromEntries(columns.filter(([, { values }]) => values.length <= VALUES));
  const head = { ...options.head, slices: kept };
  const metrics = options.metrics.slice(0, METRICS);
  const { base } = options;
  const { slices, correction } = compareSlices({
    base,
    head,
    metrics,
    evaluation,
    ...(options.resamples === undefined ? {} : { resamples: options.resamples }),
  });
  const rows = slices.flatMap(({ column, value, examples, metrics: all }) =>
    all.map((metric) => rowOf(metric, { column, value }, examples, evaluation)),
  );
  const order = new Map(metrics.map((name, at) => [name, at]));
  rows.sort(
    (a, b) =>
      Number(b.verdict === "worse") - Number(a.verdict === "worse") ||
      (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0) ||
      badness(b) - badness(a),
  );
  const search = searchSlices({ base, head });
  return {
    rows: rows.slice(0, ROWS),
    left: Math.max(0, rows.length - ROWS),
    count: slices.length,
    metrics: metrics.filter((metric) => rows.some(({ name }) => name === metric)),
    tooMany: columns.flatMap(([column, { values }]) => (values.length > VALUES ? [column] : [])),
    tests: correction?.tests ?? 0,
    search:
      search === null
        ? null
        : {
            looked: search.looked,
            loss: search.loss,
            found: search.found.map(({ parts, examples, inside, outside, adjusted: p }) => ({
              parts: parts.map((one) => ({ ...one })),
              examples,
              inside,
              outside,
              p,
            })),
          },
  };
}

function rowOf(metric: SliceMetric, slice: SliceRow["slice"], examples: number, evaluation: Evaluation): SliceRow {
  const { name, direction, base, head, difference, interval, test, adjusted, note } = metric;
  const shown = adjusted !== null && adjusted < ALPHA && difference !== null && difference !== 0;
  const good = difference !== null && difference > 0 === (direction === "higher");
  return {
    slice,
    examples,
    name,
    unit: evaluation.business?.[name]?.unit ?? null,
    direction,
    base,
    head,
    difference,
    interval: interval === null ? null : [interval[0], interval[1]],
    test,
    p: adjusted,
    verdict: shown ? (good ? "better" : "worse") : adjusted === null ? null : "no-evidence",
    nonInferior: null,
    production: null,
    note,
  };
}

/** How far the interval reaches to the bad side; without one it is last. */
function badness({ interval, direction }: SliceRow): number {
  if (interval === null) return -Infinity;
  return direction === "lower" ? interval[1] : -interval[0];
}
