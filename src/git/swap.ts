import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { fail, isRelativePath, ok } from "../core/index.ts";
import type { Context, Failed, Result } from "../core/index.ts";
import { git } from "./command.ts";
import { fetchBranch } from "./fetch.ts";
import { writeCommit } from "./fast-import.ts";
import type { Identity } from "./fast-import.ts";
import { atCommit, resolveCommit } from "./revision.ts";
import type { Source } from "./source.ts";

/** What to write: path -> new content, or null to delete it. Everything else stays as it is. */
export interface SwapChange {
  readonly message: string;
  readonly files: ReadonlyMap<string, Uint8Array | null>;
}

export interface SwapOptions {
  /** Name or URL of a remote; "." is this repository itself. */
  readonly remote: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** A branch that is not there begins with a commit that has no parent. */
  readonly orphan?: boolean;
  /** A branch that is not there begins at this revision of the local repository. */
  readonly startFrom?: string;
  readonly author: Identity;
  /**
   * The head as this repository knows it (the empty string: there is no branch): tried first, and the branch is only
   * fetched where that is not its head any more, or there is nothing to do on it.
   */
  readonly known?: string;
  /**
   * Called with the branch as it stands (undefined: it has no commit), again after each lost race, so it must compute
   * everything from what it is given. Undefined: there is nothing to do.
   */
  readonly change: (current: Source | undefined) => Promise<Result<SwapChange | undefined>>;
  readonly attempts?: number;
  /** Called when a commit is on its way: what it does costs no time. Not called where there is nothing to write. */
  readonly meanwhile?: (() => void) | undefined;
}

/** `commit` is the head of the branch; the empty string when there is no branch and nothing to write to it. */
export interface SwapOutcome {
  readonly commit: string;
  readonly changed: boolean;
}

/** An attempt is lost to a writer who was first, so of this many writers at once each gets its turn. */
const ATTEMPTS = 100;
/** The pause after a lost race is random, up to a bound that doubles until this one. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * Moves a remote branch by one commit, only from the head that the change was computed from: another writer in
 * between makes this one read again and retry. Works on objects alone, never on the working tree or the index, and
 * leaves no ref behind. Fails with `swap-lost` when every attempt lost, and at once where the remote declines.
 */
export async function swapBranch(context: Context, options: SwapOptions): Promise<Result<SwapOutcome>> {
  const attempts = options.attempts ?? ATTEMPTS;
  const scratch = `refs/lockstep/swap-${randomUUID()}`;
  try {
    let declined: { readonly head: string; readonly failed: Failed } | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      if (attempt > 0) await wait(Math.random() * Math.min(LONGEST_PAUSE_MS, 25 * 2 ** attempt));
      const guess = attempt === 0 ? options.known : undefined;
      const found = guess === undefined ? await fetchHead(context, options, `${scratch}-base`) : ok(guess);
      if (!found.ok) return found;
      const head = found.value;
      // Declined while nobody moved the branch: not a race but a rule (a protected branch, a hook, a missing right).
      if (declined?.head === head) return declined.failed;
      const prepared = await prepare(context, options, head, `${scratch}-next`);
      if (!prepared.ok) return prepared;
      const { commit, changed } = prepared.value;
      if (!changed && guess !== undefined) continue;
      if (!changed) return ok({ commit: head, changed });
      const pushed = await push(context, options, commit, head);
      if (pushed === "moved") return ok({ commit, changed: true });
      declined = pushed === "lost" ? undefined : { head, failed: pushed };
    }
    return fail({ code: "swap-lost", ref: `${options.remote} ${options.branch}`, attempts });
  } finally {
    await git(context, ["update-ref", "--stdin"], { input: `delete ${scratch}-base\ndelete ${scratch}-next\n` });
  }
}

async function fetchHead(context: Context, { remote, branch }: SwapOptions, ref: string): Promise<Result<string>> {
  const fetched = await fetchBranch(context, remote, branch, ref);
  return fetched.ok ? ok(fetched.value ?? "") : fetched;
}

/** The commit that is to become the head; `changed` is false when the change leaves the tree as it is. */
async function prepare(
  context: Context,
  options: SwapOptions,
  head: string,
  ref: string,
): Promise<Result<SwapOutcome>> {
  let parent: string | undefined = head === "" ? undefined : head;
  if (parent === undefined && options.startFrom !== undefined) {
    const start = await resolveCommit(context, options.startFrom);
    if (!start.ok) return start;
    parent = start.value;
  }
  if (parent === undefined && options.orphan !== true) {
    return fail({ code: "unknown-name", what: "branch", name: options.branch, known: [] });
  }
  const current = parent === undefined ? undefined : atCommit(context, parent);
  const change = await options.change(current);
  if (!change.ok) return change;
  if (change.value === undefined) return ok({ commit: head, changed: false });
  for (const path of change.value.files.keys()) {
    if (isRelativePath(path) && !path.split("/").some((part) => part.toLowerCase() === ".git")) continue;
    return fail({ code: "unsupported", what: `${JSON.stringify(path)} as a path in a commit` });
  }
  return writeCommit(context, { ref, parent, current, author: options.author, change: change.value });
}

/** What git says when another writer was first or is at it now: the lease, or the lock of the ref on the server. */
const LOST = /stale info|cannot lock ref|failed to update ref|incorrect old value|reference already exists/;

/** "lost" where the remote says that the branch is no longer (or now being) what was expected. */
async function push(
  context: Context,
  { remote, branch, meanwhile }: SwapOptions,
  commit: string,
  expected: string,
): Promise<"moved" | "lost" | Failed> {
  const ref = `refs/heads/${branch}`;
  const pushing = git(context, [
    "-c",
    "push.followTags=false",
    "-c",
    "push.gpgSign=false",
    "push",
    "--porcelain",
    "--no-verify", // a person's pre-push hook is about their work, not about this commit
    "--no-recurse-submodules",
    `--force-with-lease=${ref}:${expected}`,
    remote,
    `${commit}:${ref}`,
  ]);
  meanwhile?.();
  const pushed = await pushing;
  // "=": the branch has this very commit already. Another writer made the same one from the same head, and was first.
  if (pushed.ok) return /^=\t/m.test(pushed.value) ? "lost" : "moved";
  const [failure] = pushed.failures;
  return failure.code === "git" && LOST.test(failure.stderr) ? "lost" : pushed;
}
