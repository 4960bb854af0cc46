import { z } from "zod";
import { actor, body, page, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { CommitStatus } from "../world.ts";
import { commitBySha, resolveRef } from "./find.ts";
import { minimalRepositoryJson, nodeId, repositoryUrl, userJson, type Json } from "./shape.ts";

const NewStatus = z.object({
  state: z.enum(["error", "failure", "pending", "success"]),
  target_url: z.string().nullish(),
  description: z.string().nullish(),
  context: z.string().optional(),
});
const MAX_DESCRIPTION = 140;

function statusJson(call: Call, status: CommitStatus): Json {
  const creator = userJson(call.world, status.creator);
  return {
    url: `${repositoryUrl(call.world, call.repository)}/statuses/${status.sha}`,
    avatar_url: creator["avatar_url"],
    id: status.id,
    node_id: nodeId("SC", status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  };
}

/** A combined status has statuses without their creators. */
function withoutCreator(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== "creator"));
}

async function shaOf(call: Call): Promise<string> {
  const sha = await resolveRef(call.repository, call.params["ref"] ?? "");
  if (sha === undefined) throw notFound();
  return sha;
}

const newestFirst = (call: Call, sha: string): CommitStatus[] =>
  call.repository.statuses.filter((status) => status.sha === sha).toReversed();

async function create(call: Call): Promise<Reply> {
  const sha = call.params["sha"] ?? "";
  if ((await commitBySha(call.repository, sha).catch(() => undefined)) === undefined) {
    throw new ApiError(422, `No commit found for SHA: ${sha}`);
  }
  const wanted = body(call, NewStatus);
  if ((wanted.description?.length ?? 0) > MAX_DESCRIPTION) {
    const message = `description is too long (maximum is ${MAX_DESCRIPTION} characters)`;
    throw new ApiError(422, "Validation Failed", {
      errors: [{ resource: "Status", code: "custom", field: "description", message }],
    });
  }
  const status: CommitStatus = {
    id: call.world.nextId(),
    sha,
    state: wanted.state,
    context: wanted.context ?? "default",
    description: wanted.description ?? null,
    targetUrl: wanted.target_url ?? null,
    creator: actor(call),
    createdAt: call.world.clock.timestamp(),
  };
  call.repository.statuses.push(status);
  call.world.touch();
  return reply(201, statusJson(call, status));
}

async function combined(call: Call): Promise<Reply> {
  const sha = await shaOf(call);
  const contexts = new Set<string>();
  const latest = newestFirst(call, sha).filter(({ context }) => !contexts.has(context) && contexts.add(context));
  const failed = latest.some(({ state }) => state === "failure" || state === "error");
  const passed = latest.length > 0 && latest.every(({ state }) => state === "success");
  const api = repositoryUrl(call.world, call.repository);
  return page(call, latest, (some, total) => ({
    state: failed ? "failure" : passed ? "success" : "pending",
    statuses: some.map((status) => withoutCreator(statusJson(call, status))),
    sha,
    total_count: total,
    repository: minimalRepositoryJson(call.world, call.repository),
    commit_url: `${api}/commits/${sha}`,
    url: `${api}/commits/${sha}/status`,
  }));
}

export const statusRoutes: Routes = {
  "POST /repos/{owner}/{repo}/statuses/{sha}": create,
  "GET /repos/{owner}/{repo}/commits/{ref}/status": combined,
  "GET /repos/{owner}/{repo}/commits/{ref}/statuses": async (call) => {
    const found = newestFirst(call, await shaOf(call));
    return page(
      call,
      found.map((status) => statusJson(call, status)),
    );
  },
};
