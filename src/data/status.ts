import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Dataset } from "../config/index.ts";
import { workingTree } from "../git/index.ts";
import { localCache, snapshot } from "../store/index.ts";
import { loadDataLock } from "./lock.ts";

/** How the working tree stands to the lockfile. */
export type DatasetState = "unchanged" | "changed" | "missing";

export interface DatasetStatus {
  readonly name: string;
  readonly dataset: Dataset;
  readonly state: DatasetState;
  /** True when the local cache has what the lockfile names. */
  readonly cached: boolean;
}

/** Every dataset of the lockfile against the working tree. Files that did not change are not read again. */
export async function statusData(context: Context): Promise<Result<DatasetStatus[]>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const cache = localCache(context);
  const statuses: DatasetStatus[] = [];
  for (const [name, dataset] of Object.entries(lock.value.datasets)) {
    const state = await stateOf(context, dataset);
    if (!state.ok) return state;
    const cached = await cache.has(dataset.digest);
    if (!cached.ok) return cached;
    statuses.push({ name, dataset, state: state.value, cached: cached.value });
  }
  return ok(statuses);
}

export async function stateOf(context: Context, dataset: Dataset): Promise<Result<DatasetState>> {
  const there = await snapshot(context, dataset.path);
  if (there.ok) return ok(there.value.digest === dataset.digest ? "unchanged" : "changed");
  return there.failures[0].code === "file-missing" ? ok("missing") : there;
}
