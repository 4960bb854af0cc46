import { page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { readCommit } from "../repository/commits.ts";
import type { Executor, Job, Repository, WorkflowRun } from "../world.ts";
import { simpleCommitJson } from "./commit-shape.ts";
import { byId } from "./find.ts";
import { isPull } from "./pull-shape.ts";
import { minimalRepositoryJson, nodeId, pageUrl, repositoryUrl, userJson, type Json } from "./shape.ts";

export async function runJson(call: Call, run: WorkflowRun): Promise<Json> {
  const { world, repository } = call;
  const api = repositoryUrl(world, repository);
  const url = `${api}/actions/runs/${run.id}`;
  const head = world.repositories.get(run.headRepository) ?? repository;
  const commit = (await readCommit(repository, run.headSha)) ?? (await readCommit(head, run.headSha));
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId("WFR", run.id),
    check_suite_id: run.id,
    check_suite_node_id: nodeId("CS", run.id),
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: run.path,
    display_title: title(run) ?? commit?.message.split("\n")[0] ?? run.name,
    run_number: run.runNumber,
    run_attempt: run.attempt,
    event: run.event,
    // A run that waits for an approval is over as far as the list is concerned.
    status: run.status === "action_required" ? "completed" : run.status,
    conclusion: run.status === "action_required" ? "action_required" : run.conclusion,
    workflow_id: run.workflowId,
    url,
    html_url: `${pageUrl(world, repository)}/actions/runs/${run.id}`,
    pull_requests: pullsOf(call, run),
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.createdAt,
    actor: userJson(world, run.actor),
    triggering_actor: userJson(world, run.actor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${api}/check-suites/${run.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    workflow_url: `${api}/actions/workflows/${run.workflowId}`,
    head_commit: commit === undefined ? null : simpleCommitJson(commit),
    repository: minimalRepositoryJson(world, repository),
    head_repository: minimalRepositoryJson(world, head),
    referenced_workflows: [],
  };
}

/** Title of the pull request or issue a run is for. */
function title(run: WorkflowRun): string | undefined {
  for (const name of ["pull_request", "issue"]) {
    const subject = run.payload[name];
    if (typeof subject === "object" && subject !== null && "title" in subject) return String(subject.title);
  }
  return undefined;
}

function pullsOf(call: Call, run: WorkflowRun): Json[] {
  if (call.query.get("exclude_pull_requests") === "true") return [];
  const { world, repository } = call;
  const repo = { id: repository.id, url: repositoryUrl(world, repository), name: repository.name };
  return repository.issues
    .filter(isPull)
    .filter((issue) => run.pullRequests.includes(issue.number))
    .map(({ number, pull }) => ({
      id: pull.id,
      number,
      url: `${repo.url}/pulls/${number}`,
      head: { ref: pull.headBranch, sha: pull.headSha, repo },
      base: { ref: pull.baseBranch, sha: pull.baseSha, repo },
    }));
}

function jobJson(call: Call, run: WorkflowRun, job: Job): Json {
  const { world, repository } = call;
  const api = repositoryUrl(world, repository);
  return {
    id: job.id,
    run_id: run.id,
    workflow_name: run.name,
    head_branch: run.headBranch,
    run_url: `${api}/actions/runs/${run.id}`,
    run_attempt: run.attempt,
    node_id: nodeId("CR", job.id),
    head_sha: run.headSha,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${pageUrl(world, repository)}/actions/runs/${run.id}/job/${job.id}`,
    status: job.status === "action_required" ? "waiting" : job.status,
    conclusion: job.conclusion,
    created_at: run.createdAt,
    started_at: job.startedAt ?? run.createdAt,
    completed_at: job.completedAt,
    name: job.name,
    steps: job.steps.map((step) => ({
      name: step.name,
      status: step.status,
      conclusion: step.conclusion,
      number: step.number,
      started_at: step.startedAt,
      completed_at: step.completedAt,
    })),
    check_run_url: `${api}/check-runs/${job.id}`,
    labels: ["self-hosted"],
    runner_id: 1,
    runner_name: "sandbox",
    runner_group_id: 1,
    runner_group_name: "Default",
  };
}

/** `status` of a list takes a status or a conclusion. */
function hasStatus(run: WorkflowRun, wanted: string): boolean {
  return (
    wanted === run.status || wanted === run.conclusion || (wanted === "completed" && run.status === "action_required")
  );
}

async function list(call: Call): Promise<Reply> {
  const { query, repository } = call;
  const wanted = {
    actor: query.get("actor"),
    branch: query.get("branch"),
    event: query.get("event"),
    sha: query.get("head_sha"),
    status: query.get("status"),
  };
  const found = repository.runs
    .filter((run) => wanted.actor === null || run.actor === wanted.actor)
    .filter((run) => wanted.branch === null || run.headBranch === wanted.branch)
    .filter((run) => wanted.event === null || run.event === wanted.event)
    .filter((run) => wanted.sha === null || run.headSha === wanted.sha)
    .filter((run) => wanted.status === null || hasStatus(run, wanted.status))
    .toSorted((a, b) => b.id - a.id);
  const json = new Map<number, Json>();
  for (const run of found) json.set(run.id, await runJson(call, run));
  return page(call, found, (some, total) => ({
    total_count: total,
    workflow_runs: some.map((run) => json.get(run.id)),
  }));
}

/** What executes runs; a sandbox without it only shows them. */
function executor(call: Call): Executor {
  if (call.world.executor === undefined) throw new ApiError(503, "This sandbox runs no workflows.");
  return call.world.executor;
}

const findRun = (call: Call): WorkflowRun => byId(call, call.repository.runs, "run_id");

function findJob(repository: Repository, id: number): { run: WorkflowRun; job: Job } {
  for (const run of repository.runs) {
    const job = run.jobs.find((other) => other.id === id);
    if (job !== undefined) return { run, job };
  }
  throw notFound();
}

export const runRoutes: Routes = {
  "GET /repos/{owner}/{repo}/actions/runs": list,
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}": async (call) => reply(200, await runJson(call, findRun(call))),
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs": (call) => {
    const run = findRun(call);
    return page(call, run.jobs, (some, total) => ({
      total_count: total,
      jobs: some.map((job) => jobJson(call, run, job)),
    }));
  },
  "GET /repos/{owner}/{repo}/actions/jobs/{job_id}": (call) => {
    const { run, job } = findJob(call.repository, Number(call.params["job_id"]));
    return reply(200, jobJson(call, run, job));
  },
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/approve": async (call) => {
    const run = findRun(call);
    if (run.status !== "action_required") throw new ApiError(403, "This run is not waiting for approval.");
    await executor(call).approve(run.id);
    return reply(201, {});
  },
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun": async (call) => {
    const run = findRun(call);
    if (run.status !== "completed") throw new ApiError(403, "This workflow is already running");
    await executor(call).rerun(run.id);
    return reply(201, {});
  },
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel": async (call) => {
    const run = findRun(call);
    if (run.status === "completed") throw new ApiError(409, "Cannot cancel a workflow run that is completed.");
    await executor(call).cancel(run.id);
    return reply(202, {});
  },
};
