import { existsSync } from "node:fs";
import { fail, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import { git } from "../../git/index.ts";

/** The remote that the team shares. */
const REMOTE = "origin";
/** Tries to fetch what was just listed: a branch that moves in between is listed again. */
const ATTEMPTS = 3;

/** What the team's remote has now. */
export interface RemoteRefs {
  readonly url: string;
  /** Full name of a ref -> what it points to. */
  readonly refs: ReadonlyMap<string, string>;
}

/** A folder that git checked a branch out into. */
export interface WorkTree {
  /** Absolute. */
  readonly path: string;
  readonly head: string | undefined;
}

/** Every branch, tag and stash of the clone, local and remote-tracking, as it stands. */
export async function localTips(context: Context): Promise<Result<string[]>> {
  const listed = await git(context, [
    "for-each-ref",
    "--format=%(objectname)",
    "refs/heads",
    "refs/tags",
    "refs/remotes",
  ]);
  if (!listed.ok) return listed;
  const stashed = await git(context, ["stash", "list", "--format=%H"]);
  if (!stashed.ok) return stashed;
  return ok([...lines(listed.value), ...lines(stashed.value)]);
}

/** Every working tree of the clone that is there. */
export async function workTrees(context: Context): Promise<Result<WorkTree[]>> {
  const listed = await git(context, ["worktree", "list", "--porcelain"]);
  if (!listed.ok) return listed;
  const trees = listed.value.split("\n\n").flatMap((block) => {
    const path = /^worktree (.+)$/m.exec(block)?.[1];
    const head = /^HEAD ([0-9a-f]+)$/m.exec(block)?.[1];
    // A branch without a commit has a HEAD of zeros.
    return path === undefined ? [] : [{ path, head: head === undefined || /^0+$/.test(head) ? undefined : head }];
  });
  return ok(trees.filter(({ path }) => existsSync(path)));
}

/** Why the history of this clone does not say everything; undefined: it does. */
export async function shallowness(context: Context): Promise<Result<Failure | undefined>> {
  const shallow = await git(context, ["rev-parse", "--is-shallow-repository"]);
  if (!shallow.ok) return shallow;
  if (shallow.value.trim() !== "true") return ok(undefined);
  const hint = "`git fetch --unshallow` (in a workflow: `fetch-depth: 0` of actions/checkout)";
  return ok({ code: "external", what: "this clone", problem: "it is shallow and lacks what older commits name", hint });
}

/** Asks the team's remote for its refs; undefined: the repository has no remote. */
export async function remoteRefs(context: Context): Promise<Result<RemoteRefs | undefined>> {
  const url = await git(context, ["config", "--get", `remote.${REMOTE}.url`]);
  if (!url.ok) {
    const [failure] = url.failures;
    return failure.code === "git" && failure.exitCode === 1 ? ok(undefined) : url;
  }
  const listed = await git(context, ["ls-remote", "--quiet", REMOTE]);
  if (!listed.ok) return unreachable(listed.failures[0]);
  const refs = new Map<string, string>();
  for (const [, oid = "", ref = ""] of listed.value.matchAll(/^([0-9a-f]+)\t(refs\/\S+)$/gm)) {
    if (!ref.endsWith("^{}")) refs.set(ref, oid);
  }
  return ok({ url: url.value.trim(), refs });
}

/**
 * Has git bring what these refs of the remote point to, and leaves no ref behind. The answer is what they point to, by
 * name: a ref that moved since it was listed is asked for again, one that is gone counts no more.
 */
export async function fetchTips(
  context: Context,
  wanted: (remote: RemoteRefs) => Promise<readonly string[]>,
): Promise<Result<ReadonlyMap<string, string>>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const remote = await remoteRefs(context);
    if (!remote.ok) return remote;
    if (remote.value === undefined) return ok(new Map());
    const { refs } = remote.value;
    const names = await wanted(remote.value);
    const tips = new Map(names.flatMap((ref) => (refs.has(ref) ? [[ref, refs.get(ref)!]] : [])));
    const lacking = await missing(context, tips);
    if (!lacking.ok) return lacking;
    if (lacking.value.length === 0) return ok(tips);
    const fetched = await git(
      context,
      [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--refmap=",
        "--stdin",
        REMOTE,
      ],
      { input: lacking.value.map((ref) => `${ref}\n`).join("") },
    );
    if (!fetched.ok && attempt === ATTEMPTS - 1) return unreachable(fetched.failures[0]);
    const still = fetched.ok ? await missing(context, tips) : fetched;
    if (still.ok && still.value.length === 0) return ok(tips);
  }
  return fail({ code: "external", what: REMOTE, problem: "its branches move faster than they are fetched" });
}

/** The refs whose commits are not in this clone. */
async function missing(context: Context, tips: ReadonlyMap<string, string>): Promise<Result<string[]>> {
  if (tips.size === 0) return ok([]);
  const input = [...tips.values()].map((oid) => `${oid}\n`).join("");
  const checked = await git(context, ["cat-file", "--batch-check=%(objecttype)"], { input });
  if (!checked.ok) return checked;
  const answers = checked.value.split("\n");
  return ok([...tips.keys()].filter((_, at) => answers[at]?.endsWith("missing") !== false));
}

function unreachable(cause: Failure): Result<never> {
  return fail({
    code: "external",
    what: REMOTE,
    problem: "its branches, tags and pull requests could not be fetched",
    hint: "`git fetch` says more; without what others pushed, what they need is not known",
    cause,
  });
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
