import { spawn } from "../../core/index.ts";
import type { Repository } from "../world.ts";

export interface CommitLine {
  readonly sha: string;
  readonly author: string;
  readonly date: string;
  readonly subject: string;
}

const SHOWN_COMMITS = 100;
const SHOWN_DIFF = 200_000;

async function git(repository: Repository, ...args: string[]): Promise<string> {
  const result = await spawn("git", ["-C", repository.gitDir, ...args]);
  return result.exitCode === 0 ? result.stdout.toString() : "";
}

/** Commits of `range`, newest first; at most 100. Empty when the range names nothing. */
export async function commits(repository: Repository, range: string): Promise<CommitLine[]> {
  const text = await git(
    repository,
    "log",
    "-z",
    `-n${SHOWN_COMMITS}`,
    "--format=%H%x1f%an%x1f%aI%x1f%s",
    "--end-of-options",
    range,
  );
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [sha = "", author = "", date = "", subject = ""] = line.split("\u001f");
      return { sha, author, date, subject };
    });
}

export async function commitsBetween(repository: Repository, base: string, head: string): Promise<CommitLine[]> {
  return (await commits(repository, `${base}..${head}`)).reverse();
}

/** The change from where head left base; cut at 200,000 characters. */
export async function diffBetween(repository: Repository, base: string, head: string): Promise<string> {
  return (await git(repository, "diff", "--no-color", "--end-of-options", `${base}...${head}`))
    .slice(0, SHOWN_DIFF)
    .trimEnd();
}

/** Files at a revision, with sizes in bytes. */
export async function files(repository: Repository, revision: string): Promise<{ path: string; size: number }[]> {
  const text = await git(repository, "ls-tree", "-r", "-l", "-z", "--end-of-options", revision);
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [head = "", path = ""] = line.split("\t");
      return { path, size: Number(head.trim().split(/\s+/).at(-1)) };
    });
}

/** A text file's content; undefined when it is not there or is not text. */
export async function fileText(repository: Repository, revision: string, path: string): Promise<string | undefined> {
  const result = await spawn("git", ["-C", repository.gitDir, "cat-file", "blob", `${revision}:${path}`]);
  return result.exitCode === 0 && !result.stdout.includes(0) ? result.stdout.toString() : undefined;
}

export async function branches(repository: Repository): Promise<string[]> {
  const text = await git(repository, "for-each-ref", "--format=%(refname:short)", "refs/heads");
  return text.split("\n").filter((line) => line !== "");
}
