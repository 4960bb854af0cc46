import { fail, ok, spawn } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";

export interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** Set by git for its hooks: they would point our commands at another index or repository than that of `cwd`. */
const OF_A_HOOK = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_PREFIX",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_QUARANTINE_PATH",
];

/** The environment of every git process: no prompt, messages in English (some are matched), no lock for a mere look. */
export function gitEnvironment(
  context: Context,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = { ...context.env };
  for (const name of OF_A_HOOK) delete env[name];
  return { ...env, GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C", ...extra };
}

/** Standard output of a git command, as bytes. A command that ends with anything but 0 is a `git` failure. */
export async function gitBytes(
  context: Context,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<Buffer>> {
  const { exitCode, stdout, stderr } = await spawn("git", args, {
    cwd: context.cwd,
    env: gitEnvironment(context, options.env),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  if (exitCode === 0) return ok(stdout);
  if (context.signal?.aborted) return fail({ code: "interrupted" });
  return fail({ code: "git", command: redact(args.join(" ")), exitCode, stderr: redact(stderr) });
}

/** Standard output of a git command, as text. */
export async function git(
  context: Context,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<string>> {
  const result = await gitBytes(context, args, options);
  return result.ok ? ok(result.value.toString()) : result;
}

/** Removes user names and passwords from the URLs of a message. */
export function redact(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, "$1***@");
}
