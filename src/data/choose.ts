import { failedIfAny, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Dataset } from "../config/index.ts";
import { workingTree } from "../git/index.ts";
import { loadDataLock } from "./lock.ts";
import { logData } from "./log.ts";
import { loadDatasets } from "./datasets.ts";
import type { Tracked } from "./datasets.ts";

export interface NamedDataset {
  readonly name: string;
  readonly dataset: Dataset;
}

/** The datasets of the lockfile with these names; all of them when no name is given. */
export async function choose(context: Context, names: readonly string[] | undefined): Promise<Result<NamedDataset[]>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  return pick(
    Object.entries(lock.value.datasets).map(([name, dataset]) => ({ name, dataset })),
    names,
  );
}

/** The same of all datasets, those of `.dvc` files too. */
export async function chooseTracked(
  context: Context,
  names: readonly string[] | undefined,
): Promise<Result<Tracked[]>> {
  const tracked = await loadDatasets(workingTree(context));
  return tracked.ok ? pick(tracked.value, names) : tracked;
}

function pick<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | undefined,
): Result<T[]> {
  const byName = new Map(all.map((one) => [one.name, one]));
  const known = [...byName.keys()];
  const unknown = (names ?? []).filter((name) => !byName.has(name));
  const bad = failedIfAny(unknown.map((name) => ({ code: "unknown-name", what: "dataset", name, known })));
  return bad ?? ok([...new Set(names ?? known)].map((name) => byName.get(name)!));
}

/** How far back former versions are looked at for parts that are stored already. */
const FORMER = 5;

/** Digests of the dataset's last committed versions, newest first; none when there is no history of it. */
export async function formerVersions(context: Context, name: string): Promise<readonly Digest[]> {
  const log = await logData(context, name);
  const digests = log.ok ? log.value.versions.flatMap(({ dataset }) => dataset?.digest ?? []) : [];
  return [...new Set(digests)].slice(0, FORMER);
}
