import { lstatSync, readdirSync } from "node:fs";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { attempt, fail, failedIfAny, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { DIGEST_BYTES } from "./digest-table.ts";
import { STATS } from "./folder-index.ts";
import type { FolderIndex, FolderSeen } from "./folder-index.ts";
import { problemOfNames } from "./names.ts";

/** A folder of the working tree as it stands, with the digests that are known without reading. */
export interface Scan {
  /** From the root of the repository. */
  readonly root: string;
  /** Path from the root of the repository -> what is there; every folder below `root`, parents first. */
  readonly folders: Map<string, FolderSeen>;
  /** True when every folder is just as the index has it. */
  readonly clean: boolean;
}

/** How often the loop lets timers and signals in, in folders. */
const BREATH = 64;

/**
 * Looks at every file below a folder, once: one listing a folder, one `lstat` a file. Fails with `unsupported`, all
 * at once, for what data cannot hold: links, special files, and names that other systems cannot keep.
 */
export async function scanFolder(context: Context, root: string, index: FolderIndex): Promise<Result<Scan>> {
  const folders = new Map<string, FolderSeen>();
  const problems: Failure[] = [];
  let clean = true;
  const waiting = [root];
  const scanned = await attempt(root, async (): Promise<Result<void>> => {
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      if (folders.size % BREATH === BREATH - 1) await setImmediate();
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      const known = index.folder(folder);
      const seen = lookAt(join(context.cwd, folder), folder, known, problems);
      folders.set(folder, seen);
      if (seen !== known) clean = false;
      if (seen.count > 0 && seen.names.includes("/")) {
        for (const name of seen.names.split("\0").reverse()) {
          // What is not called so (its name is not UTF-8) cannot be opened; it is among the problems already.
          if (name.endsWith("/") && !name.includes("\ufffd")) waiting.push(`${folder}/${name.slice(0, -1)}`);
        }
      }
    }
    return ok();
  });
  if (!scanned.ok) return scanned;
  if (!scanned.value.ok) return scanned.value;
  return failedIfAny(problems) ?? ok({ root, folders, clean });
}

/** The same object as `known` when nothing moved. */
function lookAt(absolute: string, folder: string, known: FolderSeen | undefined, problems: Failure[]): FolderSeen {
  const list = readdirSync(absolute, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
  const names = list.join("\0");
  const seen = {
    names,
    count: list.length,
    stats: new Float64Array(list.length * STATS),
    executable: new Uint8Array(list.length),
    digests: Buffer.alloc(list.length * DIGEST_BYTES),
  };
  const sameNames = known?.names === names;
  if (!sameNames) problems.push(...problemOfNames(folder, list));
  const before =
    sameNames || known === undefined ? undefined : new Map(known.names.split("\0").map((name, at) => [name, at]));
  let same = sameNames;
  for (const [at, name] of list.entries()) {
    if (name.endsWith("/") || name.includes("\ufffd")) continue; // such a name is not what the folder calls it
    const stat = lstatSync(`${absolute}/${name}`);
    if (!stat.isFile()) {
      problems.push(odd(`${folder}/${name}`, stat));
      continue;
    }
    const row = at * STATS;
    seen.executable[at] = (stat.mode & 0o100) === 0 ? 0 : 1;
    const old = sameNames ? at : before?.get(name);
    if (known !== undefined && old !== undefined && isAsSeen(known.stats, old * STATS, stat)) {
      seen.stats.set([stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino], row);
      known.digests.copy(seen.digests, at * DIGEST_BYTES, old * DIGEST_BYTES, (old + 1) * DIGEST_BYTES);
      if (known.executable[old] !== seen.executable[at]) same = false;
    } else {
      seen.stats.set([-1 - stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino], row);
      same = false;
    }
  }
  return same && known !== undefined ? known : seen;
}

function isAsSeen(stats: Float64Array, row: number, stat: Stats): boolean {
  return (
    stats[row] === stat.size &&
    stats[row + 1] === stat.mtimeMs &&
    stats[row + 2] === stat.ctimeMs &&
    stats[row + 3] === stat.ino
  );
}

export function odd(path: string, stat: Pick<Stats, "isSymbolicLink">): Failure {
  return {
    code: "unsupported",
    what: `${path}: ${stat.isSymbolicLink() ? "a symbolic link" : "a special file"} in data`,
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
