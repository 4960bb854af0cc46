import { isPull, pullJson, type PullIssue } from "../rest/pull-shape.ts";
import { fullName, repositoryJson, userJson } from "../rest/shape.ts";
import type { Repository, World } from "../world.ts";
import { changedPaths, mergeBase, writeCommit } from "./commits.ts";
import { git, isAncestor, tryGit, ZERO } from "./git.ts";
import { branchHead, type Mover, type RefChange } from "./refs.ts";

/** Who writes the merge commits that nobody asked for. */
const GITHUB = { name: "GitHub", email: "noreply@github.com" };

/** Tree of a merge, or undefined when head and base conflict. */
export async function mergeTree(repository: Repository, base: string, head: string): Promise<string | undefined> {
  const result = await tryGit(repository, ["merge-tree", "--write-tree", "--no-messages", base, head]);
  if (result.exitCode === 0) return result.stdout.toString().trim();
  if (result.exitCode === 1) return undefined;
  throw new Error(`git merge-tree ended with ${result.exitCode}: ${result.stderr}`);
}

/**
 * Brings an open pull request up to date with its branches: its head's objects, `refs/pull/N/head`, and the test merge
 * `refs/pull/N/merge`, which is there only when the two do not conflict.
 */
export async function refreshPull(world: World, repository: Repository, issue: PullIssue): Promise<void> {
  const { pull } = issue;
  const source = world.repositories.get(pull.headRepository);
  const head = source === undefined ? undefined : await branchHead(source, pull.headBranch);
  const base = await branchHead(repository, pull.baseBranch);
  if (source === undefined || head === undefined || base === undefined) return;
  const number = issue.number;
  const unchanged = head === pull.headSha && base === pull.baseSha && pull.mergeCommitSha !== null;
  if (unchanged) return;
  if (source === repository) await git(repository, ["update-ref", `refs/pull/${number}/head`, head]);
  else await git(repository, ["fetch", "--quiet", "--no-tags", source.gitDir, `+${head}:refs/pull/${number}/head`]);
  pull.headSha = head;
  pull.baseSha = base;
  issue.updatedAt = world.clock.timestamp();
  const tree = await mergeTree(repository, base, head);
  pull.mergeable = tree !== undefined;
  if (tree === undefined) {
    pull.mergeCommitSha = null;
    await tryGit(repository, ["update-ref", "-d", `refs/pull/${number}/merge`]);
  } else {
    const who = { ...GITHUB, date: world.clock.timestamp() };
    const message = `Merge ${head} into ${base}`;
    pull.mergeCommitSha = await writeCommit(repository, {
      tree,
      parents: [base, head],
      message,
      author: who,
      committer: who,
    });
    await git(repository, ["update-ref", `refs/pull/${number}/merge`, pull.mergeCommitSha]);
  }
  world.touch();
}

/** Fires a `pull_request` event. With conflicts it starts nothing on GitHub, except when it was closed. */
export async function triggerPull(
  world: World,
  repository: Repository,
  issue: PullIssue,
  action: string,
  mover: Mover,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { pull } = issue;
  const merge = pull.mergeCommitSha;
  if (merge === null && action !== "closed") return;
  const fork = (await mergeBase(repository, pull.baseSha, pull.headSha)) ?? undefined;
  const fromHere = pull.headRepository === fullName(repository);
  world.trigger({
    name: "pull_request",
    action,
    repository: fullName(repository),
    payload: {
      action,
      number: issue.number,
      ...extra,
      pull_request: await pullJson(world, repository, issue),
      repository: repositoryJson(world, repository),
      sender: userJson(world, mover.login),
    },
    ref: `refs/pull/${issue.number}/merge`,
    sha: merge ?? pull.headSha,
    headSha: pull.headSha,
    headBranch: pull.headBranch,
    headRepository: pull.headRepository,
    actor: mover.login,
    pullRequests: fromHere ? [issue.number] : [],
    changedPaths: await changedPaths(repository, fork, pull.headSha),
    byJobToken: mover.byJobToken,
  });
}

export function closePull(world: World, issue: PullIssue, login: string): void {
  issue.state = "closed";
  issue.closedAt = world.clock.timestamp();
  issue.closedBy = login;
  issue.updatedAt = issue.closedAt;
  world.touch();
}

export function markMerged(world: World, issue: PullIssue, login: string, sha: string): void {
  closePull(world, issue, login);
  Object.assign(issue.pull, { merged: true, mergedAt: issue.closedAt, mergedBy: login, mergeCommitSha: sha });
}

/**
 * Lets every open pull request follow the refs that moved in `repository`: a new head is `synchronize`, a deleted head
 * branch closes it, a head that reached its base branch is merged. The events are given back, to be fired afterwards.
 */
export async function followPulls(
  world: World,
  repository: Repository,
  mover: Mover,
  changes: readonly RefChange[],
): Promise<(() => Promise<void>)[]> {
  const name = fullName(repository);
  const moved = new Map(changes.map((change) => [change.ref, change]));
  const events: (() => Promise<void>)[] = [];
  const fire = (target: Repository, issue: PullIssue, action: string, extra?: Record<string, unknown>): void => {
    events.push(async () => triggerPull(world, target, issue, action, mover, extra));
  };
  for (const target of world.repositories.values()) {
    for (const issue of target.issues.filter(isPull).filter((candidate) => candidate.state === "open")) {
      const { pull } = issue;
      const head = pull.headRepository === name ? moved.get(`refs/heads/${pull.headBranch}`) : undefined;
      const base = target === repository ? moved.get(`refs/heads/${pull.baseBranch}`) : undefined;
      if (head === undefined && base === undefined) continue;
      if (head?.after === ZERO) {
        closePull(world, issue, mover.login);
        fire(target, issue, "closed");
        continue;
      }
      if (base !== undefined && base.after !== ZERO && (await isAncestor(target, pull.headSha, base.after))) {
        markMerged(world, issue, mover.login, base.after);
        fire(target, issue, "closed");
        continue;
      }
      await refreshPull(world, target, issue);
      if (head !== undefined) fire(target, issue, "synchronize", { before: head.before, after: head.after });
    }
  }
  return events;
}
