import { fullName, pageUrl, repositoryJson, userJson, type Json } from "../rest/shape.ts";
import type { Repository, World } from "../world.ts";
import { changedPaths, log, mergeBase, type Commit } from "./commits.ts";
import { git, isAncestor, resolveObject, ZERO } from "./git.ts";
import { followPulls } from "./pulls.ts";
import { branchHead, type Mover, type RefChange } from "./refs.ts";

/** Commits listed in a push event; more are left out. */
const MAX_COMMITS = 2048;

/** Tells the world what moved: pull requests follow first, so that whoever hears of the push sees them as they are. */
export async function refsChanged(
  world: World,
  repository: Repository,
  mover: Mover,
  changes: readonly RefChange[],
): Promise<void> {
  repository.pushedAt = world.clock.timestamp();
  world.touch();
  const pullEvents = await followPulls(world, repository, mover, changes);
  for (const change of changes) await triggerPush(world, repository, mover, change);
  for (const fire of pullEvents) await fire();
}

async function commitsOf(world: World, repository: Repository, range: readonly string[]): Promise<Json[]> {
  const commits = await log(repository, ["--reverse", `--max-count=${MAX_COMMITS}`, ...range, "--"]);
  return Promise.all(commits.map(async (commit) => commitJson(world, repository, commit)));
}

async function commitJson(world: World, repository: Repository, commit: Commit): Promise<Json> {
  const text = await git(repository, [
    "diff-tree",
    "-r",
    "--root",
    "--no-commit-id",
    "--name-status",
    "-z",
    commit.sha,
  ]);
  const fields = text.split("\0");
  const paths = (letters: string): string[] =>
    fields.filter((_, index) => index % 2 === 1 && letters.includes(fields[index - 1] ?? "?"));
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${pageUrl(world, repository)}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: paths("A"),
    removed: paths("D"),
    modified: paths("MT"),
  };
}

/** What a push is compared with: its old head, or for a new branch where it left the default branch. */
async function comparedWith(repository: Repository, change: RefChange, after: string): Promise<string | undefined> {
  if (change.before !== ZERO) return resolveObject(repository, change.before);
  const main = await branchHead(repository, repository.defaultBranch);
  return main === undefined || main === after ? undefined : mergeBase(repository, main, after);
}

async function triggerPush(world: World, repository: Repository, mover: Mover, change: RefChange): Promise<void> {
  const deleted = change.after === ZERO;
  // A deleted branch has no workflow file to run.
  if (deleted) return;
  const after = await resolveObject(repository, change.after);
  if (after === undefined) return;
  const base = await comparedWith(repository, change, after);
  const created = change.before === ZERO;
  const forced = !created && base !== undefined && !(await isAncestor(repository, base, after));
  const commits = await commitsOf(world, repository, base === undefined ? [after] : [after, `^${base}`]);
  const page = pageUrl(world, repository);
  const short = (sha: string): string => sha.slice(0, 12);
  world.trigger({
    name: "push",
    repository: fullName(repository),
    payload: {
      ref: change.ref,
      before: change.before,
      after: change.after,
      created,
      deleted,
      forced,
      base_ref: null,
      compare: created ? `${page}/commit/${short(after)}` : `${page}/compare/${short(change.before)}...${short(after)}`,
      commits,
      head_commit: commits.at(-1) ?? null,
      repository: repositoryJson(world, repository),
      pusher: { name: mover.login, email: `${mover.login}@users.noreply.github.com` },
      sender: userJson(world, mover.login),
    },
    ref: change.ref,
    sha: after,
    headSha: after,
    headBranch: change.ref.replace(/^refs\/(heads|tags)\//, ""),
    headRepository: fullName(repository),
    actor: mover.login,
    changedPaths: await changedPaths(repository, base, after),
    byJobToken: mover.byJobToken,
  });
}
