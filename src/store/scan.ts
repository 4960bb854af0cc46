import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { attempt, fail, failedIfAny, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { DIGEST_BYTES } from "./digest-table.ts";
import type { FolderIndex, FolderSeen } from "./folder-index.ts";
import { problemOfNames } from "./names.ts";
import { KIND, look, STATS } from "./work/look.ts";
import type { Looked } from "./work/look.ts";
import type { Pool } from "./work/pool.ts";

/** A folder of the working tree as it stands, with the digests that are known without reading. */
export interface Scan {
  /** From the root of the repository. */
  readonly root: string;
  /** Path from the root of the repository -> what is there; every folder below `root`, parents first. */
  readonly folders: Map<string, FolderSeen>;
  /** True when every folder is just as the index has it. */
  readonly clean: boolean;
}

/** How often the loop lets timers, signals and threads in. */
const BREATH = { names: 1000, folders: 64 };
/** A folder of which nothing is known counts as this many names, where work is shared out. */
const GUESS = 500;
/** Threads that look beside this one; more wait for each other in the kernel. */
const HELPERS = 3;

/**
 * Looks at every file below a folder, once: one listing a folder, one `lstat` a file, by all cores when there are many.
 * Fails with `unsupported`, all at once, for what data cannot hold: links, special files, and names that other systems
 * cannot keep.
 */
export async function scanFolder(
  context: Context,
  root: string,
  index: FolderIndex,
  pool: Pool,
): Promise<Result<Scan>> {
  const folders = new Map<string, FolderSeen>();
  const problems: Failure[] = [];
  let clean = true;
  let names = 0;
  const waiting = [root];
  const place = (folder: string): string => join(context.cwd, folder);
  const accept = (folder: string, looked: Looked): void => {
    const known = index.folder(folder);
    const seen = compare(folder, looked, known, problems);
    folders.set(folder, seen);
    if (seen !== known) clean = false;
    names += seen.count;
    for (let at = 0, list: string[] | undefined; at < seen.count; at++) {
      if (looked.kinds[at] !== KIND.folder) continue;
      list ??= seen.names.split("\0");
      waiting.push(`${folder}/${list[at]!.slice(0, -1)}`);
    }
  };
  const take = (): string[] => {
    const batch: string[] = [];
    for (let weight = 0; weight < 2 * BREATH.names && waiting.length > 0;) {
      const folder = waiting.pop()!;
      batch.push(folder);
      weight += index.folder(folder)?.count ?? GUESS;
    }
    return batch;
  };
  const help = async (): Promise<void> => {
    while (waiting.length > 0 && !context.signal?.aborted) {
      const batch = take();
      const looked = await pool.do<Looked[]>({ type: "look", folders: batch.map(place) });
      for (const [at, folder] of batch.entries()) accept(folder, looked[at]!);
    }
  };
  let helped: Promise<void> | undefined;
  const scanned = await attempt(root, async (): Promise<Result<void>> => {
    try {
      let breath = { names, folders: 0 };
      while (waiting.length > 0 || helped !== undefined) {
        const folder = waiting.pop();
        if (folder === undefined) {
          await helped;
          helped = undefined;
          continue;
        }
        if (context.signal?.aborted) return fail({ code: "interrupted" });
        accept(folder, look(place(folder)));
        if (names - breath.names < BREATH.names && folders.size - breath.folders < BREATH.folders) continue;
        const threads = Math.min(HELPERS, pool.width - 1);
        if (helped === undefined && threads > 0 && waiting.length > threads) {
          helped = Promise.all(Array.from({ length: threads }, help)).then(() => {});
          helped.catch(() => {}); // met where it is awaited
        }
        await setImmediate();
        breath = { names, folders: folders.size };
      }
      return context.signal?.aborted ? fail({ code: "interrupted" }) : ok();
    } finally {
      await helped?.catch(() => {});
    }
  });
  if (!scanned.ok) return scanned;
  if (!scanned.value.ok) return scanned.value;
  return failedIfAny(problems) ?? ok({ root, folders, clean });
}

/** The same object as `known` when nothing moved. */
function compare(folder: string, looked: Looked, known: FolderSeen | undefined, problems: Failure[]): FolderSeen {
  const { names, stats, kinds } = looked;
  const count = kinds.length;
  const sameNames = known?.names === names;
  if (sameNames && isSame(looked, known)) return known;
  const list = count === 0 ? [] : names.split("\0");
  if (!sameNames) problems.push(...problemOfNames(folder, list));
  const before =
    sameNames || known === undefined ? undefined : new Map(known.names.split("\0").map((name, at) => [name, at]));
  const digests = Buffer.alloc(count * DIGEST_BYTES);
  const executable = new Uint8Array(count);
  for (const [at, name] of list.entries()) {
    const kind = kinds[at]!;
    if (kind === KIND.folder || kind === KIND.unspeakable) continue;
    if (kind !== KIND.file && kind !== KIND.executable) {
      problems.push(odd(`${folder}/${name}`, kind === KIND.link));
      continue;
    }
    executable[at] = kind;
    const row = at * STATS;
    const old = sameNames ? at : before?.get(name);
    if (known !== undefined && old !== undefined && isAsSeen(known.stats, old * STATS, stats, row)) {
      known.digests.copy(digests, at * DIGEST_BYTES, old * DIGEST_BYTES, (old + 1) * DIGEST_BYTES);
    } else stats[row] = -1 - stats[row]!;
  }
  return { names, count, stats, executable, digests };
}

function isSame({ stats, kinds }: Looked, known: FolderSeen): boolean {
  for (let at = 0; at < kinds.length; at++) {
    const kind = kinds[at]!;
    if (kind === KIND.folder) continue;
    if (kind !== known.executable[at] || !isAsSeen(known.stats, at * STATS, stats, at * STATS)) return false;
  }
  return true;
}

function isAsSeen(known: Float64Array, old: number, stats: Float64Array, row: number): boolean {
  return (
    known[old] === stats[row] &&
    known[old + 1] === stats[row + 1] &&
    known[old + 2] === stats[row + 2] &&
    known[old + 3] === stats[row + 3]
  );
}

export function odd(path: string, isLink: boolean): Failure {
  return {
    code: "unsupported",
    what: `${path}: ${isLink ? "a symbolic link" : "a special file"} in data`,
    hint: "put the file itself there; a link means something else on every machine",
  };
}

/** One file of a scan: its folder, and its number there. */
export interface Spot {
  /** From the scan's root, POSIX. */
  readonly path: string;
  readonly folder: FolderSeen;
  readonly at: number;
}

/** Bytes of a file, and whether its digest is known. */
export function sizeAt({ folder, at }: Spot): { size: number; known: boolean } {
  const size = folder.stats[at * STATS]!;
  return size < 0 ? { size: -1 - size, known: false } : { size, known: true };
}

/** The files of a scan in the order of a tree's entries: a folder's "/" takes part in the order of its siblings. */
export function* filesOf(scan: Scan, below = ""): Iterable<Spot> {
  const folder = scan.folders.get(below === "" ? scan.root : `${scan.root}/${below}`);
  if (folder === undefined || folder.count === 0) return;
  for (const [at, name] of folder.names.split("\0").entries()) {
    const path = below === "" ? name : `${below}/${name}`;
    if (name.endsWith("/")) yield* filesOf(scan, path.slice(0, -1));
    else yield { path, folder, at };
  }
}
