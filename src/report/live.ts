import { PROGRESS, progressSchema } from "../config/index.ts";
import type { BegunStage } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { downloadArtifact } from "../github/index.ts";
import type { GitHub, RunJob } from "../github/index.ts";
import { readArtifact } from "./artifact.ts";
import type { ArtifactLimits } from "./artifact.ts";
import { reasons } from "./side.ts";

export const LIVE: ArtifactLimits = {
  name: PROGRESS,
  file: `${PROGRESS}.json`,
  zipBytes: 64 * 1024,
  bytes: 128 * 1024,
  depth: 8,
  members: 100,
  textLength: 1_000,
  nameLength: 1_000,
};

/** How far an experiment is that goes on. Whose names these are is for the reader to judge. */
export interface Live {
  /** When it was seen; null: now. */
  readonly at: string | null;
  /** In the order in which they began. */
  readonly stages: readonly BegunStage[];
}

/**
 * What an experiment has left of its progress in this attempt; undefined: nothing yet, or nothing that is fit to be
 * read, which a warning says. It is as hostile as the result.
 */
export async function readLive(
  context: Context,
  github: GitHub,
  run: { readonly id: number; readonly attempt: number },
): Promise<Result<Live | undefined>> {
  const artifact = await downloadArtifact(github, { runId: run.id, name: LIVE.name, maxBytes: LIVE.zipBytes });
  if (!artifact.ok && artifact.failures[0].code !== "result-refused") return artifact;
  if (artifact.ok && artifact.value === undefined) return ok(undefined);
  const read = artifact.ok ? await readArtifact(artifact.value!.zip, LIVE, progressSchema) : artifact;
  if (read.ok)
    return ok(read.value.attempt === run.attempt ? { at: read.value.at, stages: read.value.stages } : undefined);
  context.emit({
    type: "warning",
    message: `what the experiment says of its progress is left out: ${reasons(read).join("; ")}`,
  });
  return ok(undefined);
}

/** The stages of a compiled workflow by its jobs, which are called as they are: GitHub itself says how far they are. */
export function liveOfJobs(pipeline: string, jobs: readonly RunJob[]): Live {
  const stages = jobs.flatMap(({ name, status, conclusion, startedAt, completedAt }): BegunStage[] => {
    const begun = { pipeline, stage: name, startedAt, metrics: {} };
    if (status === "in_progress") return [{ ...begun, status: "running", ms: null }];
    if (status !== "completed" || completedAt === null || conclusion === "skipped") return [];
    const ms = Math.max(0, Date.parse(completedAt) - Date.parse(startedAt));
    return [{ ...begun, status: conclusion === "success" ? "done" : "failed", ms }];
  });
  return { at: null, stages };
}
