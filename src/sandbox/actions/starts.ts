import type { Result } from "../../core/index.ts";
import { git, resolveObject } from "../repository/git.ts";
import { fullName, roleOf } from "../rest/shape.ts";
import type { Repository, TriggerEvent, Workflow, WorkflowRun, World } from "../world.ts";
import { workflowsAt } from "./source.ts";
import { asksToSkip, triggered, usesOwnCommit } from "./triggers.ts";
import type { Workflow as WorkflowFile } from "./workflow.ts";

/** Events that a job's own token may cause. https://docs.github.com/actions/concepts/security/github_token */
function allowedFromJobToken(event: TriggerEvent): boolean {
  if (event.name === "workflow_dispatch" || event.name === "repository_dispatch") return true;
  return event.name === "pull_request" && ["opened", "synchronize", "reopened"].includes(event.action ?? "");
}

/** Whether a run has to be approved first: it comes from a bot's token, or from a fork by someone without the right to write. */
function needsApproval(repository: Repository, event: TriggerEvent): boolean {
  if (event.name !== "pull_request") return false;
  if (event.byJobToken) return true;
  const role = roleOf(repository, event.actor);
  return event.headRepository !== fullName(repository) && role !== "admin" && role !== "write";
}

/** The entry of a workflow file in the repository's list of workflows, made when it is not there yet. */
export function registerWorkflow(world: World, repository: Repository, path: string, name: string): Workflow {
  const known = repository.workflows.find((workflow) => workflow.path === path);
  if (known !== undefined) {
    known.name = name;
    return known;
  }
  const workflow: Workflow = { id: world.nextId(), path, name };
  repository.workflows.push(workflow);
  world.touch();
  return workflow;
}

/** Where an event's workflow files are: the event as it is, or as seen from the default branch's head. */
async function placed(repository: Repository, event: TriggerEvent): Promise<TriggerEvent | undefined> {
  if (usesOwnCommit(event.name)) return event.sha === "" ? undefined : event;
  const branch = repository.defaultBranch;
  const head = await resolveObject(repository, `refs/heads/${branch}`);
  if (head === undefined) return undefined;
  return {
    ...event,
    ref: `refs/heads/${branch}`,
    sha: head,
    headSha: head,
    headBranch: branch,
    headRepository: fullName(repository),
  };
}

async function skipped(repository: Repository, event: TriggerEvent): Promise<boolean> {
  if (event.name !== "push" && event.name !== "pull_request") return false;
  const commit = await resolveObject(repository, event.headSha);
  return commit !== undefined && asksToSkip(await git(repository, ["log", "-1", "--format=%B", commit]));
}

/** A file that cannot be read says nothing about its triggers. GitHub then shows a failed run for each push. */
const answers = (file: Result<WorkflowFile>, path: string, event: TriggerEvent): boolean =>
  file.ok ? triggered(file.value.on, path, event) : event.name === "push" && event.payload["deleted"] !== true;

/** The runs that an event starts, in the repository's list already: queued, or waiting for approval. */
export async function startRuns(
  world: World,
  repository: Repository,
  event: TriggerEvent,
  now: string,
): Promise<WorkflowRun[]> {
  if (event.byJobToken && !allowedFromJobToken(event)) return [];
  const at = await placed(repository, event);
  if (at === undefined || (await skipped(repository, at))) return [];
  const files = await workflowsAt(repository, at.sha);
  const onDefaultBranch = at.ref === `refs/heads/${repository.defaultBranch}`;
  const runs: WorkflowRun[] = [];
  for (const [path, file] of files) {
    const name = file.ok ? file.value.name : path;
    if (onDefaultBranch) registerWorkflow(world, repository, path, name);
    if (!answers(file, path, at)) continue;
    const workflow = registerWorkflow(world, repository, path, name);
    const run: WorkflowRun = {
      id: world.nextId(),
      workflowId: workflow.id,
      path,
      name,
      runNumber: repository.runs.filter(({ workflowId }) => workflowId === workflow.id).length + 1,
      attempt: 1,
      event: at.name,
      payload: structuredClone(at.payload),
      ref: at.ref,
      sha: at.sha,
      headSha: at.headSha,
      headBranch: at.headBranch,
      headRepository: at.headRepository,
      actor: at.actor,
      pullRequests: [...(at.pullRequests ?? [])],
      status: needsApproval(repository, at) ? "action_required" : "queued",
      conclusion: null,
      createdAt: now,
      updatedAt: now,
      jobs: [],
    };
    repository.runs.push(run);
    runs.push(run);
  }
  world.touch();
  return runs;
}
