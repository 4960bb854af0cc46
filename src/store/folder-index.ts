import { readFile, stat, writeFile } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isDigest, isSystemError } from "../core/index.ts";
import type { Context, Digest } from "../core/index.ts";
import { DIGEST_BYTES } from "./digest-table.ts";
import { createTemporary, prepareTemporaryFolder } from "./files.ts";
import { STATS } from "./work/look.ts";

/**
 * One folder as it was seen: its names in order (a folder's ends with "/"), and of each file the four numbers, whether
 * it is executable, and its digest. Columns, not objects: a million files must fit.
 */
export interface FolderSeen {
  /** Joined by "\0", so that two listings are compared at once. */
  readonly names: string;
  readonly count: number;
  /** 4 to a name. A size below 0 (-1 - size) says that the digest is not to be relied on. */
  readonly stats: Float64Array;
  readonly executable: Uint8Array;
  readonly digests: Buffer;
}

/** What a folder with all below it was when everything in it was known. */
export interface RootSeen {
  readonly digest: Digest;
  readonly size: number;
  readonly files: number;
}

const HEADER = "lockstep-folder-index/1\n";
const opened = new WeakMap<Context, Promise<FolderIndex>>();

/** The index of a working copy's data folders, read once for a context. */
export async function folderIndex(context: Context): Promise<FolderIndex> {
  const known = opened.get(context) ?? FolderIndex.load(context);
  opened.set(context, known);
  return known;
}

/**
 * What is known of folders of data, by path: files that look as they did are not read, and a folder where nothing moved
 * is its former tree. A cache like the stat index, with the same hazard and the same remedy (see `StatIndex`): an entry
 * is relied on only if the file's times lie before a mark that was made before it was read.
 */
export class FolderIndex {
  readonly #context: Context;
  readonly #folders: Map<string, FolderSeen>;
  readonly #roots: Map<string, RootSeen>;
  #changed = false;

  private constructor(context: Context, folders: Map<string, FolderSeen>, roots: Map<string, RootSeen>) {
    this.#context = context;
    this.#folders = folders;
    this.#roots = roots;
  }

  static async load(context: Context): Promise<FolderIndex> {
    const folders = new Map<string, FolderSeen>();
    const roots = new Map<string, RootSeen>();
    const bytes = await readFile(fileOf(context)).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      return Buffer.alloc(0);
    });
    // A damaged index counts as empty.
    return parse(bytes, folders, roots)
      ? new FolderIndex(context, folders, roots)
      : new FolderIndex(context, new Map(), new Map());
  }

  /**
   * Taken before reading files whose digests are to be remembered: the file system's own time, in ms. 0 where nothing
   * can be written: then nothing is remembered.
   */
  async mark(): Promise<number> {
    const path = `${fileOf(this.#context)}.mark`;
    try {
      await prepareTemporaryFolder(this.#context);
      await writeFile(path, "\n");
      return (await stat(path)).mtimeMs;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return 0;
    }
  }

  folder(path: string): FolderSeen | undefined {
    return this.#folders.get(path);
  }

  root(path: string): RootSeen | undefined {
    return this.#roots.get(path);
  }

  /** Replaces all that is known at and below a root. */
  remember(root: string, folders: ReadonlyMap<string, FolderSeen>, seen: RootSeen): void {
    const before = this.#roots.get(root);
    let same = before?.digest === seen.digest;
    for (const path of this.#folders.keys()) {
      if ((path === root || path.startsWith(`${root}/`)) && !folders.has(path)) {
        this.#folders.delete(path);
        same = false;
      }
    }
    for (const [path, folder] of folders) {
      if (this.#folders.get(path) === folder) continue;
      this.#folders.set(path, folder);
      same = false;
    }
    if (same) return;
    // What lies around it is not what it was; what lies below has its own entry no more.
    for (const path of this.#roots.keys()) {
      if (path.startsWith(`${root}/`) || root.startsWith(`${path}/`)) this.#roots.delete(path);
    }
    this.#roots.set(root, seen);
    this.#changed = true;
  }

  /** Writes the index when it changed. What cannot be written is a warning. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    let made = "";
    try {
      const { path, file } = await createTemporary(await prepareTemporaryFolder(this.#context));
      made = path;
      await file.close();
      await pipeline(this.#encode(), createWriteStream(path));
      await rename(path, fileOf(this.#context));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (made !== "") await rm(made, { force: true });
      this.#context.emit({ type: "warning", message: `the folder index could not be written: ${error.message}` });
    }
  }

  *#encode(): Iterable<Buffer> {
    yield Buffer.from(`${HEADER}${JSON.stringify([...this.#roots])}\n`);
    for (const [path, { names, count, stats, executable, digests }] of this.#folders) {
      const texts = [Buffer.from(path), Buffer.from(names)] as const;
      const lengths = Buffer.alloc(12);
      for (const [at, length] of [texts[0].length, texts[1].length, count].entries())
        lengths.writeUInt32LE(length, 4 * at);
      yield Buffer.concat([
        lengths,
        ...texts,
        Buffer.from(stats.buffer, stats.byteOffset, stats.byteLength),
        executable,
        digests,
      ]);
    }
  }
}

function fileOf(context: Context): string {
  return join(context.cwd, ".lockstep", "folder-index");
}

/** False: the bytes are no whole index. Numbers are in this machine's own order: the file never leaves it. */
function parse(bytes: Buffer, folders: Map<string, FolderSeen>, roots: Map<string, RootSeen>): boolean {
  if (bytes.toString("latin1", 0, HEADER.length) !== HEADER) return false;
  const end = bytes.indexOf(0x0a, HEADER.length);
  if (end === -1) return false;
  try {
    for (const [path, seen] of JSON.parse(bytes.toString("utf8", HEADER.length, end)) as [string, RootSeen][]) {
      if (typeof path !== "string" || !isDigest(seen.digest)) return false;
      roots.set(path, seen);
    }
  } catch {
    return false;
  }
  let at = end + 1;
  while (at < bytes.length) {
    if (at + 12 > bytes.length) return false;
    const [pathLength, namesLength, count] = [0, 4, 8].map((skip) => bytes.readUInt32LE(at + skip)) as [
      number,
      number,
      number,
    ];
    at += 12;
    const whole = pathLength + namesLength + count * (8 * STATS + 1 + DIGEST_BYTES);
    if (at + whole > bytes.length) return false;
    const path = bytes.toString("utf8", at, (at += pathLength));
    const names = bytes.toString("utf8", at, (at += namesLength));
    const stats = new Float64Array(count * STATS);
    Buffer.from(stats.buffer).set(bytes.subarray(at, (at += stats.byteLength)));
    const executable = bytes.subarray(at, (at += count));
    const digests = bytes.subarray(at, (at += count * DIGEST_BYTES));
    folders.set(path, { names, count, stats, executable, digests });
  }
  return true;
}
