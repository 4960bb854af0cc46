import { join } from "node:path";
import { all, fail, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import { digestOf, digestOfFile, digestOfSmallFile, WHOLE } from "./digest.ts";
import { mapLimited } from "./files.ts";
import { statIndex } from "./stat-index.ts";
import type { StatIndex } from "./stat-index.ts";
import type { Store } from "./store.ts";
import { encodeTree } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";
import { walk } from "./walk.ts";
import type { FoundFile } from "./walk.ts";

/** A file or folder by its content. */
export interface Snapshot {
  readonly kind: "file" | "tree";
  /** Of the file's bytes, or of the folder's manifest. */
  readonly digest: Digest;
  /** Bytes, of all files together. */
  readonly size: number;
  readonly files: number;
}

/** Files hashed at once; more would only seek against each other. */
const WIDTH = 8;

/**
 * What stands at a path of the working tree, stored into `into` where given (files before the manifest that names
 * them) and only hashed otherwise. Files that the stat index knows are not read. Fails with `file-missing` when there
 * is nothing, and with `unsupported` for links and special files.
 */
export async function snapshot(context: Context, path: RelativePath, into?: Store): Promise<Result<Snapshot>> {
  const taken = await entriesAt(context, path, into);
  if (!taken.ok) return taken;
  if (taken.value === undefined) return fail({ code: "file-missing", path });
  const { kind, entries } = taken.value;
  const [first] = entries;
  if (kind === "file" && first !== undefined) {
    return ok({ kind, digest: first.digest, size: first.size, files: 1 });
  }
  return treeOf(context, path, entries, into);
}

/** The files at a path with their digests; a lone file has the path "". Undefined: there is nothing. */
export async function entriesAt(
  context: Context,
  path: RelativePath,
  into?: Store,
): Promise<Result<{ kind: "file" | "tree"; entries: TreeEntry[] } | undefined>> {
  const root = join(context.cwd, path);
  const walked = await walk(root, path);
  if (!walked.ok || walked.value === undefined) return walked as Result<undefined>;
  const { kind, files } = walked.value;
  const entries = await hashFiles(context, path, files, into);
  if (!entries.ok) return entries;
  if (kind === "tree") {
    const index = await statIndex(context);
    index.keepOnly(path, new Set(files.map((file) => `${path}/${file.path}`)));
    await index.save();
  }
  return ok({ kind, entries: entries.value });
}

/** Digests of files below a folder (or, with the path "", of the folder's own path as a file). */
export async function hashFiles(
  context: Context,
  folder: string,
  files: readonly FoundFile[],
  into?: Store,
): Promise<Result<TreeEntry[]>> {
  const index = await statIndex(context);
  let mark: Promise<bigint> | undefined;
  const entries = await mapLimited(files, WIDTH, async (file): Promise<Result<TreeEntry>> => {
    if (context.signal?.aborted) return fail({ code: "interrupted" });
    const path = file.path === "" ? folder : folder === "" ? file.path : `${folder}/${file.path}`;
    const mode = (file.stat.mode & 0o100n) === 0n ? "644" : "755";
    const known = index.lookUp(path, file.stat);
    if (known !== undefined && (await isStored(into, known))) {
      return ok({ path: file.path, mode, size: Number(file.stat.size), digest: known });
    }
    const before = await (mark ??= index.mark());
    const blob = await hashOne(join(context.cwd, path), file, into);
    if (!blob.ok) return blob;
    index.remember(path, file.stat, blob.value.digest, before);
    return ok({ path: file.path, mode, ...blob.value });
  });
  await saveIfHashed(index, mark);
  return all(entries);
}

async function saveIfHashed(index: StatIndex, mark: Promise<bigint> | undefined): Promise<void> {
  if (mark !== undefined) await index.save();
}

async function isStored(into: Store | undefined, digest: Digest): Promise<boolean> {
  if (into === undefined) return true;
  const present = await into.has(digest);
  return present.ok && present.value;
}

async function hashOne(
  absolute: string,
  file: FoundFile,
  into: Store | undefined,
): Promise<Result<{ digest: Digest; size: number }>> {
  if (into !== undefined) return into.putFile(absolute);
  return file.stat.size > WHOLE ? digestOfFile(absolute) : digestOfSmallFile(absolute);
}

/** The manifest of these files, stored where `into` is given. */
export async function treeOf(
  context: Context,
  path: string,
  entries: readonly TreeEntry[],
  into?: Store,
): Promise<Result<Snapshot>> {
  const manifest = encodeTree(path, entries);
  if (!manifest.ok) return manifest;
  if (into !== undefined) {
    const stored = await into.put(manifest.value);
    if (!stored.ok) return stored;
    context.emit({ type: "effect", name: "tree stored" });
  }
  return ok({
    kind: "tree",
    digest: digestOf(manifest.value),
    size: entries.reduce((sum, entry) => sum + entry.size, 0),
    files: entries.length,
  });
}
