import { lstatSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { all, attempt, fail, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { digestOf } from "./digest.ts";
import { mapLimited } from "./files.ts";
import { hashFiles, treeOf } from "./snapshot.ts";
import type { FoundFile, Snapshot } from "./snapshot.ts";
import type { TreeEntry } from "./tree.ts";

/** A file or folder; of a folder, what lies in `apart` does not count. */
export interface Wanted {
  readonly path: string;
  readonly apart: readonly string[];
}

/**
 * What a source has at each path, hashed as `snapshot` would: a folder counts with the files that git tracks or would
 * track, so that the answer is the same in the working tree and at a revision of equal content. Undefined: nothing.
 * Git is asked once for all folders, and the stat index is written once.
 */
export async function contentDigests(
  context: Context,
  source: Source,
  wanted: readonly Wanted[],
): Promise<Result<Snapshot | undefined>[]> {
  const found = await filesAt(source, wanted);
  const paths = new Set(found.flatMap((result) => (result.ok ? (result.value?.paths ?? []) : [])));
  const entries = await (source.commit === null ? onDisk(context, [...paths]) : inGit(source, [...paths]));
  if (!entries.ok) {
    // One that cannot be read is no answer about the others.
    if (wanted.length <= 1) return [entries];
    const alone: Result<Snapshot | undefined>[] = [];
    for (const one of wanted) alone.push(...(await contentDigests(context, source, [one])));
    return alone;
  }
  const byPath = new Map(entries.value.map((entry) => [entry.path, entry]));
  return found.map((result, at): Result<Snapshot | undefined> => {
    if (!result.ok || result.value === undefined) return result as Result<undefined>;
    const files = result.value.paths.flatMap((path) => byPath.get(path) ?? []);
    if (result.value.kind === "folder") return folderOf(wanted[at]!.path, files);
    const [file] = files;
    return ok(file && { kind: "file", digest: file.digest, size: file.size, files: 1 });
  });
}

function folderOf(path: string, files: readonly TreeEntry[]): Result<Snapshot> {
  const strip = path === "" ? 0 : path.length + 1;
  return treeOf(
    path,
    files.map((entry) => ({ ...entry, path: entry.path.slice(strip) })),
  );
}

interface Found {
  readonly kind: "file" | "folder";
  /** The files that count, in code-unit order. */
  readonly paths: readonly string[];
}

async function filesAt(source: Source, wanted: readonly Wanted[]): Promise<Result<Found | undefined>[]> {
  const kinds = await mapLimited(wanted, 16, async ({ path }) => source.stat(path));
  const folders = kinds.filter((kind) => kind.ok && kind.value === "folder").length;
  // Below one folder git looks faster than everywhere.
  const everything = folders > 1 ? await source.list("") : undefined;
  return mapLimited([...kinds.entries()], 16, async ([at, kind]): Promise<Result<Found | undefined>> => {
    if (!kind.ok || kind.value === undefined) return kind as Result<undefined>;
    const { path, apart } = wanted[at]!;
    if (kind.value === "file") return ok({ kind: "file", paths: [path] });
    const listed = everything ?? (await source.list(path));
    if (!listed.ok) return listed;
    const counts = (name: string): boolean => !apart.some((other) => name === other || name.startsWith(`${other}/`));
    return ok({ kind: "folder", paths: below(path, listed.value).filter(counts) });
  });
}

/** Those of a sorted list that lie in a folder. */
function below(folder: string, sorted: readonly string[]): readonly string[] {
  if (folder === "") return sorted;
  const start = `${folder}/`;
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < start) from = middle + 1;
    else to = middle;
  }
  let end = from;
  while (end < sorted.length && sorted[end]!.startsWith(start)) end++;
  return sorted.slice(from, end);
}

async function onDisk(context: Context, paths: readonly string[]): Promise<Result<TreeEntry[]>> {
  const found = await attempt("the working tree", async () => {
    // Microseconds each, where a promise would cost ten times that.
    const look = (path: string): BigIntStats | undefined =>
      lstatSync(join(context.cwd, path), { bigint: true, throwIfNoEntry: false });
    return paths.map((path) => ({ path, stat: look(path) }));
  });
  if (!found.ok) return found;
  const files = all(found.value.map(({ path, stat }) => fileAt(path, stat)));
  return files.ok ? hashFiles(context, files.value) : files;
}

/** As at a revision: what is no file is refused, not followed. */
function fileAt(path: string, stat: BigIntStats | undefined): Result<FoundFile> {
  if (stat === undefined) return path.includes(UNKNOWN) ? fail(oddName(path)) : fail({ code: "file-changed", path });
  if (stat.isFile()) return ok({ path, stat });
  const kind = stat.isSymbolicLink() ? "a symbolic link" : stat.isDirectory() ? "a submodule" : "a special file";
  return fail({ code: "unsupported", what: `${path}: ${kind} as input` });
}

/** Stands where bytes are no UTF-8. */
const UNKNOWN = "\uFFFD";

function oddName(path: string): Failure {
  return { code: "unsupported", what: `${path}: a name that is not UTF-8`, hint: "rename the file" };
}

async function inGit(source: Source, paths: readonly string[]): Promise<Result<TreeEntry[]>> {
  const entries = await mapLimited(paths, 16, async (path): Promise<Result<TreeEntry[]>> => {
    if (path.includes(UNKNOWN)) return fail(oddName(path));
    const bytes = await source.read(path);
    if (!bytes.ok) return bytes;
    const mode = await source.mode(path);
    if (!mode.ok) return mode;
    if (bytes.value === undefined || mode.value === undefined) return ok([]);
    return ok([{ path, mode: mode.value, size: bytes.value.length, digest: digestOf(bytes.value) }]);
  });
  const read = all(entries);
  return read.ok ? ok(read.value.flat()) : read;
}
