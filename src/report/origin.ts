import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { git } from "../git/index.ts";
import { refuse } from "./artifact.ts";

/** Commits that a report is about, all of them here as git objects. */
export interface Origin {
  /** Head of the base branch as it is now: its rules judge. */
  readonly baseHead: string;
  /** What the change is compared with. */
  readonly base: string;
}

/** Where `fetchCommits` leaves the commit that merges a pull request, where the forge has made one. */
export function mergeRef(pullRequest: number): string {
  return `refs/lockstep/pull/${pullRequest}/merge`;
}

/**
 * Fetches the base branch and the pull request's commits, without checking anything out, and gives the base branch's
 * head and the commit that the head branched from.
 */
export async function fetchCommits(
  context: Context,
  options: {
    readonly remote: string;
    readonly baseBranch: string;
    readonly pullRequest: number;
    readonly headSha: string;
  },
): Promise<Result<{ baseHead: string; mergeBase: string | null }>> {
  const { remote, baseBranch, pullRequest, headSha } = options;
  const here = `refs/lockstep/pull/${pullRequest}`;
  const shallow = await git(context, ["rev-parse", "--is-shallow-repository"]);
  if (!shallow.ok) return shallow;
  const fetched = await git(context, [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--refmap=",
    ...(shallow.value.trim() === "true" ? ["--unshallow"] : []),
    "--end-of-options",
    remote,
    `+refs/heads/${baseBranch}:${here}-base`,
    `+refs/pull/${pullRequest}/*:${here}/*`, // head and, where there is one, merge
  ]);
  if (!fetched.ok) return fetched;
  const baseHead = await git(context, ["rev-parse", "--verify", `${here}-base^{commit}`]);
  if (!baseHead.ok) return baseHead;
  const merged = await git(context, ["merge-base", baseHead.value.trim(), headSha]);
  return ok({ baseHead: baseHead.value.trim(), mergeBase: merged.ok ? merged.value.trim() : null });
}

/**
 * The base of a result's commit. The commit has to be the head itself, or a merge whose second parent is the head and
 * whose first lies on the base branch: a result about any other tree is not about this pull request.
 */
export async function checkCommit(
  context: Context,
  options: {
    readonly remote: string;
    readonly commit: string;
    readonly headSha: string;
    readonly baseHead: string;
    readonly mergeBase: string | null;
  },
): Promise<Result<string>> {
  const { commit, headSha, baseHead } = options;
  if (commit === headSha) {
    if (options.mergeBase !== null) return ok(options.mergeBase);
    return refuse("the pull request shares no history with its base branch");
  }
  const parents = await parentsOf(context, options);
  if (!parents.ok) return parents;
  const [first, second, ...others] = parents.value;
  if (first === undefined || second !== headSha || others.length > 0)
    return refuse(`it is about commit ${commit}, which does not merge this pull request's head ${headSha}`);
  const onBase = await git(context, ["merge-base", "--is-ancestor", first, baseHead]);
  if (onBase.ok) return ok(first);
  const [failure] = onBase.failures;
  if (failure.code !== "git" || failure.exitCode !== 1) return onBase;
  return refuse(`it is about commit ${commit}, whose first parent ${first} is not on the base branch`);
}

/** GitHub keeps one merge ref per pull request, and older merge commits for a while, by their name. */
async function parentsOf(
  context: Context,
  { remote, commit }: { readonly remote: string; readonly commit: string },
): Promise<Result<string[]>> {
  const list = ["rev-list", "--parents", "--max-count=1", "--end-of-options", commit];
  let listed = await git(context, list);
  if (!listed.ok) {
    await git(context, ["fetch", "--quiet", "--no-tags", "--refmap=", "--end-of-options", remote, commit]);
    listed = await git(context, list);
  }
  if (listed.ok) return ok(listed.value.trim().split(" ").slice(1));
  return fail({
    code: "result-refused",
    reason: `it is about commit ${commit}, which the repository does not have`,
    hint: "a later push may have replaced it; its own run will report",
  });
}
