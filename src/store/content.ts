import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { all, attempt, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { digestOf } from "./digest.ts";
import { mapLimited } from "./files.ts";
import { hashFiles, treeOf } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TreeEntry } from "./tree.ts";

/**
 * What a source has at a path, hashed as `snapshot` would: a folder counts with the files that git tracks or would
 * track, so that the answer is the same in the working tree and at a revision of equal content. Undefined: nothing.
 */
export async function contentDigest(
  context: Context,
  source: Source,
  path: string,
): Promise<Result<Snapshot | undefined>> {
  const kind = await source.stat(path);
  if (!kind.ok) return kind;
  if (kind.value === undefined) return ok(undefined);
  const listed = kind.value === "file" ? ok([path]) : await source.list(path);
  if (!listed.ok) return listed;
  const strip = kind.value === "file" || path === "" ? 0 : path.length + 1;
  const entries = await (source.commit === null ? onDisk(context, listed.value) : inGit(source, listed.value));
  if (!entries.ok) return entries;
  if (kind.value === "folder") {
    const inside = entries.value.map((entry) => ({ ...entry, path: entry.path.slice(strip) }));
    return treeOf(path, inside);
  }
  const [file] = entries.value;
  return ok(file && { kind: "file", digest: file.digest, size: file.size, files: 1 });
}

async function onDisk(context: Context, paths: readonly string[]): Promise<Result<TreeEntry[]>> {
  const found = await attempt("the working tree", () =>
    mapLimited(paths, 16, async (path) => ({ path, stat: await lstat(join(context.cwd, path), { bigint: true }) })),
  );
  return found.ok ? hashFiles(context, found.value) : found;
}

async function inGit(source: Source, paths: readonly string[]): Promise<Result<TreeEntry[]>> {
  const entries = await mapLimited(paths, 16, async (path): Promise<Result<TreeEntry[]>> => {
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
