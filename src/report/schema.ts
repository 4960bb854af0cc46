import { z } from "zod";
import { sectionSchema } from "../config/index.ts";
import { metricRowSchema } from "./metric-row.ts";
import { plotReportSchema } from "./plots/schema.ts";
import { servingSchema } from "./serving.ts";
import { sliceReportSchema } from "./slices.ts";

export { metricRowSchema } from "./metric-row.ts";
export type { MetricRow } from "./metric-row.ts";

const value = z.number().nullable();
const verdict = z.enum(["better", "worse", "equivalent", "no-evidence"]);
const commit = z.string().nullable();
/** With its 95 % interval. */
const seedMean = z.strictObject({
  n: z.number(),
  mean: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
});

const flipSchema = z.strictObject({
  id: z.string(),
  label: z.string(),
  base: z.string(),
  head: z.string(),
  /** Columns that the evaluation shows. */
  preview: z.array(z.strictObject({ column: z.string(), value: z.string() })).optional(),
});
const flipsSchema = z.strictObject({ count: z.number(), examples: z.array(flipSchema) });

export const gateRowSchema = z.strictObject({ rule: z.string(), passed: z.boolean(), found: z.string() });
export type GateRow = z.infer<typeof gateRowSchema>;

export const modelReportSchema = z.strictObject({
  name: z.string(),
  pipeline: z.string(),
  /** Null where there is nothing, or not enough, to compare with. */
  verdict: verdict.nullable(),
  identical: z.boolean(),
  pairing: z
    .strictObject({
      kind: z.enum(["same", "common", "unpaired"]),
      /** Compared. */
      examples: z.number(),
      base: z.number(),
      head: z.number(),
      relabelled: z.number(),
    })
    .nullable(),
  resamples: z.number(),
  /** How the metrics' p-values were corrected, and how many they are; null where there is no verdict. */
  correction: z.strictObject({ method: z.enum(["holm", "benjamini-hochberg"]), tests: z.number() }).nullable(),
  metrics: z.array(metricRowSchema),
  /** Null where nothing is known of its files. */
  serving: servingSchema.nullable(),
  gates: z.array(gateRowSchema),
  /** Where the gates were read: on the base, or (a model that is new) in the pull request itself. */
  gatesFrom: z.enum(["base", "head"]),
  production: z.strictObject({ version: z.number() }).nullable(),
  flips: z.strictObject({ fixed: flipsSchema, broken: flipsSchema }).nullable(),
  /** Null where the evaluation has none, or there is nothing to compare. */
  slices: sliceReportSchema.nullable(),
  /** Of the predictions. */
  plots: z.array(plotReportSchema),
  /** How often the test set (by the digest of its ids and labels) has been looked at; null: not known. */
  looks: z
    .strictObject({
      testSet: z.string(),
      count: z.number(),
      since: z.string(),
      /** What the head's pipeline reads, and how many of the looks came of runs that read that version. */
      datasets: z.array(z.strictObject({ name: z.string(), version: z.string(), count: z.number() })),
    })
    .nullable(),
  notes: z.array(z.string()),
});
export type ModelReport = z.infer<typeof modelReportSchema>;

export const pipelineReportSchema = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  ms: z.number(),
  stages: z.array(
    z.strictObject({
      stage: z.string(),
      status: z.enum(["cached", "run", "failed", "skipped"]),
      ms: z.number(),
      reason: z.string(),
      needs: z.array(z.string()),
      /** Of what ran; null: its runner has no rate. */
      cost: z.number().nullable(),
    }),
  ),
  /** Of the costs; empty: the settings name none. */
  currency: z.string(),
  /** Of the metrics files: numbers without examples, so without a verdict. */
  numbers: z.array(metricRowSchema.extend({ file: z.string() })),
  /** Of the metrics files that are written once for each seed: means, and a verdict from how they scatter. */
  seeds: z.array(
    z.strictObject({
      /** As in `build/metrics-*.json`. */
      file: z.string(),
      name: z.string(),
      direction: z.enum(["higher", "lower"]).nullable(),
      base: seedMean.nullable(),
      head: seedMean.nullable(),
      /** True: the same seeds on both sides, each compared with itself. */
      paired: z.boolean(),
      difference: value,
      /** 95 %, of the difference. */
      interval: z.tuple([z.number(), z.number()]).nullable(),
      /** p after Holm's correction over these rows. */
      adjusted: value,
      verdict: verdict.nullable(),
      note: z.string().nullable(),
    }),
  ),
  /** JSON text of each side; null: not there. */
  params: z.array(
    z.strictObject({ file: z.string(), key: z.string(), base: z.string().nullable(), head: z.string().nullable() }),
  ),
  data: z.array(z.strictObject({ name: z.string(), base: z.string().nullable(), head: z.string().nullable() })),
  /** Commit whose run is the base; null: there is none. */
  baseCommit: commit,
  /** Those the pipeline declares. */
  plots: z.array(plotReportSchema),
  notes: z.array(z.string()),
});
export type PipelineReport = z.infer<typeof pipelineReportSchema>;

/** Everything the comment, the page and the terminal show. Its texts are the repository's, so hostile: renderers escape. */
export const reportSchema = z.strictObject({
  reportVersion: z.literal(1),
  /** failed: the experiment did not end well. refused: its result was not accepted, and nothing of it is shown. */
  state: z.enum(["compared", "failed", "refused"]),
  /** Of the check run and the commit status. */
  conclusion: z.enum(["success", "failure", "neutral"]),
  verdict: z.enum(["better", "worse", "equivalent", "no-evidence", "none", "failed", "refused"]),
  head: z.strictObject({ label: z.string(), commit }),
  base: z.strictObject({ label: z.string(), commit }),
  pullRequest: z.number().nullable(),
  runUrl: z.string().nullable(),
  /** What is shown, in this order. */
  sections: z.array(sectionSchema),
  models: z.array(modelReportSchema),
  pipelines: z.array(pipelineReportSchema),
  /** Files of the repository that differ between the two commits; null: not known. */
  files: z
    .strictObject({
      count: z.number(),
      named: z.array(z.strictObject({ path: z.string(), change: z.enum(["added", "removed", "changed"]) })),
    })
    .nullable(),
  failures: z.array(z.string()),
  notes: z.array(z.string()),
});
export type Report = z.infer<typeof reportSchema>;
