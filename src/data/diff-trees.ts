import { posix } from "node:path";
import { compareCodeUnits } from "../core/index.ts";
import type { TreeEntry } from "../store/index.ts";

/** A file on both sides. */
export interface FilePair {
  readonly before: TreeEntry;
  readonly after: TreeEntry;
}

/** What became of the files of a folder. Every list is in the order of its (new) paths; no file is in two of them. */
export interface TreeDiff {
  readonly added: readonly TreeEntry[];
  readonly removed: readonly TreeEntry[];
  /** Other bytes under the same path. */
  readonly changed: readonly FilePair[];
  /** The same bytes under another path. */
  readonly renamed: readonly FilePair[];
  /** The same bytes under the same path; what its owner may do with it changed. */
  readonly modes: readonly FilePair[];
}

/** Compares two lists of entries, each sorted by path as a manifest is. Linear, but for the sorting of renames. */
export function diffTrees(before: readonly TreeEntry[], after: readonly TreeEntry[]): TreeDiff {
  const [added, removed, changed, modes]: [TreeEntry[], TreeEntry[], FilePair[], FilePair[]] = [[], [], [], []];
  let [at, to] = [0, 0];
  while (at < before.length || to < after.length) {
    const [old, now] = [before[at], after[to]];
    const order = old === undefined ? 1 : now === undefined ? -1 : compareCodeUnits(old.path, now.path);
    if (order < 0) removed.push(old as TreeEntry);
    if (order > 0) added.push(now as TreeEntry);
    if (order === 0 && old !== undefined && now !== undefined) {
      if (old.digest !== now.digest) changed.push({ before: old, after: now });
      else if (old.mode !== now.mode) modes.push({ before: old, after: now });
    }
    if (order <= 0) at++;
    if (order >= 0) to++;
  }
  const renamed = pair(removed, added);
  const gone = new Set(renamed.map((file) => file.before));
  const come = new Set(renamed.map((file) => file.after));
  return {
    added: added.filter((entry) => !come.has(entry)),
    removed: removed.filter((entry) => !gone.has(entry)),
    changed,
    renamed,
    modes,
  };
}

/**
 * Finds the files that only moved. Of several with the same bytes, those that kept their name go together first, then
 * the rest in the order of their paths: the answer is the same on every machine, whatever order they were found in.
 */
function pair(removed: readonly TreeEntry[], added: readonly TreeEntry[]): FilePair[] {
  const left = new Map<string, TreeEntry[]>();
  for (const entry of removed) push(left, entry.digest, entry);
  const come = new Map<string, TreeEntry[]>();
  for (const entry of added) if (left.has(entry.digest)) push(come, entry.digest, entry);
  const pairs: FilePair[] = [];
  for (const [digest, targets] of come) {
    const byName = new Map<string, TreeEntry[]>();
    for (const entry of left.get(digest) ?? []) push(byName, posix.basename(entry.path), entry);
    const rest = targets.filter((after) => {
      const before = byName.get(posix.basename(after.path))?.shift();
      if (before !== undefined) pairs.push({ before, after });
      return before === undefined;
    });
    const sources = [...byName.values()].flat().sort((a, b) => compareCodeUnits(a.path, b.path));
    for (const [index, before] of sources.entries()) {
      const after = rest[index];
      if (after !== undefined) pairs.push({ before, after });
    }
  }
  return pairs.sort((a, b) => compareCodeUnits(a.after.path, b.after.path));
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
