import { lstatSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { all, attempt, fail, isSystemError, metFor, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import { blobKey, layoutKey } from "./blob-store.ts";
import { CHUNKED_FILE } from "./chunker.ts";
import { hasContent } from "./closure.ts";
import { DIGEST_BYTES, digestAt } from "./digest-table.ts";
import { digestOf, digestOfFile, digestOfSmallFile, WHOLE } from "./digest.ts";
import { bodyOf } from "./driver.ts";
import { mapLimited } from "./files.ts";
import { folderIndex } from "./folder-index.ts";
import type { FolderIndex, FolderSeen } from "./folder-index.ts";
import { ingest } from "./ingest.ts";
import { LargeFiles } from "./large.ts";
import { LayoutBuilder } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { writeManifest } from "./manifest.ts";
import type { Written } from "./manifest.ts";
import { byteProgress } from "./progress.ts";
import { filesOf, odd, scanFolder, sizeAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { statIndex } from "./stat-index.ts";
import type { LocalStore, Store } from "./store.ts";
import { encodeTree } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";
import { STATS } from "./work/look.ts";
import { Pool } from "./work/pool.ts";

/** A file or folder by its content. */
export interface Snapshot {
  readonly kind: "file" | "tree";
  /** Of the file's bytes, or of the folder's manifest. */
  readonly digest: Digest;
  /** Bytes, of all files together. */
  readonly size: number;
  readonly files: number;
  /** Of a lone file that is executable. A folder's manifest says it of each file. */
  readonly mode?: "755";
}

export interface FoundFile {
  /** From the root of the repository, POSIX. */
  readonly path: string;
  readonly stat: BigIntStats;
}

/** Lone files hashed at once; more would only seek against each other. */
const WIDTH = 8;

/**
 * What stands at a path of the working tree, stored into `into` where given (parts, then where they lie, then the
 * manifest that names them) and only hashed otherwise. Files that did not change since they were seen are not read.
 * `bases` are trees that the store may share parts with, besides the one that was here last. Fails with `file-missing`
 * when there is nothing, with `unsupported` for links and special files, with `file-changed` for a file that is
 * written to meanwhile.
 */
export async function snapshot(
  context: Context,
  path: RelativePath,
  into?: LocalStore,
  bases: readonly Digest[] = [],
): Promise<Result<Snapshot>> {
  const kind = kindAt(context, path);
  if (!kind.ok) return kind;
  if (kind.value === undefined) return fail({ code: "file-missing", path });
  return kind.value.stat === undefined
    ? snapshotFolder(context, path, into, bases)
    : snapshotFile(context, { path, stat: kind.value.stat }, into);
}

/** The files at a path with their digests, nothing stored; a lone file has the path "". Undefined: there is nothing. */
export async function entriesAt(
  context: Context,
  path: RelativePath,
): Promise<Result<{ kind: "file" | "tree"; entries: TreeEntry[] } | undefined>> {
  const kind = kindAt(context, path);
  if (!kind.ok) return kind;
  if (kind.value === undefined) return ok(undefined);
  if (kind.value.stat !== undefined) {
    const file = await hashFiles(context, [{ path, stat: kind.value.stat }]);
    return file.ok ? ok({ kind: "file", entries: file.value.map((entry) => ({ ...entry, path: "" })) }) : file;
  }
  const seen = await hashedFolder(context, path);
  return seen.ok ? ok({ kind: "tree", entries: entriesOf(seen.value) }) : seen;
}

/** The entries of a scan whose digests are known. */
function entriesOf(scan: Scan): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const spot of filesOf(scan)) {
    const mode = spot.folder.executable[spot.at] === 1 ? "755" : "644";
    const digest = digestAt(spot.folder.digests, spot.at * DIGEST_BYTES);
    entries.push({ path: spot.path, mode, size: sizeAt(spot).size, digest });
  }
  return entries;
}

async function hashedFolder(context: Context, path: string): Promise<Result<Scan>> {
  const index = await folderIndex(context);
  await using pool = new Pool();
  const scan = await scanFolder(context, path, index, pool);
  if (!scan.ok || scan.value.clean) return scan;
  const mark = await index.mark();
  const hashed = await ingest(context, scan.value, {
    bases: [],
    layout: new LayoutBuilder(),
    task: `hash ${path}`,
    pool,
  });
  if (!hashed.ok) return hashed;
  const tree = await manifestOf(path, scan.value);
  if (!tree.ok) return tree;
  await rememberFolder(index, scan.value, tree.value, mark);
  return scan;
}

/** Writes where the parts lie, then the manifest: whoever finds it finds all that it names. */
async function manifestOf(
  path: string,
  scan: Scan,
  into?: LocalStore,
  layout = new LayoutBuilder(),
): Promise<Result<Written>> {
  const first = into === undefined ? undefined : async (root: Digest) => putLayout(into, root, layout);
  const written = await attempt(path, async () => writeManifest(scan, into?.driver, first));
  return written.ok ? written.value : written;
}

async function snapshotFolder(
  context: Context,
  path: string,
  into: LocalStore | undefined,
  bases: readonly Digest[],
): Promise<Result<Snapshot>> {
  const index = await folderIndex(context);
  await using pool = new Pool();
  const scan = await scanFolder(context, path, index, pool);
  if (!scan.ok) return scan;
  const before = index.root(path);
  if (scan.value.clean && before !== undefined) {
    const there = into === undefined ? ok(true) : await hasContent(into, { kind: "tree", digest: before.digest });
    if (!there.ok) return there;
    if (there.value) return ok({ kind: "tree", ...before });
  }
  const known = await layoutsOf(into, [...(before === undefined ? [] : [before.digest]), ...bases]);
  if (!known.ok) return known;
  const mark = await index.mark();
  const layout = new LayoutBuilder();
  const options = { bases: known.value, layout, task: `${into === undefined ? "hash" : "add"} ${path}`, pool };
  const stored = await ingest(context, scan.value, into === undefined ? options : { ...options, into });
  if (!stored.ok) return stored;
  const tree = await manifestOf(path, scan.value, into, layout);
  if (!tree.ok) return tree;
  if (into !== undefined) context.emit({ type: "effect", name: "tree stored" });
  await rememberFolder(index, scan.value, tree.value, mark);
  return ok({ kind: "tree", ...tree.value });
}

async function layoutsOf(into: LocalStore | undefined, roots: readonly Digest[]): Promise<Result<Layout[]>> {
  const layouts: Layout[] = [];
  for (const root of into === undefined ? [] : new Set(roots)) {
    const layout = await into!.layout(root);
    // One that is damaged, or names what is gone, only costs storing again what it placed.
    if (layout.ok && layout.value !== undefined && (await isWhole(into!, layout.value))) layouts.push(layout.value);
  }
  return ok(layouts);
}

async function isWhole(store: LocalStore, layout: Layout): Promise<boolean> {
  const found = await mapLimited([...layout.packs, ...layout.loose], 2 * WIDTH, async (digest) =>
    store.driver.stat(blobKey(digest)),
  );
  return found.every((there) => there.ok && there.value !== undefined);
}

/** Writes down where the parts of a root lie; nothing when each is a blob of its own. */
export async function putLayout(
  into: Pick<Store, "driver">,
  root: Digest,
  layout: LayoutBuilder,
): Promise<Result<void>> {
  if (layout.isEmpty) return ok();
  const bytes = layout.encode();
  return into.driver.put(layoutKey(root), bodyOf(bytes, digestOf(bytes)), { replace: true });
}

/** Entries whose times are not before the mark are not relied on: see `StatIndex`. */
async function rememberFolder(index: FolderIndex, scan: Scan, seen: Written, mark: number): Promise<void> {
  const folders = new Map<string, FolderSeen>();
  for (const [path, folder] of scan.folders) {
    folders.set(path, folder === index.folder(path) ? folder : relied(folder, mark));
  }
  index.remember(scan.root, folders, seen);
  await index.save();
}

function relied(folder: FolderSeen, mark: number): FolderSeen {
  const stats = Float64Array.from(folder.stats);
  for (let row = 0; row < stats.length; row += STATS) {
    const size = stats[row]! < 0 ? -1 - stats[row]! : stats[row]!;
    const safe = stats[row + 1]! < mark && stats[row + 2]! < mark;
    stats[row] = safe ? size : -1 - size;
  }
  return { ...folder, stats };
}

async function snapshotFile(context: Context, file: FoundFile, into?: LocalStore): Promise<Result<Snapshot>> {
  const entries = await hashFiles(context, [file], into);
  if (!entries.ok) return entries;
  const { digest, size, mode } = entries.value[0]!;
  return ok({ kind: "file", digest, size, files: 1, ...(mode === "755" ? { mode } : {}) });
}

/** Undefined: there is nothing. `stat` is a lone file's. */
function kindAt(context: Context, path: string): Result<{ stat?: BigIntStats } | undefined> {
  try {
    const stat = lstatSync(join(context.cwd, path), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return ok(undefined);
    if (stat.isDirectory()) return ok({});
    return stat.isFile() ? ok({ stat }) : fail(odd(path, stat.isSymbolicLink()));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOTDIR") return ok(undefined);
    return fail({ code: "external", what: path, problem: error.message, cause: error });
  }
}

/** Digests of files one by one, stored where `into` is given; those that the stat index knows are not read. */
export async function hashFiles(
  context: Context,
  files: readonly FoundFile[],
  into?: LocalStore,
): Promise<Result<TreeEntry[]>> {
  const index = await statIndex(context);
  let mark: Promise<bigint> | undefined;
  const entries = await mapLimited(files, WIDTH, async ({ path, stat }): Promise<Result<TreeEntry>> => {
    if (context.signal?.aborted) return fail({ code: "interrupted" });
    const mode = (stat.mode & 0o100n) === 0n ? "644" : "755";
    const known = index.lookUp(path, stat);
    if (known !== undefined) {
      const there = into === undefined ? ok(true) : await into.has(known);
      if (there.ok && there.value) return ok({ path, mode, size: Number(stat.size), digest: known });
    }
    const before = await (mark ??= index.mark());
    const blob = await hashOne(context, path, stat, into);
    // Asked even when it could not be read: that may be why.
    if (!(await isAsBefore(join(context.cwd, path), stat))) return fail({ code: "file-changed", path });
    if (!blob.ok) return metFor(path, blob);
    index.remember(path, stat, blob.value.digest, before);
    return ok({ path, mode, ...blob.value });
  });
  if (mark !== undefined) await index.save();
  return all(entries);
}

async function isAsBefore(absolute: string, { size, mtimeNs, ino }: BigIntStats): Promise<boolean> {
  const now = await lstat(absolute, { bigint: true }).catch((error: unknown) => {
    if (isSystemError(error)) return undefined;
    throw error;
  });
  return now?.size === size && now.mtimeNs === mtimeNs && now.ino === ino;
}

async function hashOne(
  context: Context,
  path: string,
  stat: BigIntStats,
  into: LocalStore | undefined,
): Promise<Result<{ digest: Digest; size: number }>> {
  const absolute = join(context.cwd, path);
  const size = Number(stat.size);
  if (into === undefined) return size > WHOLE ? digestOfFile(absolute) : digestOfSmallFile(absolute);
  if (size <= CHUNKED_FILE) return into.putFile(absolute);
  const layout = new LayoutBuilder();
  const progress = byteProgress(context, `add ${path}`, size);
  const stored = await attempt(into.url, async () => {
    await using large = new LargeFiles();
    const file = { path: absolute, label: path, size, time: (await lstat(absolute)).mtimeMs };
    return await large.add(context, file, into.driver, layout, progress);
  });
  if (!stored.ok) return stored;
  if (!stored.value.ok) return stored.value;
  const placed = await putLayout(into, stored.value.value, layout);
  return placed.ok ? ok({ digest: stored.value.value, size }) : placed;
}

/** The manifest of these files, which is not stored. */
export function treeOf(path: string, entries: readonly TreeEntry[]): Result<Snapshot> {
  const manifest = encodeTree(path, entries);
  if (!manifest.ok) return manifest;
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  return ok({ kind: "tree", digest: digestOf(manifest.value), size, files: entries.length });
}
