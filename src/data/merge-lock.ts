import { canonicalJson, compareCodeUnits } from "../core/index.ts";
import type { Failure } from "../core/index.ts";
import type { DataLock, Dataset } from "../config/index.ts";
import { clashesOf } from "./merge-entries.ts";
import type { Side } from "./merge-entries.ts";

/** A dataset whose files have to be merged one by one. */
export interface TreeMerge {
  readonly name: string;
  readonly path: Dataset["path"];
  /** Undefined: both sides added it. */
  readonly base: Dataset | undefined;
  readonly ours: Dataset;
  readonly theirs: Dataset;
}

export interface LockPlan {
  /** Settled by the lockfiles alone. */
  readonly taken: ReadonlyMap<string, Dataset>;
  readonly trees: readonly TreeMerge[];
  readonly conflicts: readonly Failure[];
}

/** The three versions of a lockfile that a merge begins with. */
export interface LockSides {
  readonly base: DataLock;
  readonly ours: DataLock;
  readonly theirs: DataLock;
}

/**
 * What can be said from the lockfiles: datasets that one side touched are taken, those that both touched are merged by
 * their files where both are folders, and are in conflict as one otherwise. `prefer` settles what would be a conflict.
 */
export function planLockMerge(sides: LockSides, prefer?: Side): LockPlan {
  const taken = new Map<string, Dataset>();
  const trees: TreeMerge[] = [];
  const conflicts: Failure[] = [];
  const chosen = prefer === undefined ? undefined : sides[prefer];
  const names = new Set([sides.base, sides.ours, sides.theirs].flatMap(({ datasets }) => Object.keys(datasets)));
  for (const name of [...names].sort(compareCodeUnits)) {
    const merged = mergeDataset(name, at(sides.base, name), at(sides.ours, name), at(sides.theirs, name));
    if (merged === undefined) continue;
    if (!("problem" in merged)) {
      if ("ours" in merged) trees.push(merged);
      else taken.set(name, merged);
      continue;
    }
    const ofChosen = chosen === undefined ? undefined : at(chosen, name);
    if (ofChosen !== undefined) taken.set(name, ofChosen);
    else if (chosen === undefined) conflicts.push({ code: "data-conflict", dataset: name, ...merged });
  }
  const all = [...[...taken].map(([name, { path }]) => ({ name, path })), ...trees];
  for (const [a, b] of placesTwice(all)) {
    // Nothing that this merge brings together.
    if ([sides.ours, sides.theirs].some((lock) => at(lock, a.name) && at(lock, b.name))) continue;
    const loser = chosen === undefined ? undefined : [a, b].find(({ name }) => at(chosen, name) === undefined);
    if (loser !== undefined) taken.delete(loser.name);
    else if (chosen === undefined) conflicts.push(twice(a, b));
  }
  return { taken, trees, conflicts };
}

function at(lock: DataLock, name: string): Dataset | undefined {
  return Object.hasOwn(lock.datasets, name) ? lock.datasets[name] : undefined;
}

type Conflict = { readonly path: string; readonly problem: string };

/** Undefined: it is deleted. */
function mergeDataset(
  name: string,
  base: Dataset | undefined,
  ours: Dataset | undefined,
  theirs: Dataset | undefined,
): Dataset | TreeMerge | Conflict | undefined {
  if (same(ours, theirs) || same(base, theirs)) return ours;
  if (same(base, ours)) return theirs;
  if (ours === undefined || theirs === undefined) {
    const path = (ours ?? theirs ?? base)?.path ?? name;
    return { path, problem: "was removed on one side and changed on the other" };
  }
  const path = pick(base?.path, ours.path, theirs.path);
  if (path === undefined) {
    const [one, other] = [ours.path, theirs.path].sort(compareCodeUnits);
    return { path: one as string, problem: `has another place on the other side: ${other}` };
  }
  const content = pick(contentOf(base), contentOf(ours), contentOf(theirs));
  if (content !== undefined) {
    const side = content === contentOf(ours) ? ours : theirs;
    // One content, got from two sources: which one is right cannot be told, and does not change a byte.
    const source = ours.digest === theirs.digest ? firstSource(ours, theirs) : side.source;
    const { source: _, ...rest } = side;
    return { ...rest, path, ...(source === undefined ? {} : { source }) };
  }
  if (ours.kind === "file" || theirs.kind === "file") return { path, problem: "was changed on both sides" };
  return { name, path, base: base?.kind === "tree" ? base : undefined, ours, theirs };
}

/** What may not differ on both sides: the bytes, and whether a lone file is executable. */
function contentOf(dataset: Dataset): string;
function contentOf(dataset: Dataset | undefined): string | undefined;
function contentOf(dataset: Dataset | undefined): string | undefined {
  return dataset === undefined ? undefined : `${dataset.kind} ${dataset.digest} ${dataset.mode ?? ""}`;
}

function firstSource(a: Dataset, b: Dataset): Dataset["source"] {
  const sources = [a.source, b.source].filter((source) => source !== undefined);
  return sources.sort((x, y) => compareCodeUnits(canonicalJson(x), canonicalJson(y)))[0];
}

/** Of two sides, the value of the one that changed it; undefined when both did, differently. */
function pick<T>(base: T | undefined, ours: T, theirs: T): T | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

function same(a: Dataset | undefined, b: Dataset | undefined): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

interface Place {
  readonly name: string;
  readonly path: string;
}

/** Pairs of datasets that lie in one another, or at one place. */
function placesTwice(places: readonly Place[]): [Place, Place][] {
  const sorted = places.toSorted((a, b) => compareCodeUnits(a.path, b.path) || compareCodeUnits(a.name, b.name));
  const named = (path: string): Place[] => sorted.filter((place) => place.path === path);
  return clashesOf(sorted.map(({ path }) => path)).flatMap(([a, b]): [Place, Place][] => {
    if (a !== b) return [[named(a)[0] as Place, named(b)[0] as Place]];
    const [first, ...others] = named(a);
    return others.map((other) => [first as Place, other]);
  });
}

function twice(a: Place, b: Place): Failure {
  const problem = `(of one side) and dataset "${a.name}" at ${a.path} (of the other) cannot both be there`;
  const hint = "on one of the branches, give it another path, or remove it from data.lock.json";
  return { code: "data-conflict", dataset: b.name, path: b.path, problem, hint };
}
