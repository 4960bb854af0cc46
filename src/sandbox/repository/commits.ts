import type { Repository } from "../world.ts";
import { git, gitBytes, tryGit } from "./git.ts";

export interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 in UTC. */
  readonly date: string;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

/** One commit; a message cannot hold a NUL, so nothing in it can be taken for the next field. */
const FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B";

function instant(seconds: string | undefined): string {
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z`;
}

const FIELDS = 10;

function parseCommit(fields: readonly string[]): Commit {
  const [sha, tree, parents, an, ae, at, cn, ce, ct, message] = fields;
  return {
    sha: sha ?? "",
    tree: tree ?? "",
    parents: (parents ?? "").split(" ").filter((parent) => parent !== ""),
    author: { name: an ?? "", email: ae ?? "", date: instant(at) },
    committer: { name: cn ?? "", email: ce ?? "", date: instant(ct) },
    message: (message ?? "").replace(/\n+$/, ""),
  };
}

/** Commits as `git log` selects and orders them. */
export async function log(repository: Repository, args: readonly string[]): Promise<Commit[]> {
  const text = await git(repository, ["log", "-z", `--format=tformat:${FORMAT}`, ...args]);
  const fields = text.split("\0").slice(0, -1);
  return Array.from({ length: fields.length / FIELDS }, (_, index) =>
    parseCommit(fields.slice(index * FIELDS, (index + 1) * FIELDS)),
  );
}

export async function readCommit(repository: Repository, sha: string): Promise<Commit | undefined> {
  const result = await tryGit(repository, ["log", "-1", `--format=tformat:${FORMAT}`, sha, "--"]);
  return result.exitCode === 0 ? parseCommit(result.stdout.toString().split("\0")) : undefined;
}

export interface FileChange {
  readonly path: string;
  readonly status: "added" | "removed" | "modified" | "renamed";
  readonly previousPath?: string;
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
  /** Unified hunks without file headers; left out for binary files and large differences, as on GitHub. */
  readonly patch?: string;
}

const PATCH_LIMIT = 200_000;
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** What differs between two commits; `from` undefined compares with nothing. */
export async function changedFiles(
  repository: Repository,
  from: string | undefined,
  to: string,
): Promise<FileChange[]> {
  const range = ["-M", "--no-ext-diff", from ?? EMPTY_TREE, to];
  const [raw, numstat, patch] = await Promise.all([
    git(repository, ["diff", "--raw", "-z", "--no-abbrev", ...range]),
    git(repository, ["diff", "--numstat", "-z", ...range]),
    gitBytes(repository, ["diff", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", ...range]),
  ]);
  const hunks = patch
    .toString("utf8")
    .split(/^diff --git .*\n/m)
    .slice(1);
  const counts = parseNumstat(numstat);
  const fields = raw.split("\0");
  const changes: FileChange[] = [];
  for (let index = 0; index + 1 < fields.length;) {
    const [, , before = "", after = "", letter = ""] = (fields[index] ?? "").split(" ");
    const renamed = letter.startsWith("R");
    const first = fields[index + 1] ?? "";
    const path = renamed ? (fields[index + 2] ?? "") : first;
    index += renamed ? 3 : 2;
    const [additions, deletions] = counts.get(path) ?? [0, 0];
    const text = hunks[changes.length] ?? "";
    const start = text.indexOf("@@");
    changes.push({
      path,
      status: renamed ? "renamed" : letter === "A" ? "added" : letter === "D" ? "removed" : "modified",
      ...(renamed ? { previousPath: first } : {}),
      sha: letter === "D" ? before : after,
      additions,
      deletions,
      ...(start < 0 || text.length > PATCH_LIMIT ? {} : { patch: text.slice(start).replace(/\n$/, "") }),
    });
  }
  return changes;
}

function parseNumstat(text: string): Map<string, [number, number]> {
  const counts = new Map<string, [number, number]>();
  const fields = text.split("\0");
  for (let index = 0; index < fields.length; index += 1) {
    const [added, removed, path] = (fields[index] ?? "").split("\t");
    if (added === undefined || removed === undefined) continue;
    // A rename has an empty path here and two more fields: old and new.
    const renamed = path === "";
    const name = renamed ? (fields[index + 2] ?? "") : (path ?? "");
    if (renamed) index += 2;
    counts.set(name, [Number(added) || 0, Number(removed) || 0]);
  }
  return counts;
}

/** Names of changed paths only; cheaper than `changedFiles`. A renamed file counts with both names. */
export async function changedPaths(repository: Repository, from: string | undefined, to: string): Promise<string[]> {
  const text = await git(repository, ["diff", "--name-only", "--no-renames", "-z", from ?? EMPTY_TREE, to]);
  return text.split("\0").filter((path) => path !== "");
}

export async function mergeBase(repository: Repository, a: string, b: string): Promise<string | undefined> {
  const result = await tryGit(repository, ["merge-base", a, b]);
  return result.exitCode === 0 ? result.stdout.toString().trim() : undefined;
}

export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Person;
  readonly committer: Person;
}

/** Writes a commit object. */
export async function writeCommit(repository: Repository, commit: NewCommit): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ["-p", parent]);
  const sha = await git(repository, ["commit-tree", commit.tree, ...parents, "-F", "-"], {
    input: commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`,
    env: {
      GIT_AUTHOR_NAME: commit.author.name,
      GIT_AUTHOR_EMAIL: commit.author.email,
      GIT_AUTHOR_DATE: commit.author.date,
      GIT_COMMITTER_NAME: commit.committer.name,
      GIT_COMMITTER_EMAIL: commit.committer.email,
      GIT_COMMITTER_DATE: commit.committer.date,
    },
  });
  return sha.trim();
}
