import { hasRight } from "../http/access.ts";
import { numberParam, type Call } from "../http/call.ts";
import { notAccessible, notFound } from "../http/errors.ts";
import { readCommit, type Commit } from "../repository/commits.ts";
import { resolveObject } from "../repository/git.ts";
import type { Issue, Repository } from "../world.ts";
import { isPull, type PullIssue } from "./pull-shape.ts";

/** The item with the id of a path parameter, or 404. */
export function byId<T extends { readonly id: number }>(call: Call, items: readonly T[], param: string): T {
  const id = numberParam(call, param);
  const found = items.find((item) => item.id === id);
  if (found === undefined) throw notFound();
  return found;
}

/**
 * The issue or pull request with a number, or 404. A job's token with a right on pull requests only reaches pull
 * requests only.
 */
export function issueByNumber(call: Call, number: number, level: "read" | "write"): Issue {
  const found = call.repository.issues.find((issue) => issue.number === number);
  if (found === undefined) throw notFound();
  const { token } = call;
  const limited = token?.permissions !== undefined && !hasRight(token, `issues:${level}`);
  if (limited && found.pull === undefined) throw notAccessible([`issues:${level}`]);
  return found;
}

export function pullByNumber(call: Call): PullIssue {
  const number = numberParam(call, "pull_number");
  const found = call.repository.issues.find((issue) => issue.number === number);
  if (!isPull(found)) throw notFound();
  return found;
}

/** Commit a branch, tag or id names, or undefined. Short ids are taken, as on GitHub. */
export async function resolveRef(repository: Repository, ref: string): Promise<string | undefined> {
  for (const name of [
    `refs/heads/${ref}`,
    `refs/tags/${ref}`,
    `refs/${ref}`,
    ...(ref.startsWith("refs/") ? [ref] : []),
  ]) {
    const sha = await resolveObject(repository, name);
    if (sha !== undefined) return sha;
  }
  if (ref === "HEAD") return resolveObject(repository, `refs/heads/${repository.defaultBranch}`);
  return /^[0-9a-f]{7,40}$/.test(ref) ? resolveObject(repository, ref) : undefined;
}

export async function commitBySha(repository: Repository, sha: string): Promise<Commit> {
  const commit = /^[0-9a-f]{40}$/.test(sha) ? await readCommit(repository, sha) : undefined;
  if (commit === undefined) throw notFound();
  return commit;
}
