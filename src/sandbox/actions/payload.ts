import { fullName, nodeId, pageUrl, repositoryJson, repositoryUrl, userJson, type Json } from "../rest/shape.ts";
import type { Repository, TriggerEvent, Workflow, WorkflowRun, World } from "../world.ts";

/** The parts of GitHub's `workflow_run` object that its event carries and workflows read. */
function runJson(world: World, repository: Repository, run: WorkflowRun): Json {
  const head = world.repositories.get(run.headRepository) ?? repository;
  const url = `${repositoryUrl(world, repository)}/actions/runs/${run.id}`;
  const pulls = repository.issues.filter(({ number, pull }) => pull !== undefined && run.pullRequests.includes(number));
  return {
    id: run.id,
    node_id: nodeId("WFR", run.id),
    name: run.name,
    path: run.path,
    display_title: run.name,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    head_branch: run.headBranch,
    head_sha: run.headSha,
    run_number: run.runNumber,
    run_attempt: run.attempt,
    run_started_at: run.createdAt,
    workflow_id: run.workflowId,
    check_suite_id: run.id,
    url,
    html_url: `${pageUrl(world, repository)}/actions/runs/${run.id}`,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    actor: userJson(world, run.actor),
    triggering_actor: userJson(world, run.actor),
    repository: repositoryJson(world, repository),
    head_repository: repositoryJson(world, head),
    pull_requests: pulls.map(({ number, pull }) => ({
      id: pull?.id,
      number,
      url: `${repositoryUrl(world, repository)}/pulls/${number}`,
      head: { ref: pull?.headBranch, sha: pull?.headSha, repo: { id: head.id, name: head.name } },
      base: { ref: pull?.baseBranch, sha: pull?.baseSha, repo: { id: repository.id, name: repository.name } },
    })),
  };
}

export type RunAction = "requested" | "in_progress" | "completed";

/** What GitHub sends as a run goes on. It looks at the default branch, whatever branch the run is for. */
export function workflowRunEvent(
  world: World,
  repository: Repository,
  run: WorkflowRun,
  workflow: Workflow,
  action: RunAction,
): TriggerEvent {
  return {
    name: "workflow_run",
    action,
    repository: fullName(repository),
    payload: {
      action,
      workflow_run: runJson(world, repository, run),
      workflow: {
        id: workflow.id,
        node_id: nodeId("W", workflow.id),
        name: workflow.name,
        path: workflow.path,
        state: "active",
        html_url: `${pageUrl(world, repository)}/blob/${repository.defaultBranch}/${workflow.path}`,
        url: `${repositoryUrl(world, repository)}/actions/workflows/${workflow.id}`,
      },
      repository: repositoryJson(world, repository),
      sender: userJson(world, run.actor),
    },
    ref: `refs/heads/${repository.defaultBranch}`,
    // Those of the default branch's head, as the executor finds them when the event is looked at.
    sha: "",
    headSha: "",
    headBranch: repository.defaultBranch,
    headRepository: fullName(repository),
    actor: run.actor,
    byJobToken: false,
  };
}

/** How many `workflow_run` events led to a run, one after the other. */
export function chainLength(repository: Repository, run: WorkflowRun): number {
  const cause = run.payload["workflow_run"];
  if (run.event !== "workflow_run" || cause === null || typeof cause !== "object") return 0;
  const id = (cause as { id?: unknown }).id;
  const before = repository.runs.find((known) => known.id === id);
  return 1 + (before === undefined ? 0 : chainLength(repository, before));
}
