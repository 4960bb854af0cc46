import { rm } from "node:fs/promises";
import { z } from "zod";
import { actor, body, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, notFound, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { writeCommit, type Person } from "../repository/commits.ts";
import { git, gitBytes, resolveObject } from "../repository/git.ts";
import type { Repository } from "../world.ts";
import { gitCommitJson } from "./commit-shape.ts";
import { commitBySha, resolveRef } from "./find.ts";
import { nodeId, repositoryUrl, type Json } from "./shape.ts";

const NewBlob = z.object({ content: z.string(), encoding: z.enum(["utf-8", "base64"]).default("utf-8") });
const TreeEntry = z.object({
  path: z.string().min(1),
  mode: z.enum(["100644", "100755", "040000", "160000", "120000"]),
  type: z.enum(["blob", "tree", "commit"]).optional(),
  sha: z.string().nullish(),
  content: z.string().optional(),
});
const NewTree = z.object({ tree: z.array(TreeEntry).min(1), base_tree: z.string().optional() });
export const PersonInput = z.object({ name: z.string(), email: z.string(), date: z.string().optional() });
const NewCommit = z.object({
  message: z.string(),
  tree: z.string(),
  parents: z.array(z.string()).default([]),
  author: PersonInput.optional(),
  committer: PersonInput.partial().optional(),
});
const SHA = /^[0-9a-f]{40}$/;

/** Author or committer as given, or the caller at this moment. */
export function person(
  call: Call,
  given: { name?: string | undefined; email?: string | undefined; date?: string | undefined } | undefined,
): Person {
  const login = actor(call);
  const now = call.world.clock.timestamp();
  return {
    name: given?.name ?? login,
    email: given?.email ?? `${call.world.user(login).id}+${login}@users.noreply.github.com`,
    date: given?.date ?? now,
  };
}

async function createBlob(call: Call): Promise<Reply> {
  const { content, encoding } = body(call, NewBlob);
  const bytes = Buffer.from(content, encoding);
  const sha = (await git(call.repository, ["hash-object", "-w", "--stdin"], { input: bytes })).trim();
  const url = `${repositoryUrl(call.world, call.repository)}/git/blobs/${sha}`;
  return reply(201, { sha, url }, { location: url });
}

async function getBlob(call: Call): Promise<Reply> {
  const sha = call.params["file_sha"] ?? "";
  if (!SHA.test(sha) || (await resolveObject(call.repository, sha, "blob")) === undefined) throw notFound();
  const bytes = await gitBytes(call.repository, ["cat-file", "blob", sha]);
  return reply(200, {
    sha,
    node_id: nodeId("B", sha),
    size: bytes.length,
    url: `${repositoryUrl(call.world, call.repository)}/git/blobs/${sha}`,
    content: wrapped(bytes),
    encoding: "base64",
  });
}

/** Base64 in lines of 60 characters, as GitHub sends it: a client that does not expect line breaks fails here too. */
export function wrapped(bytes: Buffer): string {
  return bytes.toString("base64").replace(/.{1,60}/g, "$&\n");
}

async function treeJson(call: Call, sha: string, recursive: boolean): Promise<Json> {
  const { repository } = call;
  const api = repositoryUrl(call.world, repository);
  const options = recursive ? ["-r", "-t"] : [];
  const text = await git(repository, ["ls-tree", "-l", "-z", ...options, sha]);
  const tree = text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode, type, id, size] = line.slice(0, tab).split(/ +/);
      const kind = type === "tree" ? "trees" : "blobs";
      return {
        path: line.slice(tab + 1),
        mode,
        type,
        sha: id,
        ...(type === "blob" ? { size: Number(size) } : {}),
        ...(type === "commit" ? {} : { url: `${api}/git/${kind}/${id}` }),
      };
    });
  return { sha, url: `${api}/git/trees/${sha}`, tree, truncated: false };
}

type Entry = z.infer<typeof TreeEntry>;

