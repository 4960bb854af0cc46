import { randomUUID } from "node:crypto";
import { chmod, link, lstat, mkdir, realpath, rename, rm, stat, utimes } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { dirname, join, sep } from "node:path";
import { attempt, fail, failedIfAny, isRelativePath, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import { fromFirst, readTree } from "./closure.ts";
import { mapLimited, prepareTemporaryFolder } from "./files.ts";
import { entriesAt } from "./snapshot.ts";
import { statIndex } from "./stat-index.ts";
import type { Store } from "./store.ts";
import type { TreeEntry } from "./tree.ts";

export interface Restorable {
  readonly path: RelativePath;
  readonly kind: "file" | "tree";
  readonly digest: Digest;
}

const WIDTH = 8;
/** How far back the time of a restored file is set: more than a tick of a file system's clock. */
const BACK_MS = 50;

/**
 * Makes a path of the working tree be this output, from the first store that has each blob. What stands there already
 * and matches is left alone. The rest is built aside and published by rename: at no moment does the path hold a part
 * of the files, though it may for an instant hold nothing. Other files at the path are lost: callers protect them.
 */
export async function restore(context: Context, output: Restorable, stores: readonly Store[]): Promise<Result<void>> {
  const { path, kind, digest } = output;
  const target = join(context.cwd, path);
  const safe = await isInside(context, path);
  if (!safe.ok) return safe;
  const wanted: Result<readonly TreeEntry[]> =
    kind === "tree" ? await readTree(digest, stores, path) : ok([{ path: "", mode: "644", size: -1, digest }]);
  if (!wanted.ok) return wanted;
  const present = await entriesAt(context, path);
  // What is there and cannot be tracked (a link, say) is not replaced behind the user's back.
  if (!present.ok) return present;
  const there = present.value;
  if (there?.kind === kind && isSame(kind, there.entries, wanted.value)) return ok();

  const folder = await attempt(".lockstep/tmp", () => prepareTemporaryFolder(context));
  if (!folder.ok) return folder;
  const aside = join(folder.value, randomUUID());
  const reusable = new Map(there?.kind === "tree" ? there.entries.map((entry) => [entry.path, entry]) : []);
  try {
    const made = await attempt(path, () => mkdir(kind === "tree" ? join(aside, "new") : aside, { recursive: true }));
    if (!made.ok) return made;
    const files = await mapLimited(wanted.value, WIDTH, async (entry) => {
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      const to = join(aside, "new", entry.path);
      const same = reusable.get(entry.path);
      if (kind === "tree" && same?.digest === entry.digest && same.mode === entry.mode) {
        return attempt(path, () => reuse(join(target, entry.path), to));
      }
      return fetchFile(output, entry, stores, to);
    });
    const broken = failedIfAny(files.flatMap((result) => (result.ok ? [] : result.failures)));
    if (broken) return broken;
    const swapped = await attempt(path, () => swap(aside, target));
    if (!swapped.ok) return swapped;
    await remember(context, output, wanted.value);
    context.emit({ type: "effect", name: "output restored" });
    return ok();
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function isSame(kind: "file" | "tree", there: readonly TreeEntry[], wanted: readonly TreeEntry[]): boolean {
  return (
    there.length === wanted.length &&
    wanted.every((entry, at) => {
      const other = there[at];
      // A lone file's mode is not recorded, so it cannot differ.
      return (
        other?.path === entry.path && other.digest === entry.digest && (kind === "file" || other.mode === entry.mode)
      );
    })
  );
}

async function fetchFile(
  output: Restorable,
  entry: TreeEntry,
  stores: readonly Store[],
  to: string,
): Promise<Result<void>> {
  const neededBy = entry.path === "" ? output.path : `${output.path}/${entry.path}`;
  const fetched = await fromFirst(stores, entry.digest, neededBy, (store) => store.toFile(entry.digest, to));
  if (!fetched.ok) return fetched;
  const finished = await attempt(neededBy, async () => {
    const { size, mtimeMs } = await stat(to);
    if (entry.mode === "755") await chmod(to, 0o755);
    const time = (mtimeMs - BACK_MS) / 1000;
    await utimes(to, time, time);
    return size;
  });
  if (!finished.ok) return finished;
  if (output.kind === "file" || finished.value === entry.size) return ok();
  const problem = `it says that ${entry.path} has ${entry.size} bytes; it has ${finished.value}`;
  return fail({ code: "tree-invalid", tree: output.digest, problem });
}

/** Takes over a file that is right as it is; by copying its name, not its bytes. */
async function reuse(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to);
}

/** Puts `aside/new` at the target; what was there goes to `aside/old`. */
async function swap(aside: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const next = join(aside, "new");
  const [before, after] = [await kindOf(target), await kindOf(next)];
  // One rename replaces a file by a file; anything else must step aside first.
  if (before !== undefined && !(before === "file" && after === "file")) await rename(target, join(aside, "old"));
  await rename(next, target);
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * So that the next look at these files need not read them. No mark is needed: they were written here and given a time
 * in the past, which no later write gives them again.
 */
async function remember(context: Context, output: Restorable, entries: readonly TreeEntry[]): Promise<void> {
  const index = await statIndex(context);
  await mapLimited(entries, WIDTH, async (entry) => {
    const path = entry.path === "" ? output.path : `${output.path}/${entry.path}`;
    const seen: BigIntStats | undefined = await lstat(join(context.cwd, path), { bigint: true }).catch(() => undefined);
    // Touched since (its time is no longer in the past): then it is not known what it holds.
    if (seen === undefined || seen.ctimeNs - seen.mtimeNs < BigInt(BACK_MS / 2) * 1_000_000n) return;
    index.remember(path, seen, entry.digest, seen.ctimeNs + 1n);
  });
  await index.save();
}

/**
 * Holds that a path of a record or a lockfile stays in the repository, is no part of git's own folder, and does not
 * lead out of it through a link on the way.
 */
async function isInside(context: Context, path: string): Promise<Result<void>> {
  const parts = path.split("/");
  if (!isRelativePath(path) || parts.some((part) => part.toLowerCase() === ".git")) {
    return fail({ code: "unsupported", what: `${JSON.stringify(path)} as an output's path` });
  }
  const root = await attempt(context.cwd, () => realpath(context.cwd));
  if (!root.ok) return root;
  for (let depth = parts.length - 1; depth > 0; depth--) {
    const parent = parts.slice(0, depth).join("/");
    try {
      const real = await realpath(join(context.cwd, parent));
      if (real === root.value || real.startsWith(root.value + sep)) return ok();
      return fail({
        code: "unsupported",
        what: `${path}: an output behind the link ${parent}, which leaves the repository`,
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code !== "ENOENT") return fail({ code: "external", what: path, problem: error.message, cause: error });
    }
  }
  return ok();
}
