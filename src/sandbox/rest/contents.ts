import { z } from "zod";
import { body, mover, reply, type Call, type Reply } from "../http/call.ts";
import { ApiError, invalidRequest, notFound } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import { writeCommit } from "../repository/commits.ts";
import { git, gitBytes, objectAt, tryGit } from "../repository/git.ts";
import { branchHead, changeRefs } from "../repository/refs.ts";
import { gitCommitJson } from "./commit-shape.ts";
import { commitBySha, resolveRef } from "./find.ts";
import { person, PersonInput, wrapped, writeTree } from "./git-objects.ts";
import { pageUrl, repositoryUrl, type Json } from "./shape.ts";

const NewContent = z.object({
  message: z.string(),
  content: z.string(),
  sha: z.string().optional(),
  branch: z.string().optional(),
  author: PersonInput.optional(),
  committer: PersonInput.optional(),
});
/** Above this GitHub sends no content here, only the metadata. */
const MAX_INLINE = 1024 * 1024;

interface Entry {
  readonly type: "file" | "dir" | "symlink" | "submodule";
  readonly path: string;
  readonly sha: string;
  readonly size: number;
}

const TYPES: Readonly<Record<string, Entry["type"]>> = { tree: "dir", commit: "submodule", blob: "file" };

function entryJson(call: Call, ref: string, entry: Entry): Json {
  const path = entry.path.split("/").map(encodeURIComponent).join("/");
  const api = repositoryUrl(call.world, call.repository);
  const page = pageUrl(call.world, call.repository);
  const folder = entry.type === "dir";
  const self = `${api}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const gitUrl = `${api}/git/${folder ? "trees" : "blobs"}/${entry.sha}`;
  const html = `${page}/${folder ? "tree" : "blob"}/${ref}/${path}`;
  return {
    type: entry.type,
    name: entry.path.split("/").at(-1),
    path: entry.path,
    sha: entry.sha,
    size: entry.size,
    url: self,
    html_url: html,
    git_url: gitUrl,
    download_url: folder ? null : `${page}/raw/${ref}/${path}`,
    _links: { self, git: gitUrl, html },
  };
}

async function listing(call: Call, revision: string): Promise<Entry[]> {
  const text = await git(call.repository, ["ls-tree", "-l", "-z", revision]);
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", kind = "", sha = "", size = ""] = line.slice(0, tab).split(/ +/);
      const type = mode === "120000" ? "symlink" : (TYPES[kind] ?? "file");
      return { type, path: line.slice(tab + 1), sha, size: Number(size) || 0 };
    });
}

async function get(call: Call): Promise<Reply> {
  const { repository, params, query } = call;
  const ref = query.get("ref") ?? repository.defaultBranch;
  const path = (params["path"] ?? "").replace(/^\/+|\/+$/g, "");
  const commit = await resolveRef(repository, ref);
  if (commit === undefined) throw new ApiError(404, `No commit found for the ref ${ref}`);
  const found = await objectAt(repository, commit, path);
  if (found?.type === "tree") {
    const entries = (await listing(call, found.sha)).map((entry) => ({
      ...entry,
      path: path === "" ? entry.path : `${path}/${entry.path}`,
    }));
    return reply(
      200,
      entries.map((entry) => entryJson(call, ref, entry)),
    );
  }
  if (found?.type !== "blob") throw notFound();
  const blob = found.sha;
  const bytes = await gitBytes(repository, ["cat-file", "blob", blob]);
  if ((call.request.headers.get("accept") ?? "").includes("raw")) {
    return { status: 200, bytes, headers: { "content-type": "application/vnd.github.raw; charset=utf-8" } };
  }
  const inline = bytes.length <= MAX_INLINE;
  const entry: Entry = { type: "file", path, sha: blob, size: bytes.length };
  return reply(200, {
    ...entryJson(call, ref, entry),
    content: inline ? wrapped(bytes) : "",
    encoding: inline ? "base64" : "none",
  });
}

async function put(call: Call): Promise<Reply> {
  const { repository, world } = call;
  const wanted = body(call, NewContent);
  const path = call.params["path"] ?? "";
  if (call.token?.permissions !== undefined && path.startsWith(".github/workflows/")) {
    throw new ApiError(403, "Resource not accessible by integration");
  }
  const branch = wanted.branch ?? repository.defaultBranch;
  const content = Buffer.from(wanted.content, "base64");
  const blob = (await git(repository, ["hash-object", "-w", "--stdin"], { input: content })).trim();
  const { sha, known } = await changeRefs(world, repository, mover(call), async () => {
    const head = await branchHead(repository, branch);
    const empty = (await git(repository, ["for-each-ref", "--count=1"])) === "";
    if (head === undefined && !empty) throw new ApiError(404, `Branch ${branch} not found`);
    const before = head === undefined ? undefined : (await objectAt(repository, head, path))?.sha;
    if (before !== undefined && wanted.sha === undefined) throw invalidRequest(`"sha" wasn't supplied.`);
    if (wanted.sha !== undefined && before !== wanted.sha) {
      throw new ApiError(409, `${path} does not match ${wanted.sha}`);
    }
    const tree = await writeTree(call, head, [{ path, mode: "100644", sha: blob }]);
    const author = person(call, wanted.author ?? wanted.committer);
    const committer = person(call, wanted.committer ?? wanted.author);
    const parents = head === undefined ? [] : [head];
    const made = await writeCommit(repository, { tree, parents, message: wanted.message, author, committer });
    const moved = await tryGit(repository, ["update-ref", `refs/heads/${branch}`, made, head ?? ""]);
    if (moved.exitCode !== 0) throw new ApiError(409, `${path} does not match ${wanted.sha ?? ""}`);
    return { sha: made, known: before !== undefined };
  });
  const entry: Entry = { type: "file", path, sha: blob, size: content.length };
  return reply(known ? 200 : 201, {
    content: entryJson(call, branch, entry),
    commit: gitCommitJson(world, repository, await commitBySha(repository, sha)),
  });
}

export const contentRoutes: Routes = {
  "GET /repos/{owner}/{repo}/contents/{path}": get,
  "PUT /repos/{owner}/{repo}/contents/{path}": put,
};
