import { compareCodeUnits } from "../core/index.ts";
import type { TreeEntry } from "../store/index.ts";

/** Whose version to take where both sides changed the same thing. */
export type Side = "ours" | "theirs";

export interface FileConflict {
  /** From the dataset's folder. */
  readonly path: string;
  readonly problem: string;
}

export interface MergedEntries {
  /** Sorted by path. Without a chosen side, files in conflict are left out. */
  readonly entries: readonly TreeEntry[];
  readonly conflicts: readonly FileConflict[];
}

type State = TreeEntry | undefined;

/**
 * Merges two lists of files that came from `base`, each file on its own: what one side did and the other did not is
 * done; what both did alike is done once; the rest are conflicts, or go the way of `prefer`. Swapping the sides (and
 * the preference) gives the same answer.
 */
export function mergeEntries(
  base: readonly TreeEntry[],
  ours: readonly TreeEntry[],
  theirs: readonly TreeEntry[],
  prefer?: Side,
): MergedEntries {
  const [b, o, t] = [byPath(base), byPath(ours), byPath(theirs)];
  const chosen = prefer === "ours" ? o : prefer === "theirs" ? t : undefined;
  const entries: TreeEntry[] = [];
  const conflicts: FileConflict[] = [];
  for (const path of new Set([...b.keys(), ...o.keys(), ...t.keys()])) {
    const merged = mergeFile(b.get(path), o.get(path), t.get(path));
    if (typeof merged === "string" && chosen === undefined) conflicts.push({ path, problem: merged });
    const entry = typeof merged === "string" ? chosen?.get(path) : merged;
    if (entry !== undefined) entries.push(entry);
  }
  const clashes = clashesOf(entries.map((entry) => entry.path));
  // Files that cannot live side by side: each side was sound, so exactly one of the two is on the chosen side.
  const losers = new Set(chosen === undefined ? [] : clashes.flat().filter((path) => !chosen.has(path)));
  if (chosen === undefined) conflicts.push(...clashes.map(([a, c]) => ({ path: c, problem: clash(a, c) })));
  return {
    entries: entries.filter(({ path }) => !losers.has(path)).sort((x, y) => compareCodeUnits(x.path, y.path)),
    conflicts: conflicts.sort((x, y) => compareCodeUnits(x.path, y.path)),
  };
}

/** The file's state after both edits (undefined: deleted), or why there is none. */
function mergeFile(base: State, ours: State, theirs: State): State | string {
  if (same(ours, theirs) || same(base, theirs)) return ours;
  if (same(base, ours)) return theirs;
  if (base === undefined) return "was added on both sides, and differs";
  if (ours === undefined || theirs === undefined) return "was deleted on one side and changed on the other";
  const content = pick(base, ours, theirs, (entry) => entry.digest);
  const mode = pick(base, ours, theirs, (entry) => entry.mode);
  if (content === undefined || mode === undefined) return "was changed on both sides";
  return { ...content, mode: mode.mode };
}

/** Of two sides, the one that changed a field; undefined when both did, differently. */
function pick(base: TreeEntry, ours: TreeEntry, theirs: TreeEntry, field: (entry: TreeEntry) => string): State {
  if (field(ours) === field(theirs) || field(theirs) === field(base)) return ours;
  return field(ours) === field(base) ? theirs : undefined;
}

function same(a: State, b: State): boolean {
  return a?.digest === b?.digest && a?.mode === b?.mode;
}

function byPath(entries: readonly TreeEntry[]): Map<string, TreeEntry> {
  return new Map(entries.map((entry) => [entry.path, entry]));
}

function clash(other: string, path: string): string {
  const inside = path.startsWith(`${other}/`);
  return inside ? `lies in ${other}, which is a file` : `and ${other} are the same place on some file systems`;
}

/**
 * Pairs of paths that cannot be in one folder everywhere: a file that is also a folder, and names that only case or
 * Unicode composition tells apart. In the order of the paths.
 */
export function clashesOf(paths: readonly string[]): [string, string][] {
  const sorted = [...paths].sort(compareCodeUnits);
  /** Spelling without case and composition -> the path it is part of, as it was spelled, and whether it is a file. */
  const seen = new Map<string, { spelled: string; path: string; isFile: boolean }>();
  const found: [string, string][] = [];
  for (const path of sorted) {
    const parts = path.split("/");
    for (let depth = 1; depth <= parts.length; depth++) {
      const isFile = depth === parts.length;
      const spelled = parts.slice(0, depth).join("/");
      const folded = spelled.normalize("NFC").toLowerCase();
      const other = seen.get(folded);
      if (other === undefined) seen.set(folded, { spelled, path, isFile });
      else if (isFile || other.isFile || other.spelled !== spelled) {
        found.push([other.path, path]);
        break;
      }
    }
  }
  return found;
}
