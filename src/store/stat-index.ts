import { readFile, stat, writeFile } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { isDigest, isSystemError } from "../core/index.ts";
import type { Context, Digest } from "../core/index.ts";
import { prepareTemporaryFolder, writeFileAtomically } from "./files.ts";

/** What a file looked like when its digest was taken. */
interface Entry {
  readonly digest: Digest;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** Changes with every write and cannot be set back, as a modification time can. */
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

const HEADER = "lockstep-stat-index/1";
/** While it is held, the index is written when this share of it is new. */
const OFTEN = 4;
const opened = new WeakMap<Context, Promise<StatIndex>>();

/**
 * Until the end of the block the index is written now and then, and at the end once more: who hashes one file at a time
 * would else write all of it each time.
 */
export async function holdStatIndex(context: Context): Promise<AsyncDisposable> {
  const index = await statIndex(context);
  return index.hold();
}

/** The index of a working copy, read once for a context. */
export async function statIndex(context: Context): Promise<StatIndex> {
  const known = opened.get(context);
  if (known !== undefined) return known;
  const index = StatIndex.load(context);
  opened.set(context, index);
  return index;
}

/**
 * Digests of files that did not change since they were hashed: path, size, times and inode -> digest. A cache: it may
 * be deleted, and a damaged one counts as empty.
 *
 * The hazard is a file that is written, hashed and written again within one tick of the file system's clock: both
 * writes leave the same time. So an entry is taken only for a file whose time lies before a mark, made on the same
 * file system before the file was read: whatever is written after the mark carries a later time than the entry.
 */
export class StatIndex {
  readonly #context: Context;
  readonly #entries: Map<string, Entry>;
  /** Entries that differ from what was written last. */
  #changed = 0;
  #held = 0;

  private constructor(context: Context, entries: Map<string, Entry>) {
    this.#context = context;
    this.#entries = entries;
  }

  static async load(context: Context): Promise<StatIndex> {
    return new StatIndex(context, parse(await readIfThere(fileOf(context))));
  }

  /** Taken before reading files whose digests are to be remembered. 0: nothing can be written, nor remembered. */
  async mark(): Promise<bigint> {
    const path = `${fileOf(this.#context)}.mark`;
    try {
      await prepareTemporaryFolder(this.#context);
      await writeFile(path, "\n");
      return (await stat(path, { bigint: true })).mtimeNs;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return 0n;
    }
  }

  /** The digest of a file that looks as it did when it was hashed. */
  lookUp(path: string, now: BigIntStats): Digest | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry.size !== now.size || entry.ino !== now.ino) return undefined;
    return entry.mtimeNs === now.mtimeNs && entry.ctimeNs === now.ctimeNs ? entry.digest : undefined;
  }

  /** Remembers a digest; `seen` is the file's state from before it was read. */
  remember(path: string, seen: BigIntStats, digest: Digest, mark: bigint): void {
    if (seen.mtimeNs >= mark || seen.ctimeNs >= mark || path.includes("\n")) {
      if (this.#entries.delete(path)) this.#changed++;
      return;
    }
    const { size, mtimeNs, ctimeNs, ino } = seen;
    this.#entries.set(path, { digest, size, mtimeNs, ctimeNs, ino });
    this.#changed++;
  }

  hold(): AsyncDisposable {
    this.#held++;
    return {
      [Symbol.asyncDispose]: async () => {
        this.#held--;
        await this.save();
      },
    };
  }

  /** Writes the index when it changed. It is a cache: what cannot be written is a warning. */
  async save(): Promise<void> {
    if (this.#changed === 0 || (this.#held > 0 && this.#changed < this.#entries.size / OFTEN)) return;
    this.#changed = 0;
    const lines = [...this.#entries].map(
      ([path, { digest, size, mtimeNs, ctimeNs, ino }]) => `${digest} ${size} ${mtimeNs} ${ctimeNs} ${ino} ${path}`,
    );
    const text = `${[HEADER, ...lines].join("\n")}\n`;
    const written = await writeFileAtomically(this.#context, fileOf(this.#context), text, { durable: false });
    if (!written.ok) this.#context.emit({ type: "warning", message: "the stat index could not be written" });
  }
}

function fileOf(context: Context): string {
  return join(context.cwd, ".lockstep", "stat-index");
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return "";
  }
}

function parse(text: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const lines = text.split("\n");
  // The last line is empty when the file is whole.
  if (lines[0] !== HEADER || lines.at(-1) !== "") return entries;
  for (const line of lines.slice(1, -1)) {
    const match = /^(\S+) (\d+) (\d+) (\d+) (\d+) (.+)$/.exec(line);
    if (match === null || !isDigest(match[1] as string)) return new Map();
    entries.set(match[6] as string, {
      digest: match[1] as Digest,
      size: BigInt(match[2] as string),
      mtimeNs: BigInt(match[3] as string),
      ctimeNs: BigInt(match[4] as string),
      ino: BigInt(match[5] as string),
    });
  }
  return entries;
}