/** Lines of `git update-index --index-info`; an entry whose sha is null is taken out. */
async function indexLines(repository: Repository, entries: readonly Entry[]): Promise<string> {
  const lines: string[] = [];
  for (const entry of entries) {
    const invalid = (message: string): ApiError => new ApiError(422, message);
    if (
      entry.path.startsWith("/") ||
      entry.path.split("/").some((part) => part === "" || part === "." || part === "..")
    ) {
      throw invalid("tree.path contains a malformed path component");
    }
    if (entry.content !== undefined) {
      const sha = await git(repository, ["hash-object", "-w", "--stdin"], { input: entry.content });
      lines.push(`${entry.mode} ${sha.trim()}\t${entry.path}\0`);
    } else if (entry.sha === null) lines.push(`0 ${"0".repeat(40)}\t${entry.path}\0`);
    else if (entry.sha === undefined) throw invalid("Must supply either tree.sha or tree.content");
    else {
      const type = entry.mode === "040000" ? "tree" : "blob";
      if ((await resolveObject(repository, entry.sha, type)) === undefined) {
        throw invalid(`tree.sha ${entry.sha} is not a valid ${type}`);
      }
      lines.push(...(await indexLine(repository, entry.mode, entry.sha, entry.path)));
    }
  }
  return lines.join("");
}

/** The index holds no folders: a tree becomes its files. */
async function indexLine(repository: Repository, mode: string, sha: string, path: string): Promise<string[]> {
  if (mode !== "040000") return [`${mode} ${sha}\t${path}\0`];
  const text = await git(repository, ["ls-tree", "-r", "-z", sha]);
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => line.replace(/^(\d+) \w+ ([0-9a-f]+)\t/, `$1 $2\t${path}/`) + "\0");
}

/** A tree made of `base` with `entries` laid over it, by an index of its own. */
export async function writeTree(call: Call, base: string | undefined, entries: readonly Entry[]): Promise<string> {
  const { repository, world } = call;
  const env = { GIT_INDEX_FILE: `${world.dir}/.index-${world.nextId()}` };
  const lines = await indexLines(repository, entries);
  try {
    await git(repository, ["read-tree", base ?? "--empty"], { env });
    await git(repository, ["update-index", "-z", "--index-info"], { env, input: lines });
    return (await git(repository, ["write-tree"], { env })).trim();
  } finally {
    await rm(env.GIT_INDEX_FILE, { force: true });
  }
}

async function createTree(call: Call): Promise<Reply> {
  const wanted = body(call, NewTree);
  if (
    wanted.base_tree !== undefined &&
    (await resolveObject(call.repository, wanted.base_tree, "tree")) === undefined
  ) {
    throw notFound();
  }
  const sha = await writeTree(call, wanted.base_tree, wanted.tree);
  return reply(201, await treeJson(call, sha, false));
}

async function getTree(call: Call): Promise<Reply> {
  const ref = call.params["tree_sha"] ?? "";
  const commit = await resolveRef(call.repository, ref);
  const sha = await resolveObject(call.repository, commit ?? ref, "tree");
  if (sha === undefined) throw notFound();
  return reply(200, await treeJson(call, sha, call.query.has("recursive")));
}

async function createCommit(call: Call): Promise<Reply> {
  const { repository } = call;
  const wanted = body(call, NewCommit);
  if (!SHA.test(wanted.tree) || (await resolveObject(repository, wanted.tree, "tree")) === undefined) {
    throw new ApiError(422, "Tree SHA does not exist");
  }
  for (const parent of wanted.parents) {
    const known = SHA.test(parent) && (await resolveObject(repository, parent)) !== undefined;
    if (!known) throw new ApiError(422, "Parent SHA does not exist or is not a commit object");
  }
  const author = person(call, wanted.author);
  const committer = wanted.committer === undefined ? author : person(call, wanted.committer);
  const { message, tree, parents } = wanted;
  if (message.includes("\0")) throw validationFailed({ resource: "Commit", code: "invalid", field: "message" });
  const sha = await writeCommit(repository, { message, tree, parents, author, committer });
  const json = gitCommitJson(call.world, repository, await commitBySha(repository, sha));
  return reply(201, json, { location: String(json["url"]) });
}

export const gitObjectRoutes: Routes = {
  "POST /repos/{owner}/{repo}/git/blobs": createBlob,
  "GET /repos/{owner}/{repo}/git/blobs/{file_sha}": getBlob,
  "POST /repos/{owner}/{repo}/git/trees": createTree,
  "GET /repos/{owner}/{repo}/git/trees/{tree_sha}": getTree,
  "POST /repos/{owner}/{repo}/git/commits": createCommit,
  "GET /repos/{owner}/{repo}/git/commits/{commit_sha}": async (call) => {
    const commit = await commitBySha(call.repository, call.params["commit_sha"] ?? "");
    return reply(200, gitCommitJson(call.world, call.repository, commit));
  },
};
