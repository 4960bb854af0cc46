import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fail, failedIfAny, ok } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import type { Dataset } from "../config/index.ts";
import { workingTree } from "../git/index.ts";
import { closure, copyOutputs, localCache, restore, snapshot } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { loadDataLock } from "./lock.ts";
import { stateOf } from "./status.ts";

export interface PushedData {
  readonly name: string;
  /** What the store did not have. */
  readonly blobs: number;
  readonly bytes: number;
}

export interface PulledData {
  readonly name: string;
  readonly dataset: Dataset;
  /** False when the working tree had it already. */
  readonly changed: boolean;
}

export interface VerifiedData {
  readonly name: string;
  readonly blobs: number;
}

/** Copies datasets, as the lockfile names them, to a store; all of them when `names` is absent. */
export async function pushData(
  context: Context,
  options: { readonly names?: readonly string[]; readonly to: Store },
): Promise<Result<PushedData[]>> {
  const chosen = await choose(context, options.names);
  if (!chosen.ok) return chosen;
  const cache = localCache(context);
  const pushed: PushedData[] = [];
  for (const { name, dataset } of chosen.value) {
    const ready = await inCache(context, name, dataset, cache, options.to);
    if (!ready.ok) return ready;
    const copied = ready.value ? await copyOutputs(context, cache, options.to, [dataset]) : ok({ blobs: 0, bytes: 0 });
    if (!copied.ok) return copied;
    pushed.push({ name, ...copied.value });
  }
  return ok(pushed);
}

/**
 * Brings datasets into the working tree as the lockfile names them. Content there that no store has (an edit that was
 * not added) is a `data-changed` failure, unless `overwrite` says to lose it.
 */
export async function pullData(
  context: Context,
  options: { readonly names?: readonly string[]; readonly stores: readonly Store[]; readonly overwrite?: boolean },
): Promise<Result<PulledData[]>> {
  const chosen = await choose(context, options.names);
  if (!chosen.ok) return chosen;
  const pulled: PulledData[] = [];
  for (const { name, dataset } of chosen.value) {
    const state = await stateOf(context, dataset);
    if (!state.ok) return state;
    if (state.value === "changed" && options.overwrite !== true) {
      const kept = await isKept(context, dataset, options.stores);
      if (!kept.ok) return kept;
      if (!kept.value) return fail({ code: "data-changed", dataset: name, path: dataset.path });
    }
    if (state.value !== "unchanged") {
      const restored = await restore(context, dataset, options.stores);
      if (!restored.ok) return restored;
    }
    pulled.push({ name, dataset, changed: state.value !== "unchanged" });
  }
  return ok(pulled);
}

/** Reads every blob of every dataset in a store and checks it. All that is missing or damaged comes back at once. */
export async function verifyData(
  context: Context,
  options: { readonly names?: readonly string[]; readonly store: Store },
): Promise<Result<VerifiedData[]>> {
  const chosen = await choose(context, options.names);
  if (!chosen.ok) return chosen;
  const failures: Failure[] = [];
  const verified: VerifiedData[] = [];
  for (const { name, dataset } of chosen.value) {
    const digests = await closure(dataset, [options.store]);
    if (!digests.ok) {
      failures.push(...digests.failures);
      continue;
    }
    for (const digest of digests.value) failures.push(...(await problemsOf(context, options.store, digest, name)));
    verified.push({ name, blobs: digests.value.length });
  }
  return failedIfAny(failures) ?? ok(verified);
}

async function problemsOf(context: Context, store: Store, digest: Digest, name: string): Promise<readonly Failure[]> {
  // By way of a file: a blob may be larger than memory.
  const copy = join(context.cwd, ".lockstep", "tmp", randomUUID());
  try {
    const taken = await store.toFile(digest, copy);
    if (taken.ok) return [];
    const neededBy = `dataset "${name}"`;
    return taken.failures.map((failure) => (failure.code === "blob-missing" ? { ...failure, neededBy } : failure));
  } finally {
    await rm(copy, { force: true });
  }
}

async function choose(
  context: Context,
  names: readonly string[] | undefined,
): Promise<Result<{ name: string; dataset: Dataset }[]>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const { datasets } = lock.value;
  const known = Object.keys(datasets);
  const unknown = (names ?? []).filter((name) => !Object.hasOwn(datasets, name));
  const bad = failedIfAny(unknown.map((name) => ({ code: "unknown-name", what: "dataset", name, known })));
  if (bad) return bad;
  return ok(
    [...new Set(names ?? known)].flatMap((name) => {
      const dataset = datasets[name];
      return dataset === undefined ? [] : [{ name, dataset }];
    }),
  );
}

/** True when the cache holds all of a dataset; false when the store does, so that nothing is to be copied. */
async function inCache(
  context: Context,
  name: string,
  dataset: Dataset,
  cache: Store,
  store: Store,
): Promise<Result<boolean>> {
  if (await isWhole(dataset, cache)) return ok(true);
  if (await isWhole(dataset, store)) return ok(false);
  // Deleted caches are made again from the working tree, where that is still what the lockfile says.
  const taken = await snapshot(context, dataset.path, cache);
  if (taken.ok && taken.value.digest === dataset.digest) return ok(true);
  if (taken.ok) return fail({ code: "data-changed", dataset: name, path: dataset.path });
  if (taken.failures[0].code !== "file-missing") return taken;
  return fail({ code: "blob-missing", digest: dataset.digest, neededBy: `dataset "${name}"`, store: cache.url });
}

async function isWhole(dataset: Pick<Dataset, "kind" | "digest">, store: Store): Promise<boolean> {
  const digests = await closure(dataset, [store]);
  if (!digests.ok) return false;
  for (const digest of digests.value) {
    const present = await store.has(digest);
    if (!present.ok || !present.value) return false;
  }
  return true;
}

/** True when a store still has what stands in the working tree, so that replacing it loses nothing. */
async function isKept(context: Context, dataset: Dataset, stores: readonly Store[]): Promise<Result<boolean>> {
  const there = await snapshot(context, dataset.path);
  if (!there.ok) return there;
  for (const store of stores) if (await isWhole(there.value, store)) return ok(true);
  return ok(false);
}
