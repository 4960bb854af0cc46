import type { Context, Result } from "../core/index.ts";
import type { GitHub } from "../github/index.ts";
import type { DriftOptions, DriftReport } from "./drift.ts";
import type { LocalRetraining } from "./local.ts";

export { loggedBlobs, openLogs } from "./log-store.ts";
export type { LogStore, Segment, SegmentKind } from "./log-store.ts";
export { encodeFeedback, encodePredictions, ROW_ID } from "./rows.ts";
export type { FeedbackRow, PredictionHeader, PredictionRow } from "./rows.ts";
export type { ColumnDrift } from "./compare.ts";
export type { DriftOptions, DriftReport } from "./drift.ts";
export type { LocalRetraining } from "./local.ts";

// The two below are loaded when they are called: they bring the GitHub client and git along, which the server,
// who needs the log of this folder, should not load.

/** One check of one model; see `DriftReport`. Without `github` it only reads. */
export async function driftCheck(
  context: Context,
  github: GitHub | undefined,
  options: DriftOptions,
): Promise<Result<DriftReport>> {
  const drift = await import("./drift.ts");
  return drift.driftCheck(context, github, options);
}

/** Adds the window's labelled requests to the dataset in the working tree. */
export async function retrainLocally(context: Context, model: string): Promise<Result<LocalRetraining>> {
  const local = await import("./local.ts");
  return local.retrainLocally(context, model);
}
