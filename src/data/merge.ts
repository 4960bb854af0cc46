import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { all, attempt, fail, fileJson, ok, spawn } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { DataLock } from "../config/index.ts";
import { CatFile, git, workingTree } from "../git/index.ts";
import { changeDataLock, DATA_LOCK, loadDataLock, saveDataLock } from "./lock.ts";
import { parseDataLock } from "./lock-text.ts";
import type { Side } from "./merge-entries.ts";
import type { LockSides } from "./merge-lock.ts";
import { mergeLocks } from "./merge-trees.ts";
import type { MergedLock, MergeStores } from "./merge-trees.ts";

export interface MergeOptions {
  readonly stores: MergeStores;
  /** Whose version to take where both changed the same; absent: that is a conflict. */
  readonly prefer?: Side;
}

/** Paths, absolute or from the repository's root. */
export interface MergeFiles {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

const EMPTY: DataLock = { lockfileVersion: 1, datasets: {} };
const MARKER = /^<{7}( |$)/m;

/**
 * Resolves a `data.lock.json` that git could not merge, from the three versions in git's index: manifests first, then
 * the lockfile, then `git add`. With a conflict left nothing is written. Null: git has no conflict in that file.
 */
export async function mergeData(context: Context, options: MergeOptions): Promise<Result<MergedLock | null>> {
  const stages = await readStages(context);
  if (!stages.ok) return stages;
  if (stages.value === undefined) {
    const lock = await loadDataLock(workingTree(context));
    return lock.ok ? ok(null) : lock;
  }
  const texts = stages.value;
  const sides = parseSides(texts);
  if (!sides.ok) return sides;
  const merged = await mergeLocks(context, sides.value, options);
  if (!merged.ok) return merged;
  const resolved = await changeDataLock(context, async () => resolveConflict(context, texts, merged.value.lock));
  return resolved.ok ? merged : resolved;
}

/** Writes the merged lockfile where git left the conflict, and nowhere else. */
async function resolveConflict(context: Context, texts: Texts, lock: DataLock): Promise<Result<void>> {
  const there = await workingTree(context).read(DATA_LOCK);
  if (!there.ok) return there;
  const text = there.value?.toString();
  const known = [texts.ours, texts.theirs, fileJson(lock)];
  if (text !== undefined && !MARKER.test(text) && !known.includes(text)) {
    const message = `${DATA_LOCK} was edited after git stopped the merge`;
    const hint = `\`git add ${DATA_LOCK}\` if it is right; \`git checkout --merge ${DATA_LOCK}\` to begin again`;
    return fail({ code: "usage", message, hint });
  }
  const saved = await saveDataLock(context, lock);
  if (!saved.ok) return saved;
  const added = await git(context, ["add", "--", DATA_LOCK]);
  if (!added.ok) return added;
  context.emit({ type: "effect", name: "merge resolved" });
  return ok();
}

/**
 * As git's merge driver: merges the versions in three files (base, ours, theirs) into the second. On a conflict that
 * file gets git's own markers, and the failures say why; git then leaves the path unmerged, as `mergeData` finds it.
 */
export async function mergeDriver(
  context: Context,
  files: MergeFiles,
  options: MergeOptions,
): Promise<Result<MergedLock>> {
  const texts = await Promise.all([files.base, files.ours, files.theirs].map((path) => textOf(context, path)));
  const read = all(texts);
  if (!read.ok) return read;
  const [base = "", ours = "", theirs = ""] = read.value;
  const sides = parseSides({ base, ours, theirs });
  const merged = sides.ok ? await mergeLocks(context, sides.value, options) : sides;
  const result = merged.ok ? ok(fileJson(merged.value.lock)) : await marked(context, files, ours, theirs);
  if (!result.ok) return result;
  const written = await attempt(files.ours, () => writeFile(resolve(context.cwd, files.ours), result.value));
  return written.ok ? merged : written;
}

interface Texts {
  readonly base: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/** The versions of the lockfile in git's index; undefined when it is not in the middle of a merge. */
async function readStages(context: Context): Promise<Result<Texts | undefined>> {
  const objects = new CatFile(context);
  try {
    const stages = all(await Promise.all([1, 2, 3].map((stage) => objects.read(`:${stage}:${DATA_LOCK}`))));
    if (!stages.ok) return stages;
    const [base, ours, theirs] = stages.value.map((object) => object?.bytes.toString());
    return ok(ours === undefined && theirs === undefined ? undefined : { base, ours, theirs });
  } finally {
    objects.close();
  }
}

/** A side without a lockfile has no datasets. */
function parseSides(texts: Texts): Result<LockSides> {
  const parse = (side: keyof Texts): Result<DataLock> => {
    const text = texts[side];
    return text === undefined || text === "" ? ok(EMPTY) : parseDataLock(`${DATA_LOCK} (${side})`, text);
  };
  const read = all([parse("base"), parse("ours"), parse("theirs")]);
  if (!read.ok) return read;
  const [base = EMPTY, ours = EMPTY, theirs = EMPTY] = read.value;
  return ok({ base, ours, theirs });
}

/** What git itself makes of the conflict. Texts that merge by line although their datasets do not are marked whole. */
async function marked(context: Context, files: MergeFiles, ours: string, theirs: string): Promise<Result<string>> {
  const labels = ["-L", "ours", "-L", "base", "-L", "theirs"];
  const args = ["merge-file", "-p", ...labels, "--", files.ours, files.base, files.theirs];
  const { exitCode, stdout } = await spawn("git", args, { cwd: context.cwd, env: context.env });
  const text = stdout.toString();
  if (exitCode !== null && exitCode > 0 && exitCode < 128 && MARKER.test(text)) return ok(text);
  return ok(`<<<<<<< ours\n${ours}=======\n${theirs}>>>>>>> theirs\n`);
}

async function textOf(context: Context, path: string): Promise<Result<string>> {
  return attempt(path, () => readFile(resolve(context.cwd, path), "utf8"));
}
