import { failedIfAny, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Dataset } from "../config/index.ts";
import { workingTree } from "../git/index.ts";
import { loadDataLock } from "./lock.ts";
import { logData } from "./log.ts";

export interface NamedDataset {
  readonly name: string;
  readonly dataset: Dataset;
}

/** The datasets of the lockfile with these names; all of them when no name is given. */
export async function choose(context: Context, names: readonly string[] | undefined): Promise<Result<NamedDataset[]>> {
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

/** How far back former versions are looked at for parts that are stored already. */
const FORMER = 5;

/** Digests of the dataset's last committed versions, newest first; none when there is no history of it. */
export async function formerVersions(context: Context, name: string): Promise<readonly Digest[]> {
  const log = await logData(context, name);
  const digests = log.ok ? log.value.versions.flatMap(({ dataset }) => dataset?.digest ?? []) : [];
  return [...new Set(digests)].slice(0, FORMER);
}
