import { fail, ok } from "../core/index.ts";
import type { Context, Failed, Result } from "../core/index.ts";
import type { Driver } from "./driver.ts";
import { mapLimited } from "./files.ts";
import { readCondemned, storeClock, writeCondemned } from "./gc-condemned.ts";
import type { Condemned } from "./gc-condemned.ts";
import type { ObjectKind, StoredObject } from "./gc-list.ts";

/** An object that nothing needs. */
export interface Unneeded extends StoredObject {
  readonly kind: ObjectKind;
}

/** One that was held against the grace period. */
export interface Dated extends Unneeded {
  /** When a collector found it unneeded first, in ms by the store's clock; null: none has so far. */
  readonly since: number | null;
  /** True when both that and its last writing are longer ago than the grace period. */
  readonly due: boolean;
}

export interface Swept {
  /** What is gone, or would be. */
  readonly due: readonly Dated[];
  /** Found unneeded, or written, not long enough ago. */
  readonly waiting: readonly Dated[];
}

/** What `sweep` would find, at a time that stands for the store's clock. Writes nothing. */
export async function foresee(
  driver: Driver,
  unneeded: readonly Unneeded[],
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): Promise<Result<Swept>> {
  const known = await readCondemned(driver);
  if (!known.ok) return known;
  const objects = dated(unneeded, known.value, now - graceMs);
  return ok({ due: objects.filter(({ due }) => due), waiting: objects.filter(({ due }) => !due) });
}

/**
 * Condemns what is unneeded, then deletes what was condemned at least the grace period ago and was not written since.
 * Whoever pushes reads the condemned and writes them anew before building on them, so that no deletion meets a push
 * that takes less than the grace period. What names other objects is deleted before them: killed anywhere, a tree that
 * is there still has all it needs. Running again finishes.
 */
export async function sweep(
  context: Context,
  driver: Driver,
  unneeded: readonly Unneeded[],
  graceMs: number,
): Promise<Result<Swept>> {
  const now = await storeClock(driver);
  if (!now.ok) return now;
  const before = await readCondemned(driver);
  if (!before.ok) return before;
  const next = new Map(unneeded.map(({ key }) => [key, before.value.get(key) ?? now.value]));
  const condemned = await rewrite(context, driver, before.value, next);
  if (!condemned.ok) return condemned;
  const objects = dated(unneeded, next, now.value - graceMs);
  const gone = new Set<Dated>();
  for (const kinds of IN_ORDER) {
    const due = objects.filter(({ due: isDue, kind }) => isDue && kinds.includes(kind));
    const failed = await deleteAll(context, driver, due, gone);
    if (failed !== undefined) return failed;
  }
  const left = new Map(next);
  for (const { key } of gone) left.delete(key);
  const rewritten = await rewrite(context, driver, next, left);
  if (!rewritten.ok) return rewritten;
  return ok({
    due: objects.filter((object) => gone.has(object)),
    waiting: objects.filter((object) => !gone.has(object)),
  });
}

/** What names other objects goes before what it names. */
const IN_ORDER: readonly (readonly ObjectKind[])[] = [["checkpoints"], ["trees"], ["layouts"], ["packs", "files"]];

function dated(unneeded: readonly Unneeded[], condemned: Condemned, latest: number): Dated[] {
  return unneeded.map((object) => {
    const since = condemned.get(object.key) ?? null;
    return { ...object, since, due: since !== null && Math.max(since, object.modified) <= latest };
  });
}

async function rewrite(context: Context, driver: Driver, before: Condemned, next: Condemned): Promise<Result<void>> {
  if (next.size === before.size && [...next.keys()].every((key) => before.has(key))) return ok();
  const written = await writeCondemned(driver, next);
  if (written.ok) context.emit({ type: "effect", name: "condemned written" });
  return written;
}

/** Deletes objects in any order, until one fails; puts what is gone into `gone`. */
async function deleteAll(
  context: Context,
  driver: Driver,
  due: readonly Dated[],
  gone: Set<Dated>,
): Promise<Failed | undefined> {
  let failed: Failed | undefined;
  await mapLimited(due, driver.width, async (object) => {
    if (context.signal?.aborted) failed ??= fail({ code: "interrupted" });
    if (failed !== undefined) return;
    const deleted = await deleteOne(context, driver, object);
    if (!deleted.ok) failed = deleted;
    else if (deleted.value) gone.add(object);
  });
  return failed;
}

/** Deletes an object that still is what was listed; one that was written since is somebody's (false). */
async function deleteOne(context: Context, driver: Driver, object: Dated): Promise<Result<boolean>> {
  const info = await driver.stat(object.key);
  if (!info.ok) return info;
  if (info.value === undefined) return ok(true);
  if (info.value.modified !== object.modified) return ok(false);
  const deleted = await driver.delete(object.key);
  if (!deleted.ok) return deleted;
  context.emit({ type: "effect", name: `${object.key} deleted` });
  return ok(true);
}
