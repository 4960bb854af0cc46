import { fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { CatFile, git } from "../../git/index.ts";
import { LOCKFILES, rootsOf } from "./lockfile.ts";
import { together } from "./root.ts";
import type { Marks, MarkSource } from "./root.ts";

/** Which commits behind the tips count. */
export interface HistoryOptions {
  /** Only the tips themselves. */
  readonly tipsOnly?: boolean;
  /** The tips, and what was committed since. */
  readonly since?: Date;
}

/**
 * The roots in every lockfile of every commit that can be reached from these, whatever their number with four git
 * processes: one names the commits, one says what lockfiles each has, one reads them (each content once).
 */
export async function marksOfHistory(
  context: Context,
  tips: readonly string[],
  source: MarkSource,
  options: HistoryOptions,
): Promise<Result<Marks>> {
  const commits = await commitsFrom(context, tips, options);
  if (!commits.ok) return commits;
  const lockfiles = await lockfilesIn(context, commits.value);
  if (!lockfiles.ok) return lockfiles;
  return readLockfiles(context, lockfiles.value, source);
}

/** A lockfile's content, and one place that has it. */
export interface FoundLockfile {
  readonly path: string;
  readonly oid: string;
  /** "at <commit>", or the like. */
  readonly where: string;
}

export async function readLockfiles(
  context: Context,
  lockfiles: readonly FoundLockfile[],
  source: MarkSource,
): Promise<Result<Marks>> {
  const objects = new CatFile(context);
  try {
    const marks: Marks[] = [];
    // All questions go out before the first answer is waited for.
    const answers = lockfiles.map(async ({ oid }) => objects.read(oid));
    for (const [at, { path, oid, where }] of lockfiles.entries()) {
      const object = await answers[at]!;
      if (!object.ok) return object;
      if (object.value === undefined) {
        return fail({
          code: "git",
          command: `cat-file ${oid}`,
          exitCode: 0,
          stderr: `${path} ${where}: object is missing`,
        });
      }
      marks.push(rootsOf(path, object.value.bytes.toString(), source, where));
    }
    return ok(together(marks));
  } finally {
    objects.close();
  }
}

interface Commit {
  readonly commit: string;
  readonly tree: string;
  /** When it was committed, in s since the epoch. */
  readonly time: number;
}

/** Newest first. All that touch a lockfile say all that ever was in one, merges included (see git-rev-list(1)). */
async function commitsFrom(
  context: Context,
  tips: readonly string[],
  { tipsOnly = false, since }: HistoryOptions,
): Promise<Result<Commit[]>> {
  if (tips.length === 0) return ok([]);
  if (!tipsOnly && since === undefined) return listCommits(context, tips, ["--full-history"], LOCKFILES);
  const themselves = await listCommits(context, tips, ["--no-walk=unsorted"], []);
  if (!themselves.ok || since === undefined) return themselves;
  // Not by `--since`, which stops at the first commit that a wrong clock made look old.
  const behind = await listCommits(context, tips, [], []);
  if (!behind.ok) return behind;
  const earliest = since.getTime() / 1000;
  return ok([...themselves.value, ...behind.value.filter(({ time }) => time >= earliest)]);
}

async function listCommits(
  context: Context,
  tips: readonly string[],
  options: readonly string[],
  paths: readonly string[],
): Promise<Result<Commit[]>> {
  const args = ["--no-replace-objects", "rev-list", "--format=%H %T %ct", ...options, "--stdin", "--", ...paths];
  const listed = await git(context, args, { input: `${tips.join("\n")}\n` });
  if (!listed.ok) return listed;
  const found = listed.value.matchAll(/^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (\d+)$/gm);
  return ok([...found].map(([, commit = "", tree = "", time]) => ({ commit, tree, time: Number(time) })));
}

/** Git's name of a tree without entries, by the length of the repository's names: SHA-1, SHA-256. */
const EMPTY_TREE: Readonly<Record<number, string>> = {
  40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
};

/** Every content of every lockfile in the trees of these commits, each with the first commit that has it. */
async function lockfilesIn(context: Context, commits: readonly Commit[]): Promise<Result<FoundLockfile[]>> {
  const [first] = commits;
  if (first === undefined) return ok([]);
  const byTree = new Map<string, string>();
  for (const { commit, tree } of commits) if (!byTree.has(tree)) byTree.set(tree, commit);
  const nothing = EMPTY_TREE[first.tree.length];
  const input = [...byTree.keys()].map((tree) => `${nothing} ${tree}\n`).join("");
  const args = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--", ...LOCKFILES];
  const compared = await git(context, args, { input });
  if (!compared.ok) return compared;
  const found = new Map<string, FoundLockfile>();
  let commit = "";
  const items = /([0-9a-f]{40,64}) ([0-9a-f]{40,64})\n|:0+ 100\d{3} 0+ ([0-9a-f]+) A\0([^\0]+)\0|:[^\0]+\0[^\0]+\0/g;
  for (const [, , tree, oid, path] of compared.value.matchAll(items)) {
    if (tree !== undefined) commit = byTree.get(tree) ?? "";
    if (oid === undefined || path === undefined || found.has(`${oid} ${path}`)) continue;
    found.set(`${oid} ${path}`, { path, oid, where: `at ${commit.slice(0, 12)}` });
  }
  return ok([...found.values()]);
}
