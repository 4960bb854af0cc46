import { z } from "zod";
import { body, page, reply, type Call } from "../http/call.ts";
import { ApiError, notFound, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { Json } from "./shape.ts";

const NAME = z.string().regex(/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i);
const NewVariable = z.object({ name: NAME, value: z.string() });
const VariableChange = z.object({ name: NAME.optional(), value: z.string().optional() });

function variableJson(call: Call, name: string): Json {
  const { createdAt, variables } = call.repository;
  return { name, value: variables[name], created_at: createdAt, updated_at: createdAt };
}

/** Names are kept in upper case, as GitHub keeps them. */
function find(call: Call): string {
  const name = (call.params["name"] ?? "").toUpperCase();
  if (call.repository.variables[name] === undefined) throw notFound();
  return name;
}

export const variableRoutes: Routes = {
  "GET /repos/{owner}/{repo}/actions/variables": (call) =>
    page(call, Object.keys(call.repository.variables), (some, total) => ({
      total_count: total,
      variables: some.map((name) => variableJson(call, name)),
    })),
  "POST /repos/{owner}/{repo}/actions/variables": (call) => {
    const wanted = body(call, NewVariable);
    const name = wanted.name.toUpperCase();
    if (call.repository.variables[name] !== undefined)
      throw new ApiError(409, "Already exists - Variable already exists");
    call.repository.variables[name] = wanted.value;
    call.world.touch();
    return reply(201, {});
  },
  "GET /repos/{owner}/{repo}/actions/variables/{name}": (call) => reply(200, variableJson(call, find(call))),
  "PATCH /repos/{owner}/{repo}/actions/variables/{name}": (call) => {
    const name = find(call);
    const wanted = body(call, VariableChange);
    const renamed = wanted.name?.toUpperCase() ?? name;
    const { variables } = call.repository;
    if (renamed !== name && variables[renamed] !== undefined) {
      throw validationFailed({ resource: "Variable", code: "already_exists", field: "name" });
    }
    const value = wanted.value ?? variables[name] ?? "";
    delete variables[name];
    variables[renamed] = value;
    call.world.touch();
    return reply(204);
  },
  "DELETE /repos/{owner}/{repo}/actions/variables/{name}": (call) => {
    delete call.repository.variables[find(call)];
    call.world.touch();
    return reply(204);
  },
};
