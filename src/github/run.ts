import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call, statusOf } from "./client.ts";
import type { GitHub } from "./client.ts";
import { LIMITS } from "./limits.ts";

interface Answer<T> {
  readonly data: T;
  readonly headers: { readonly etag?: string };
}

/**
 * Asks for one thing again and again. An answer that is still the same comes back as 304, which GitHub does not count
 * against the requests of the hour.
 */
function again<T>(send: (headers: Record<string, string>) => Promise<Answer<T>>): () => Promise<Result<T>> {
  let last: Answer<T> | undefined;
  return async () => {
    const etag = last?.headers.etag;
    const asked = await call(send(etag === undefined ? {} : { "if-none-match": etag }).then((data) => ({ data })));
    if (!asked.ok) return last !== undefined && statusOf(asked) === 304 ? ok(last.data) : asked;
    last = asked.value;
    return ok(last.data);
  };
}

export interface RunState {
  /** As in `queued`, `in_progress`, `completed`. */
  readonly status: string;
  readonly attempt: number;
}

/** Gives a function that tells how it stands with a workflow run. */
export function followRun(gh: GitHub, runId: number): () => Promise<Result<RunState>> {
  const { owner, repo } = gh;
  const ask = again(async (headers) => gh.octokit.rest.actions.getWorkflowRun({ owner, repo, run_id: runId, headers }));
  return async () => {
    const asked = await ask();
    if (!asked.ok) return asked;
    return ok({ status: asked.value.status ?? "", attempt: asked.value.run_attempt ?? 1 });
  };
}

/** Gives a function that tells whether a pull request is open, and its head. */
export function followPull(gh: GitHub, number: number): () => Promise<Result<{ open: boolean; headSha: string }>> {
  const { owner, repo } = gh;
  const ask = again(async (headers) => gh.octokit.rest.pulls.get({ owner, repo, pull_number: number, headers }));
  return async () => {
    const asked = await ask();
    return asked.ok ? ok({ open: asked.value.state === "open", headSha: asked.value.head.sha }) : asked;
  };
}

export interface RunJob {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly startedAt: string;
  readonly completedAt: string | null;
}

/** Gives a function that lists the first hundred jobs of a run's newest attempt: their names are the workflow's to choose. */
export function followJobs(gh: GitHub, runId: number): () => Promise<Result<RunJob[]>> {
  const { owner, repo } = gh;
  const ask = again(async (headers) =>
    gh.octokit.rest.actions.listJobsForWorkflowRun({ owner, repo, run_id: runId, per_page: LIMITS.page, headers }),
  );
  return async () => {
    const asked = await ask();
    if (!asked.ok) return asked;
    return ok(
      asked.value.jobs.map((job) => ({
        name: job.name,
        status: job.status,
        conclusion: job.conclusion,
        startedAt: job.started_at,
        completedAt: job.completed_at,
      })),
    );
  };
}
