import { PROGRESS, progressSchema } from "../config/index.ts";
import type { BegunStage } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { downloadArtifact } from "../github/index.ts";
import type { GitHub, RunJob } from "../github/index.ts";
import { progressParcel } from "../pipeline/index.ts";
import { readArtifact } from "./artifact.ts";
import type { ArtifactLimits } from "./artifact.ts";
import { reasons } from "./side.ts";
import type { WorkflowRun } from "./workflow-run.ts";

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

type Attempt = Pick<WorkflowRun, "id" | "attempt">;

/**
 * What an experiment has left of its progress in this attempt; undefined: nothing yet, or nothing that is fit to be
 * read, which a warning says. It is as hostile as the result.
 */
export async function readLive(
  context: Context,
  github: GitHub,
  run: Attempt,
  name = LIVE.name,
): Promise<Result<Live | undefined>> {
  const artifact = await downloadArtifact(github, { runId: run.id, name, maxBytes: LIVE.zipBytes });
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

/** Stages of a compiled workflow whose numbers are asked for: each costs two requests. */
const MOST_ASKED = 3;

/**
 * How far a compiled workflow is: GitHub itself says it of the jobs, which are called as their stages are, and the job
 * of a stage that runs has left its numbers.
 */
export async function readLiveOfJobs(
  context: Context,
  github: GitHub,
  run: Attempt & { readonly pipeline: string; readonly jobs: readonly RunJob[] },
): Promise<Result<Live>> {
  const stages = run.jobs.flatMap((job) => stageOf(job, run.pipeline) ?? []);
  let at: string | null = null;
  for (const running of stages.filter(({ status }) => status === "running").slice(0, MOST_ASKED)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as GitHub asks for
    const read = await readLive(context, github, run, progressParcel(running.stage));
    if (!read.ok) return read;
    const told = read.value?.stages.find(({ stage }) => stage === running.stage);
    if (read.value === undefined || told === undefined) continue;
    stages[stages.indexOf(running)] = { ...running, metrics: told.metrics };
    at = read.value.at;
  }
  return ok({ at, stages });
}

/** Undefined of a job that has not begun, or had nothing to do. */
function stageOf(job: RunJob, pipeline: string): BegunStage | undefined {
  const { name: stage, status, conclusion, startedAt, completedAt } = job;
  const begun = { pipeline, stage, startedAt, metrics: {} };
  if (status === "in_progress") return { ...begun, status: "running", ms: null };
  if (status !== "completed" || completedAt === null || conclusion === "skipped") return undefined;
  const ms = Math.max(0, Date.parse(completedAt) - Date.parse(startedAt));
  return { ...begun, status: conclusion === "success" ? "done" : "failed", ms };
}
