import { z } from "zod";
import { actor, body, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { Deployment, DeploymentStatus } from "../world.ts";
import { byId, resolveRef } from "./find.ts";
import { nodeId, repositoryUrl, userJson, viaApp, type Json } from "./shape.ts";

const NewDeployment = z.object({
  ref: z.string(),
  task: z.string().default("deploy"),
  auto_merge: z.boolean().optional(),
  required_contexts: z.array(z.string()).optional(),
  payload: z.unknown().default({}),
  environment: z.string().default("production"),
  description: z.string().nullish(),
  transient_environment: z.boolean().default(false),
  production_environment: z.boolean().optional(),
});
const NewStatus = z.object({
  state: z.enum(["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]),
  target_url: z.string().default(""),
  log_url: z.string().optional(),
  description: z.string().default(""),
  environment: z.string().optional(),
  environment_url: z.string().default(""),
  auto_inactive: z.boolean().default(true),
});
const MAX_DESCRIPTION = 140;

function deploymentJson(call: Call, deployment: Deployment): Json {
  const { world, repository } = call;
  const url = `${repositoryUrl(world, repository)}/deployments/${deployment.id}`;
  return {
    url,
    id: deployment.id,
    node_id: nodeId("DE", deployment.id),
    task: deployment.task,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    created_at: deployment.createdAt,
    updated_at: deployment.updatedAt,
    statuses_url: `${url}/statuses`,
    repository_url: repositoryUrl(world, repository),
    creator: userJson(world, deployment.creator),
    sha: deployment.sha,
    ref: deployment.ref,
    payload: deployment.payload,
    transient_environment: deployment.transient,
    production_environment: deployment.production,
    performed_via_github_app: viaApp(world, deployment.creator),
  };
}

function statusJson(call: Call, deployment: Deployment, status: DeploymentStatus): Json {
  const { world, repository } = call;
  const deploymentUrl = `${repositoryUrl(world, repository)}/deployments/${deployment.id}`;
  return {
    url: `${deploymentUrl}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId("DES", status.id),
    state: status.state,
    creator: userJson(world, status.creator),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: deploymentUrl,
    repository_url: repositoryUrl(world, repository),
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
    performed_via_github_app: viaApp(world, status.creator),
  };
}

/** States of the statuses and checks of a commit, by context or name. */
function contexts(call: Call, sha: string): Map<string, boolean> {
  const found = new Map<string, boolean>();
  for (const status of call.repository.statuses) {
    if (status.sha === sha) found.set(status.context, status.state === "success");
  }
  for (const check of call.repository.checkRuns) {
    if (check.headSha === sha) found.set(check.name, check.conclusion === "success" || check.conclusion === "neutral");
  }
  return found;
}

async function create(call: Call): Promise<Reply> {
  const { world, repository } = call;
  const wanted = body(call, NewDeployment);
  const sha = await resolveRef(repository, wanted.ref);
  if (sha === undefined) throw new ApiError(422, `No ref found for: ${wanted.ref}`);
  const known = contexts(call, sha);
  const required = wanted.required_contexts ?? [...known.keys()];
  const failing = required.filter((context) => known.get(context) !== true);
  if (failing.length > 0) {
    throw new ApiError(409, `Conflict: Commit status checks failed for ${wanted.ref}.`, {
      errors: [
        {
          contexts: failing.map((context) => ({ context })),
          resource: "Deployment",
          field: "required_contexts",
          code: "invalid",
        },
      ],
    });
  }
  const now = world.clock.timestamp();
  const deployment: Deployment = {
    id: world.nextId(),
    ref: wanted.ref,
    sha,
    task: wanted.task,
    environment: wanted.environment,
    payload: wanted.payload,
    description: wanted.description ?? null,
    creator: actor(call),
    createdAt: now,
    updatedAt: now,
    transient: wanted.transient_environment,
    production: wanted.production_environment ?? wanted.environment === "production",
    statuses: [],
  };
  repository.deployments.push(deployment);
  world.touch();
  const json = deploymentJson(call, deployment);
  return reply(201, json, { location: String(json["url"]) });
}

function list(call: Call): Reply {
  const { query, repository } = call;
  const fields = ["sha", "ref", "task", "environment"] as const;
  const found = repository.deployments
    .filter((deployment) => fields.every((field) => (query.get(field) ?? deployment[field]) === deployment[field]))
    .toReversed();
  return page(
    call,
    found.map((deployment) => deploymentJson(call, deployment)),
  );
}

const find = (call: Call): Deployment => byId(call, call.repository.deployments, "deployment_id");

function newStatus(call: Call, deployment: Deployment, wanted: z.infer<typeof NewStatus>): DeploymentStatus {
  return {
    id: call.world.nextId(),
    state: wanted.state,
    description: wanted.description,
    environment: wanted.environment ?? deployment.environment,
    environmentUrl: wanted.environment_url,
    logUrl: wanted.log_url ?? wanted.target_url,
    creator: actor(call),
    createdAt: call.world.clock.timestamp(),
  };
}

function createStatus(call: Call): Reply {
  const { repository, world } = call;
  const deployment = find(call);
  const wanted = body(call, NewStatus);
  if (wanted.description.length > MAX_DESCRIPTION) {
    const message = `description is too long (maximum is ${MAX_DESCRIPTION} characters)`;
    throw validationFailed({ resource: "DeploymentStatus", code: "custom", field: "description", message });
  }
  const status = newStatus(call, deployment, wanted);
  deployment.statuses.push(status);
  deployment.updatedAt = status.createdAt;
  if (wanted.state === "success" && wanted.auto_inactive) {
    // What ran in this environment before is replaced, unless it is transient or production.
    const replaced = repository.deployments.filter(
      (other) =>
        other !== deployment &&
        other.environment === deployment.environment &&
        !other.transient &&
        other.statuses.at(-1)?.state === "success",
    );
    for (const other of replaced) {
      other.statuses.push(
        newStatus(call, other, { ...wanted, state: "inactive", description: "", environment_url: "" }),
      );
    }
  }
  world.touch();
  const json = statusJson(call, deployment, status);
  return reply(201, json, { location: String(json["url"]) });
}

export const deploymentRoutes: Routes = {
  "GET /repos/{owner}/{repo}/deployments": list,
  "POST /repos/{owner}/{repo}/deployments": create,
  "GET /repos/{owner}/{repo}/deployments/{deployment_id}": (call) => reply(200, deploymentJson(call, find(call))),
  "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses": (call) => {
    const deployment = find(call);
    return page(
      call,
      deployment.statuses.toReversed().map((status) => statusJson(call, deployment, status)),
    );
  },
  "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses": createStatus,
};
