import { z } from "zod";
import { count, instant, metrics, name, path } from "./fields.ts";

/** Name of the artifact, and of the one file in it with `.json` after it; of a stage that is a job `progressParcel`. */
export const PROGRESS = "lockstep-progress";

/** How far a stage is that the run has begun. */
export const begunStageSchema = z.strictObject({
  pipeline: name,
  stage: z.string(),
  status: z.enum(["running", "done", "failed"]),
  startedAt: instant,
  /** Milliseconds; null while it runs. */
  ms: count.nullable(),
  /** While it runs, the numbers that its metrics files hold by now: path -> name -> number. */
  metrics: z.record(path, metrics),
});
export type BegunStage = z.infer<typeof begunStageSchema>;

/** `lockstep-progress.json`, which an experiment leaves now and then while it runs: how far it is. */
export const progressSchema = z.strictObject({
  progressVersion: z.literal(1),
  /** Attempt of the workflow run. */
  attempt: z.number().int().min(1),
  /** When this was seen. */
  at: instant,
  /** In the order in which they began; those that were cached are not among them. */
  stages: z.array(begunStageSchema).max(1_000),
});
export type ProgressDocument = z.infer<typeof progressSchema>;
