import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Dataset } from "../config/index.ts";
import type { DvcFile } from "../dvc/index.ts";
import { entriesAt, hasContent, localCache, snapshot } from "../store/index.ts";
import { chooseTracked } from "./choose.ts";
import type { NamedDataset } from "./choose.ts";
import { dvcState, isDvcCached } from "./dvc.ts";
import { partialTree } from "./partial.ts";
import type { Tracked } from "./datasets.ts";

/** How the working tree stands to the lockfile. "partial": the files that were pulled by path, and they are right. */
export type DatasetState = "unchanged" | "changed" | "missing" | "partial";

export interface DatasetStatus {
  readonly name: string;
  readonly dataset: Dataset | DvcFile;
  readonly state: DatasetState;
  /** True when the local cache has what the lockfile names, or DVC's what the `.dvc` file names. */
  readonly cached: boolean;
}

/** Every dataset against the working tree. Files that did not change are not read again. */
export async function statusData(context: Context): Promise<Result<DatasetStatus[]>> {
  const chosen = await chooseTracked(context, undefined);
  if (!chosen.ok) return chosen;
  const cache = localCache(context);
  const statuses: DatasetStatus[] = [];
  for (const { name, dataset } of chosen.value) {
    const state = await dataState(context, { name, dataset });
    if (!state.ok) return state;
    const cached = await ("file" in dataset ? isDvcCached(context, dataset) : hasContent(cache, dataset));
    if (!cached.ok) return cached;
    statuses.push({ name, dataset, state: state.value, cached: cached.value });
  }
  return ok(statuses);
}

/** How the working tree stands to a dataset of either kind. */
export async function dataState(context: Context, { name, dataset }: Tracked): Promise<Result<DatasetState>> {
  return "file" in dataset ? dvcState(context, dataset) : stateOf(context, { name, dataset });
}

export async function stateOf(context: Context, { name, dataset }: NamedDataset): Promise<Result<DatasetState>> {
  const there = await snapshot(context, dataset.path);
  if (!there.ok) return there.failures[0].code === "file-missing" ? ok("missing") : there;
  if (there.value.digest === dataset.digest && there.value.mode === dataset.mode) return ok("unchanged");
  const whole = await partialTree(context, name, dataset.digest);
  if (whole === undefined) return ok("changed");
  const present = await entriesAt(context, dataset.path);
  if (!present.ok) return present;
  const known = new Map(whole.map((entry) => [entry.path, entry]));
  const right = present.value?.entries.every(({ path, digest, mode }) => {
    const entry = known.get(path);
    return entry?.digest === digest && entry.mode === mode;
  });
  return ok(right === true ? "partial" : "changed");
}
