import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call, statusOf } from "./client.ts";
import type { GitHub } from "./client.ts";
import { LIMITS } from "./limits.ts";

/** A commit and its tree. */
export interface Head {
  readonly commit: string;
  readonly tree: string;
}

/** The head of a branch, with one request; undefined: there is no such branch. */
export async function headOf(gh: GitHub, branch: string): Promise<Result<Head | undefined>> {
  const { owner, repo } = gh;
  const found = await call(gh.octokit.rest.repos.getBranch({ owner, repo, branch }));
  if (!found.ok) return statusOf(found) === 404 ? ok(undefined) : found;
  const { sha, commit } = found.value.commit;
  return ok({ commit: sha, tree: commit.tree.sha });
}

/** A file of a branch or commit, with one request; undefined: there is none at this path. */
export async function fileAt(gh: GitHub, ref: string, path: string): Promise<Result<Buffer | undefined>> {
  const { owner, repo } = gh;
  const mediaType = { format: "raw" };
  const found = await call<unknown>(gh.octokit.rest.repos.getContent({ owner, repo, ref, path, mediaType }));
  if (!found.ok) return statusOf(found) === 404 ? ok(undefined) : found;
  // A folder is answered with a list, whatever was asked for.
  return ok(typeof found.value === "string" ? Buffer.from(found.value) : undefined);
}

export interface NewFiles {
  /** Undefined: a branch begins. */
  readonly parent: Head | undefined;
  /** Path -> text. All else stays as it is in the parent. */
  readonly files: ReadonlyMap<string, string>;
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
}

/** Makes a commit that no branch has yet; undefined: the files are in the parent as they are. */
export async function commitFiles(gh: GitHub, wanted: NewFiles): Promise<Result<string | undefined>> {
  const { owner, repo } = gh;
  const entries = [...wanted.files].map(([path, content]) => ({ path, content, mode: "100644" as const }));
  let tree = wanted.parent?.tree;
  for (let from = 0; from < entries.length; from += LIMITS.treeEntries) {
    const part = entries.slice(from, from + LIMITS.treeEntries);
    const base = tree === undefined ? {} : { base_tree: tree };
    // oxlint-disable-next-line no-await-in-loop -- each tree is laid over the one before
    const made = await call(gh.octokit.rest.git.createTree({ owner, repo, tree: part, ...base }));
    if (!made.ok) return made;
    tree = made.value.sha;
  }
  if (tree === undefined || tree === wanted.parent?.tree) return ok(undefined);
  const { message, author } = wanted;
  const parents = wanted.parent === undefined ? [] : [wanted.parent.commit];
  const made = await call(gh.octokit.rest.git.createCommit({ owner, repo, message, tree, parents, author }));
  return made.ok ? ok(made.value.sha) : made;
}

/** Moves a branch on to a commit, or begins it there. GitHub refuses (422) what does not follow from its head. */
export async function moveBranch(
  gh: GitHub,
  branch: string,
  to: { readonly commit: string; readonly begins: boolean },
): Promise<Result<unknown>> {
  const { owner, repo } = gh;
  const sha = to.commit;
  const request = { retries: 0 }; // a lost race is not mended by sending the same again
  return call<unknown>(
    to.begins
      ? gh.octokit.rest.git.createRef({ owner, repo, ref: `refs/heads/${branch}`, sha, request })
      : gh.octokit.rest.git.updateRef({ owner, repo, ref: `heads/${branch}`, sha, force: false, request }),
  );
}
