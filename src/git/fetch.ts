import { setTimeout as wait } from "node:timers/promises";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { git } from "./command.ts";

const ATTEMPTS = 20;

/** Another fetch in the same clone is writing the list of shallow commits just now. */
function isBusy(result: Result<string>): boolean {
  return !result.ok && result.failures.some((failure) => failure.code === "git" && /shallow/.test(failure.stderr));
}

/**
 * Fetches a branch into a local ref and gives its head; undefined when the remote has no such branch (the local ref
 * is then deleted). Only a clone that is shallow already fetches shallowly: a depth would cut the history that
 * a full clone has.
 */
export async function fetchBranch(
  context: Context,
  remote: string,
  branch: string,
  ref: string,
): Promise<Result<string | undefined>> {
  const shallow = await git(context, ["rev-parse", "--is-shallow-repository"]);
  if (!shallow.ok) return shallow;
  const args = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--refmap=", // or the head would go to refs/remotes too, where two fetches at once can collide
    ...(shallow.value.trim() === "true" ? ["--depth=1"] : []),
    "--end-of-options",
    remote,
    `+refs/heads/${branch}:${ref}`,
  ];
  let fetched = await git(context, args);
  for (let attempt = 0; attempt < ATTEMPTS && isBusy(fetched); attempt++) {
    await wait(20 + Math.random() * 100);
    fetched = await git(context, args);
  }
  if (!fetched.ok) {
    const [failure] = fetched.failures;
    if (failure.code !== "git" || !failure.stderr.includes("couldn't find remote ref")) return fetched;
    const deleted = await git(context, ["update-ref", "-d", ref]);
    return deleted.ok ? ok(undefined) : deleted;
  }
  const head = await git(context, ["rev-parse", "--verify", ref]);
  return head.ok ? ok(head.value.trim()) : head;
}
