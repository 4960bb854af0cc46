import { z } from "zod";
import { checkSchema } from "./check.ts";
import { commit, count, data, digest, instant, metrics, name, params, path, stageKey } from "./fields.ts";
import { performanceSchema, unmeasuredSchema } from "./performance.ts";

/** One output of a stage, as the store holds it. */
export const recordedOutputSchema = z.strictObject({
  path,
  kind: z.enum(["file", "tree"]),
  digest,
  size: count,
  /** Of a file that is executable. */
  mode: z.literal("755").optional(),
});
export type RecordedOutput = z.infer<typeof recordedOutputSchema>;

/** Who vouches for a result. `trusted` is decided by the job that writes the record, never by the one that ran. */
export const provenanceSchema = z.strictObject({
  trusted: z.boolean(),
  /** `local` for a person's machine. */
  event: z.string(),
  repository: z.string(),
  headRepository: z.string(),
  workflow: z.string(),
  workflowCommit: z.string(),
  runId: z.string(),
  runAttempt: z.number().int().min(1),
  actor: z.string(),
  /** Whose report vouched for it; absent: none did, or the record is older than this field. */
  pullRequest: z.number().int().min(1).optional(),
});
export type Provenance = z.infer<typeof provenanceSchema>;

/** `stages/<first two digits>/<key>.json` on the records branch: what a key produced. */
export const stageRecordSchema = z.strictObject({
  recordVersion: z.literal(1),
  key: stageKey,
  pipeline: name,
  stage: z.string(),
  /** Every output: outs, metrics, plots, predictions and profile table alike, in code-unit order of path. */
  outs: z.array(recordedOutputSchema),
  /** Metrics files, flattened: path -> name -> number. */
  metrics: z.record(path, metrics),
  /** Blob of the reference profile, for a stage with `profile`. */
  profile: digest.nullable(),
  /** Results of data checks, for a stage with `checks`. */
  checks: z.array(checkSchema).max(1_000).optional(),
  /** Values of the stage's `env.vars` that went into its key: a checker has another environment. null: not set. */
  vars: z.record(z.string(), z.string().nullable()).optional(),
  /**
   * Not run by Lockstep, but taken over: from DVC (`dvc.lock` named it), or as it lay in the working tree (a frozen
   * stage). Then `startedAt` is when it was taken over, and `ms`, which nobody knows, is 0.
   */
  origin: z.enum(["dvc.lock", "working tree"]).optional(),
  startedAt: instant,
  ms: count,
  /** Commit whose tree was run. */
  commit: commit.nullable(),
  provenance: provenanceSchema.nullable(),
});
export type StageRecord = z.infer<typeof stageRecordSchema>;

/**
 * `looks/<digest of the test set>.json` on the records branch: how many different predictions on these examples have been
 * judged. A sum of the `looks` of the runs: one that is deleted or damaged is counted again from them.
 */
export const looksSchema = z.strictObject({
  looksVersion: z.literal(1),
  /** Of ids and labels. */
  testSet: digest,
  count,
  first: instant,
  last: instant,
  /** Dataset -> version -> how many of the looks came of runs that read it. Absent: counted before this field was. */
  data: z.record(z.string(), z.record(z.string(), count)).optional(),
  /** Digests of predictions that are counted; the newest ones. */
  predictions: z.array(digest),
});
export type Looks = z.infer<typeof looksSchema>;

/** A look at a test set: predictions on it that a report, or a promotion, judged. */
export const lookSchema = z.strictObject({ testSet: digest, predictions: digest });

/** One stage's part in a run. */
export const runStageSchema = z.strictObject({
  stage: z.string(),
  key: stageKey.nullable(),
  status: z.enum(["cached", "run", "failed", "skipped"]),
  ms: count,
  /** Why it ran, in a person's words. */
  reason: z.string(),
  needs: z.array(z.string()),
});
export type RunStage = z.infer<typeof runStageSchema>;

/** `runs/<commit>/<pipeline>.json` on the records branch: one execution of a pipeline for one commit. */
export const runRecordSchema = z.strictObject({
  recordVersion: z.literal(1),
  pipeline: name,
  commit: commit.nullable(),
  startedAt: instant,
  ms: count,
  ok: z.boolean(),
  stages: z.array(runStageSchema),
  params,
  /** Of all metrics files, flattened: path -> name -> number. */
  metrics: z.record(path, metrics),
  /** Dataset -> digest, of the datasets the pipeline depends on. */
  data,
  /** What was judged of this run. Written by the job that judges, never by the one that ran. */
  looks: z.array(lookSchema).optional(),
  provenance: provenanceSchema.nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** `lockstep-result.json`, the artifact an experiment leaves: hostile until the report job has checked it. */
export const resultSchema = z.strictObject({
  resultVersion: z.literal(1),
  /** The commit that was checked out and run (for a pull request the merge commit). */
  commit,
  runs: z.array(runRecordSchema.omit({ looks: true })).max(100),
  stages: z.array(stageRecordSchema).max(10_000),
  failures: z.array(z.string().max(10_000)).max(100),
  /** Of models whose gates ask for it: numbers of the machine that ran the experiment, believed no more than a metric. */
  performance: z
    .array(z.union([performanceSchema, unmeasuredSchema]))
    .max(200)
    .optional(),
});
export type ResultDocument = z.infer<typeof resultSchema>;
