import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { describe } from "../../core/index.ts";
import { checkDispatch } from "../actions/index.ts";
import { actor, body, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, invalidRequest, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { git, resolveObject } from "../repository/git.ts";
import { ACTIONS_BOT } from "../state.ts";
import type { Workflow } from "../world.ts";
import { triggerOnDefaultBranch } from "./events.ts";
import { fullName, nodeId, pageUrl, repositoryJson, repositoryUrl, userJson, type Json } from "./shape.ts";

const MAX_INPUTS = 25;
const MAX_CLIENT_PAYLOAD_KEYS = 10;

const WorkflowDispatch = z.object({
  ref: z.string(),
  inputs: z.record(z.string(), z.unknown()).default({}),
  return_run_details: z.boolean().optional(),
});
const RepositoryDispatch = z.object({
  event_type: z.string().min(1).max(100),
  client_payload: z.record(z.string(), z.unknown()).default({}),
});

/** Workflows of the default branch, also those that never ran. */
async function workflows(call: Call): Promise<Workflow[]> {
  const { repository, world } = call;
  const head = await resolveObject(repository, `refs/heads/${repository.defaultBranch}`);
  if (head === undefined) return repository.workflows;
  const text = await git(repository, ["ls-tree", "-z", "--name-only", head, "--", ".github/workflows/"]);
  for (const path of text.split("\0").filter((name) => /\.ya?ml$/.test(name))) {
    if (repository.workflows.some((workflow) => workflow.path === path)) continue;
    repository.workflows.push({ id: world.nextId(), name: path, path });
  }
  return repository.workflows;
}

function workflowJson(call: Call, workflow: Workflow): Json {
  const { world, repository } = call;
  const file = workflow.path.split("/").at(-1) ?? "";
  return {
    id: workflow.id,
    node_id: nodeId("W", workflow.id),
    name: workflow.name,
    path: workflow.path,
    state: "active",
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    url: `${repositoryUrl(world, repository)}/actions/workflows/${workflow.id}`,
    html_url: `${pageUrl(world, repository)}/blob/${repository.defaultBranch}/${workflow.path}`,
    badge_url: `${pageUrl(world, repository)}/actions/workflows/${file}/badge.svg`,
  };
}

async function dispatchWorkflow(call: Call): Promise<Reply> {
  const { repository, world } = call;
  const wanted = body(call, WorkflowDispatch);
  const id = call.params["workflow_id"] ?? "";
  const workflow = (await workflows(call)).find(
    (other) => String(other.id) === id || other.path === `.github/workflows/${id}`,
  );
  if (workflow === undefined) throw notFound();
  if (Object.keys(wanted.inputs).length > MAX_INPUTS)
    throw invalidRequest(`Too many inputs (maximum is ${MAX_INPUTS}).`);
  const named = wanted.ref.startsWith("refs/") ? [wanted.ref] : [`refs/heads/${wanted.ref}`, `refs/tags/${wanted.ref}`];
  for (const ref of named) {
    const sha = await resolveObject(repository, ref);
    if (sha === undefined) continue;
    const checked = await checkDispatch(repository, sha, workflow.path, wanted.inputs);
    if (!checked.ok) throw new ApiError(422, checked.failures.map(describe).join("\n"));
    const login = actor(call);
    const before = new Set(repository.runs.map((run) => run.id));
    world.trigger({
      name: "workflow_dispatch",
      repository: fullName(repository),
      payload: {
        inputs: wanted.inputs,
        ref,
        workflow: workflow.path,
        repository: repositoryJson(world, repository),
        sender: userJson(world, login),
      },
      ref,
      sha,
      headSha: sha,
      headBranch: ref.replace(/^refs\/(heads|tags)\//, ""),
      headRepository: fullName(repository),
      actor: login,
      // A dispatch by a job's token does start runs: the one exception GitHub makes.
      byJobToken: login === ACTIONS_BOT.login,
    });
    if (wanted.return_run_details !== true) return reply(204);
    return runDetails(call, before);
  }
  throw new ApiError(422, `No ref found for: ${wanted.ref}`);
}

const REGISTERED_WITHIN_MS = 10_000;

/** The run a dispatch has started, once the executor has registered it. */
async function runDetails(call: Call, before: ReadonlySet<number>): Promise<Reply> {
  const isThere = (): boolean => call.repository.runs.some((other) => !before.has(other.id));
  for (let waited = 0; !isThere() && waited < REGISTERED_WITHIN_MS; waited += 20) await setTimeout(20);
  const run = call.repository.runs.find((other) => !before.has(other.id));
  if (run === undefined) throw new ApiError(503, "This sandbox runs no workflows.");
  return reply(200, {
    workflow_run_id: run.id,
    run_url: `${repositoryUrl(call.world, call.repository)}/actions/runs/${run.id}`,
    html_url: `${pageUrl(call.world, call.repository)}/actions/runs/${run.id}`,
  });
}

export const dispatchRoutes: Routes = {
  "GET /repos/{owner}/{repo}/actions/workflows": async (call) =>
    page(call, await workflows(call), (some, total) => ({
      total_count: total,
      workflows: some.map((workflow) => workflowJson(call, workflow)),
    })),
  "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches": dispatchWorkflow,
  "POST /repos/{owner}/{repo}/dispatches": async (call) => {
    const wanted = body(call, RepositoryDispatch);
    if (Object.keys(wanted.client_payload).length > MAX_CLIENT_PAYLOAD_KEYS) {
      throw invalidRequest(
        `No more than ${MAX_CLIENT_PAYLOAD_KEYS} properties are allowed; ${Object.keys(wanted.client_payload).length} were supplied.`,
      );
    }
    await triggerOnDefaultBranch(call.world, call.repository, {
      name: "repository_dispatch",
      action: wanted.event_type,
      payload: { branch: call.repository.defaultBranch, client_payload: wanted.client_payload },
      mover: { login: actor(call), byJobToken: actor(call) === ACTIONS_BOT.login },
    });
    return reply(204);
  },
};
