import { spawn, type SpawnResult } from "../../core/index.ts";
import type { Repository } from "../world.ts";

export const ZERO = "0".repeat(40);

export interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** Nothing of the machine's git configuration may change what the sandbox does. */
export const CLEAN_GIT: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_COUNT: "0",
  GIT_TERMINAL_PROMPT: "0",
};

/** Arguments of `env` that start git cleanly: the rest of the environment is inherited. */
export function envArguments(env: Readonly<Record<string, string>>): string[] {
  const inherited = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS"];
  return [
    ...inherited.flatMap((name) => ["-u", name]),
    ...Object.entries({ ...CLEAN_GIT, ...env }).map(([name, value]) => `${name}=${value}`),
    "git",
  ];
}

/** Runs git in a bare repository; the exit code says how it went. */
export async function tryGit(
  repository: Pick<Repository, "gitDir">,
  args: readonly string[],
  options: GitOptions = {},
): Promise<SpawnResult> {
  const command = [...envArguments(options.env ?? {}), "--git-dir", repository.gitDir, ...args];
  return spawn("env", command, options.input === undefined ? {} : { input: options.input });
}

/** Standard output of a git command that must succeed; throws when it does not, since that is a bug here. */
export async function git(
  repository: Pick<Repository, "gitDir">,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  return (await gitBytes(repository, args, options)).toString("utf8");
}

/** As `git`, for output that is not text. */
export async function gitBytes(
  repository: Pick<Repository, "gitDir">,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Buffer> {
  const result = await tryGit(repository, args, options);
  if (result.exitCode !== 0) throw new Error(`git ${args.join(" ")} ended with ${result.exitCode}: ${result.stderr}`);
  return result.stdout;
}

/** Object id a revision names, undefined when it names nothing. `type` as in `commit` or `tree`. */
export async function resolveObject(
  repository: Pick<Repository, "gitDir">,
  revision: string,
  type: "commit" | "tree" | "blob" | "tag" | "object" = "commit",
): Promise<string | undefined> {
  const result = await tryGit(repository, [
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${revision}^{${type}}`,
  ]);
  return result.exitCode === 0 ? result.stdout.toString().trim() : undefined;
}

/** What lies at a path of a commit; "" is its root. */
export async function objectAt(
  repository: Pick<Repository, "gitDir">,
  commit: string,
  path: string,
): Promise<{ readonly type: "blob" | "tree" | "commit"; readonly sha: string } | undefined> {
  if (path === "") {
    const sha = await resolveObject(repository, commit, "tree");
    return sha === undefined ? undefined : { type: "tree", sha };
  }
  const text = await git(repository, ["ls-tree", "-z", "--full-tree", commit, "--", path]);
  const [, type, sha] = /^\d+ (blob|tree|commit) ([0-9a-f]+)\t/.exec(text) ?? [];
  return sha === undefined ? undefined : { type: type as "blob" | "tree" | "commit", sha };
}

/** True when `ancestor` is `descendant` or can be reached from it. */
export async function isAncestor(
  repository: Pick<Repository, "gitDir">,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  return (await tryGit(repository, ["merge-base", "--is-ancestor", ancestor, descendant])).exitCode === 0;
}
