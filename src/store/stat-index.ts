import { readFile, stat, writeFile } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { isDigest, isSystemError } from "../core/index.ts";
import type { Context, Digest } from "../core/index.ts";
import { prepareTemporaryFolder, writeFileAtomically } from "./files.ts";

/** What a file looked like when its digest was taken. */
interface Entry<D> {
  readonly digest: D;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** Changes with every write and cannot be set back, as a modification time can. */
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

const HEADER = "lockstep-stat-index/1";
/** While it is held, the index is written when this share of it is new. */
const OFTEN = 4;
const opened = new WeakMap<Context, Map<string, Promise<unknown>>>();

/**
 * Until the end of the block the index is written now and then, and at the end once more: who hashes one file at a time
 * would else write all of it each time.
 */
export async function holdStatIndex(context: Context): Promise<AsyncDisposable> {
  const index = await statIndex(context);
  return index.hold();
}

/** The index of a working copy, read once for a context. */
export async function statIndex(context: Context): Promise<StatIndex<Digest>> {
  return indexOf(context, "stat-index", isDigest);
}

/** The same of another kind of digest, in a file of its own below `.lockstep`. */
export async function indexOf<D extends string>(
  context: Context,
  name: string,
  isName: (text: string) => text is D,
): Promise<StatIndex<D>> {
  const all = opened.get(context) ?? new Map<string, Promise<unknown>>();
  opened.set(context, all);
  const known = (all.get(name) as Promise<StatIndex<D>> | undefined) ?? StatIndex.load(context, name, isName);
  all.set(name, known);
  return known;
}

/**
 * Digests of files that did not change since they were hashed: path, size, times and inode -> digest. A cache: it may
 * be deleted, and a damaged one counts as empty.
 *
 * The hazard is a file that is written, hashed and written again within one tick of the file system's clock: both
 * writes leave the same time. So an entry is taken only for a file whose time lies before a mark, made on the same
 * file system before the file was read: whatever is written after the mark carries a later time than the entry.
 */
export class StatIndex<D extends string> {
  readonly #context: Context;
  readonly #file: string;
  readonly #entries: Map<string, Entry<D>>;
  /** Entries that differ from what was written last. */
  #changed = 0;
  #held = 0;

  private constructor(context: Context, file: string, entries: Map<string, Entry<D>>) {
    this.#context = context;
    this.#file = file;
    this.#entries = entries;
  }

  static async load<D extends string>(
    context: Context,
    name: string,
    isName: (text: string) => text is D,
  ): Promise<StatIndex<D>> {
    const file = join(context.cwd, ".lockstep", name);
    return new StatIndex(context, file, parse(await readIfThere(file), isName));
  }

  /** Taken before reading files whose digests are to be remembered. 0: nothing can be written, nor remembered. */
  async mark(): Promise<bigint> {
    const path = `${this.#file}.mark`;
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
  lookUp(path: string, now: BigIntStats): D | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry.size !== now.size || entry.ino !== now.ino) return undefined;
    return entry.mtimeNs === now.mtimeNs && entry.ctimeNs === now.ctimeNs ? entry.digest : undefined;
  }

  /** Remembers a digest; `seen` is the file's state from before it was read. */
  remember(path: string, seen: BigIntStats, digest: D, mark: bigint): void {
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
    const written = await writeFileAtomically(this.#context, this.#file, text, { durable: false });
    if (!written.ok) this.#context.emit({ type: "warning", message: "the stat index could not be written" });
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return "";
  }
}

function parse<D extends string>(text: string, isName: (text: string) => text is D): Map<string, Entry<D>> {
  const entries = new Map<string, Entry<D>>();
  const lines = text.split("\n");
  // The last line is empty when the file is whole.
  if (lines[0] !== HEADER || lines.at(-1) !== "") return entries;
  for (const line of lines.slice(1, -1)) {
    const match = /^(\S+) (\d+) (\d+) (\d+) (\d+) (.+)$/.exec(line);
    const digest = match?.[1] ?? "";
    if (match === null || !isName(digest)) return new Map();
    entries.set(match[6] as string, {
      digest,
      size: BigInt(match[2] as string),
      mtimeNs: BigInt(match[3] as string),
      ctimeNs: BigInt(match[4] as string),
      ino: BigInt(match[5] as string),
    });
  }
  return entries;
}
