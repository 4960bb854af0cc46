import { z } from "zod";
import { actor, body, reply, type Call } from "../http/call.ts";
import { notAccessible, notFound, requiresAuthentication, validationFailed } from "../http/errors.ts";
import { spend } from "../http/rate.ts";
import type { Routes } from "../http/route.ts";
import { createRepository, forkRepository } from "../repository/create.ts";
import { fullRepositoryJson, nodeId, roleOf, userJson, type Json } from "./shape.ts";

const NewRepository = z.object({ name: z.string().regex(/^[\w.-]+$/), private: z.boolean().optional() });
const WorkflowPermissions = z.object({ can_approve_pull_request_reviews: z.boolean().optional() });

function publicUser(call: Call, login: string): Json {
  const owned = [...call.world.repositories.values()].filter((repository) => repository.owner === login);
  const since = call.world.clock.timestamp();
  return {
    ...userJson(call.world, login),
    name: login,
    company: null,
    blog: null,
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: owned.filter((repository) => !repository.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: since,
    updated_at: since,
  };
}

function collaborator(call: Call): Json {
  const login = call.params["username"] ?? "";
  if (!call.world.users.has(login)) throw notFound();
  const role = roleOf(call.repository, login);
  const level = role ?? (call.repository.private ? "none" : "read");
  const permissions = {
    admin: level === "admin",
    maintain: level === "admin",
    push: level === "admin" || level === "write",
    triage: level === "admin" || level === "write",
    pull: level !== "none",
  };
  return {
    permission: level,
    role_name: level,
    user: { ...userJson(call.world, login), permissions, role_name: level },
  };
}

export const repositoryRoutes: Routes = {
  "GET /rate_limit": (call) => {
    const { limit, used, remaining, reset } = spend(call.world, call.token, 0);
    const rate = { limit, used, remaining, reset };
    return reply(200, { resources: { core: rate, search: { ...rate, limit: 30, used: 0, remaining: 30 } }, rate });
  },
  "GET /user": (call) => {
    if (call.token === undefined) throw requiresAuthentication();
    // A job's token belongs to an installation, which is no user.
    if (call.token.permissions !== undefined) throw notAccessible([]);
    return reply(200, publicUser(call, call.token.login));
  },
  "GET /users/{username}": (call) => {
    const login = call.params["username"] ?? "";
    if (!call.world.users.has(login)) throw notFound();
    return reply(200, publicUser(call, login));
  },
  "POST /user/repos": async (call) => {
    if (call.token?.permissions !== undefined) throw notAccessible([]);
    const owner = actor(call);
    const wanted = body(call, NewRepository);
    if (call.world.repositories.has(`${owner}/${wanted.name}`)) {
      const message = "name already exists on this account";
      throw validationFailed({ resource: "Repository", code: "custom", field: "name", message });
    }
    const made = await createRepository(call.world, { owner, name: wanted.name, private: wanted.private ?? false });
    return reply(201, fullRepositoryJson(call.world, made, owner));
  },
  "GET /repos/{owner}/{repo}": (call) =>
    reply(200, {
      ...fullRepositoryJson(call.world, call.repository, call.token?.login),
      node_id: nodeId("R", call.repository.id),
    }),
  "POST /repos/{owner}/{repo}/forks": async (call) => {
    const owner = actor(call);
    return reply(202, fullRepositoryJson(call.world, await forkRepository(call.world, call.repository, owner), owner));
  },
  "GET /repos/{owner}/{repo}/collaborators/{username}/permission": (call) => reply(200, collaborator(call)),
  "GET /repos/{owner}/{repo}/actions/permissions/workflow": ({ repository }) =>
    reply(200, {
      default_workflow_permissions: "read",
      can_approve_pull_request_reviews: repository.allowActionsPullRequests,
    }),
  "PUT /repos/{owner}/{repo}/actions/permissions/workflow": (call) => {
    const wanted = body(call, WorkflowPermissions);
    if (wanted.can_approve_pull_request_reviews !== undefined) {
      call.repository.allowActionsPullRequests = wanted.can_approve_pull_request_reviews;
      call.world.touch();
    }
    return reply(204);
  },
};
