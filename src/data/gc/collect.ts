import { dirname, join } from "node:path";
import { failedIfAny, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import type { Key } from "../../store/driver.ts";
import type { FileDriver } from "../../store/drivers/file.ts";
import { deleteLeftovers, findLeftovers } from "../../store/gc-leftovers.ts";
import type { Leftover } from "../../store/gc-leftovers.ts";
import { kindsOf, listObjects } from "../../store/gc-list.ts";
import type { StoredObject } from "../../store/gc-list.ts";
import { foresee, sweep } from "../../store/gc-sweep.ts";
import type { Dated, Unneeded } from "../../store/gc-sweep.ts";
import type { Store } from "../../store/index.ts";
import { amountOf } from "./amount.ts";
import type { Amount } from "./amount.ts";
import { marksOfCheckpoints } from "./checkpoints.ts";
import { doubtsOf, missingOf } from "./doubts.ts";
import type { Missing } from "./doubts.ts";
import { findMarks } from "./marks.ts";
import type { MarkOptions } from "./marks.ts";
import { needsOf } from "./needs.ts";
import type { MarkSource, Root } from "./root.ts";
import { wasteOf } from "./waste.ts";
import type { Waste } from "./waste.ts";

export interface GcOptions extends MarkOptions {
  readonly store: Store;
  readonly graceMs: number;
  /** False: only says what would go. */
  readonly remove: boolean;
  /** Goes on where what a commit names is not in the store. */
  readonly missingOk?: boolean;
  /** Goes on where a lockfile cannot be read; what looks like a digest in it is kept. */
  readonly unreadableOk?: boolean;
}

export interface GcReport {
  readonly store: string;
  /** True: `due` is gone. False: it would go. */
  readonly removed: boolean;
  /** Blobs and layouts, before anything was deleted. */
  readonly objects: Amount;
  readonly needed: Amount;
  /** How many contents each source names. */
  readonly marks: Readonly<Partial<Record<MarkSource, number>>>;
  readonly due: readonly Dated[];
  /** Unneeded, but not for long enough. */
  readonly waiting: readonly Dated[];
  readonly missing: readonly Missing[];
  /** What keeps `remove` from deleting anything. */
  readonly doubts: readonly Failure[];
  /** Treated as `due` is. */
  readonly leftovers: readonly Leftover[];
  readonly waste: readonly Waste[];
}

/**
 * Finds what nothing needs in a store and, where it is told to, deletes what has been unneeded for the grace period.
 * Anything that may hide a need (a shallow clone, a lockfile or a layout that cannot be read) makes it delete nothing.
 */
export async function collectGarbage(context: Context, options: GcOptions): Promise<Result<GcReport>> {
  const { store, graceMs, remove, team } = options;
  // Listed before anything is looked for: what comes later is not in question.
  const objects = await listObjects(store.driver);
  if (!objects.ok) return objects;
  const marks = await findMarks(context, options);
  if (!marks.ok) return marks;
  const checkpoints = await marksOfCheckpoints(context, store, remove);
  if (!checkpoints.ok) return checkpoints;
  const roots = [...marks.value.roots, ...checkpoints.value.roots];
  const needs = await needsOf(store, objects.value, roots);
  if (!needs.ok) return needs;
  const missing = missingOf(needs.value, team);
  const doubts = [...marks.value.doubts, ...doubtsOf(missing)]
    .filter(
      ({ kind }) => !(kind === "missing" && options.missingOk) && !(kind === "unreadable" && options.unreadableOk),
    )
    .map(({ failure }) => failure);
  const doubted = failedIfAny(doubts);
  if (remove && doubted !== undefined) return doubted;

  const { keys } = needs.value;
  const found = await unneededOf(store, objects.value, keys);
  if (!found.ok) return found;
  const unneeded = [...checkpoints.value.stale, ...found.value];
  const waste = await wasteOf(store, objects.value, keys);
  const swept = remove
    ? await sweep(context, store.driver, unneeded, graceMs)
    : await foresee(store.driver, unneeded, { now: context.now().getTime(), graceMs });
  if (!swept.ok) return swept;
  const leftovers = await leftoversOf(context, options);
  if (!leftovers.ok) return leftovers;
  const present = [...objects.value.values()];
  return ok({
    store: store.url,
    removed: remove,
    objects: amountOf(present),
    needed: amountOf(present.filter(({ key }) => keys.has(key))),
    marks: countOf(roots),
    ...swept.value,
    missing,
    doubts,
    leftovers: leftovers.value,
    waste,
  });
}

async function unneededOf(
  store: Store,
  objects: ReadonlyMap<Key, StoredObject>,
  needed: ReadonlySet<Key>,
): Promise<Result<Unneeded[]>> {
  const found = [...objects.values()].filter(({ key }) => !needed.has(key));
  const kinds = await kindsOf(store.driver, found);
  if (!kinds.ok) return kinds;
  return ok(found.map((object) => ({ ...object, kind: kinds.value.get(object.key)! })));
}

/** Whoever writes a temporary file touches it more often than this, whatever grace was asked for. */
const AT_WORK_MS = 3_600_000;

/** What killed processes left where objects are files of this machine; deleted where that is asked for. */
async function leftoversOf(context: Context, { store, team, graceMs, remove }: GcOptions): Promise<Result<Leftover[]>> {
  const { driver } = store;
  const folders = [
    // `v1/tmp` beside `v1/gc`
    ...("pathOf" in driver ? [join(dirname((driver as FileDriver).pathOf("gc/clock")), "..", "tmp")] : []),
    ...(team ? [] : [join(context.cwd, ".lockstep", "tmp")]),
  ];
  const all: Leftover[] = [];
  for (const folder of folders) {
    const found = await findLeftovers(folder, Math.max(graceMs, AT_WORK_MS));
    if (!found.ok) return found;
    all.push(...found.value);
  }
  if (!remove) return ok(all);
  const deleted = await deleteLeftovers(all);
  return deleted.ok ? ok(all) : deleted;
}

function countOf(roots: readonly Root[]): Partial<Record<MarkSource, number>> {
  const contents = new Map<MarkSource, Set<string>>();
  for (const { source, digest } of roots) {
    contents.set(source, (contents.get(source) ?? new Set<string>()).add(digest));
  }
  return Object.fromEntries([...contents].map(([source, digests]) => [source, digests.size]));
}
