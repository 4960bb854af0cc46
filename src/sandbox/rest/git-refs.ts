import { z } from "zod";
import { body, mover, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { git, isAncestor, resolveObject, tryGit, ZERO } from "../repository/git.ts";
import { changeRefs } from "../repository/refs.ts";
import type { Repository } from "../world.ts";
import { nodeId, repositoryUrl, type Json } from "./shape.ts";

const NewRef = z.object({ ref: z.string(), sha: z.string() });
const RefChange = z.object({ sha: z.string(), force: z.boolean().default(false) });
const SHA = /^[0-9a-f]{40}$/;

async function refJson(call: Call, ref: string): Promise<Json> {
  const [type = "", sha = ""] = (
    await git(call.repository, ["for-each-ref", "--format=%(objecttype) %(objectname)", ref])
  )
    .trim()
    .split(" ");
  const api = repositoryUrl(call.world, call.repository);
  return {
    ref,
    node_id: nodeId("REF", `${api}:${ref}`),
    url: `${api}/git/${ref}`,
    object: { type, sha, url: `${api}/git/${type}s/${sha}` },
  };
}

async function current(repository: Repository, ref: string): Promise<string | undefined> {
  const result = await tryGit(repository, ["show-ref", "--verify", "--hash", ref]);
  return result.exitCode === 0 ? result.stdout.toString().trim() : undefined;
}

/** Only branches and tags: pull request refs belong to the server. */
const isOurs = (ref: string): boolean => /^refs\/(heads|tags)\/./.test(ref);

/** A job's token cannot bring a changed workflow file into the repository. */
async function refuseWorkflows(call: Call, sha: string): Promise<void> {
  if (call.token?.permissions === undefined) return;
  const text = await git(call.repository, [
    "log",
    "--format=",
    "--name-only",
    sha,
    "--not",
    "--all",
    "--",
    ".github/workflows",
  ]);
  if (text.trim() !== "") throw new ApiError(403, "Resource not accessible by integration");
}

async function create(call: Call): Promise<Reply> {
  const { ref, sha } = body(call, NewRef);
  const { repository } = call;
  if (!isOurs(ref))
    throw new ApiError(422, "Reference name must start with 'refs/' and contain at least three path components.");
  if ((await tryGit(repository, ["check-ref-format", ref])).exitCode !== 0)
    throw new ApiError(422, `${ref} is not a valid ref name.`);
  if (!SHA.test(sha) || (await resolveObject(repository, sha, "object")) === undefined) {
    throw new ApiError(422, "Object does not exist");
  }
  await refuseWorkflows(call, sha);
  await changeRefs(call.world, repository, mover(call), async () => {
    const made = await tryGit(repository, ["update-ref", ref, sha, ZERO]);
    if (made.exitCode !== 0) throw new ApiError(422, "Reference already exists");
  });
  const json = await refJson(call, ref);
  return reply(201, json, { location: String(json["url"]) });
}

async function update(call: Call): Promise<Reply> {
  const { repository } = call;
  const ref = `refs/${call.params["ref"]}`;
  const { sha, force } = body(call, RefChange);
  if (!isOurs(ref)) throw new ApiError(422, "Reference does not exist");
  if (!SHA.test(sha) || (await resolveObject(repository, sha, "object")) === undefined) {
    throw new ApiError(422, "Object does not exist");
  }
  await refuseWorkflows(call, sha);
  await changeRefs(call.world, repository, mover(call), async () => {
    const before = await current(repository, ref);
    if (before === undefined) throw new ApiError(422, "Reference does not exist");
    if (!force && !(await isAncestor(repository, before, sha))) throw new ApiError(422, "Update is not a fast forward");
    await git(repository, ["update-ref", ref, sha, before]);
  });
  return reply(200, await refJson(call, ref));
}

async function remove(call: Call): Promise<Reply> {
  const { repository } = call;
  const ref = `refs/${call.params["ref"]}`;
  if (!isOurs(ref)) throw new ApiError(422, "Reference does not exist");
  await changeRefs(call.world, repository, mover(call), async () => {
    const before = await current(repository, ref);
    if (before === undefined) throw new ApiError(422, "Reference does not exist");
    await git(repository, ["update-ref", "-d", ref, before]);
  });
  return reply(204);
}

export const gitRefRoutes: Routes = {
  "GET /repos/{owner}/{repo}/git/ref/{ref}": async (call) => {
    const ref = `refs/${call.params["ref"]}`;
    if ((await current(call.repository, ref)) === undefined) throw notFound();
    return reply(200, await refJson(call, ref));
  },
  "GET /repos/{owner}/{repo}/git/matching-refs/{ref}": async (call) => {
    const prefix = `refs/${call.params["ref"]}`;
    const text = await git(call.repository, [
      "for-each-ref",
      "--format=%(refname)",
      "refs/heads",
      "refs/tags",
      "refs/pull",
    ]);
    const names = text.split("\n").filter((name) => name.startsWith(prefix));
    return reply(200, await Promise.all(names.map(async (name) => refJson(call, name))));
  },
  "POST /repos/{owner}/{repo}/git/refs": create,
  "PATCH /repos/{owner}/{repo}/git/refs/{ref}": update,
  "DELETE /repos/{owner}/{repo}/git/refs/{ref}": remove,
};
