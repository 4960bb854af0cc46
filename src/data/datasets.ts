import type { Dataset } from "../config/index.ts";
import { failedIfAny, foldersOf, ok } from "../core/index.ts";
import type { Failure, Result } from "../core/index.ts";
import { loadTracked } from "../dvc/index.ts";
import type { DvcFile, PlacedDvcFile } from "../dvc/index.ts";
import type { Source } from "../git/index.ts";
import { DATA_LOCK, loadDataLock } from "./lock.ts";

/** Data that git names and does not keep: an entry of the lockfile, or what a `.dvc` file tracks, under its path. */
export interface Tracked {
  readonly name: string;
  readonly dataset: Dataset | DvcFile;
}

/** The datasets of a tree: the lockfile's, and where DVC is at work those of its `.dvc` files. Each has one place. */
export async function loadDatasets(source: Source): Promise<Result<Tracked[]>> {
  const lock = await loadDataLock(source);
  if (!lock.ok) return lock;
  const ours = Object.entries(lock.value.datasets).map(([name, dataset]) => ({ name, dataset }));
  const there = await source.stat(".dvc");
  if (!there.ok) return there;
  const dvc = there.value === undefined ? ok([]) : await loadTracked(source);
  if (!dvc.ok) return dvc;
  const theirs = dvc.value.map((dataset) => ({ name: dataset.path, dataset }));
  const all: readonly { name: string; dataset: Dataset | PlacedDvcFile }[] = [...ours, ...theirs];
  const byPath = new Map(all.toReversed().map((one) => [one.dataset.path as string, one]));
  const byName = new Map(ours.map((one) => [one.name, one]));
  const failures = theirs.flatMap((one): Failure[] => {
    const { path, file, at } = one.dataset;
    const around = foldersOf(path).flatMap((folder) => byPath.get(folder) ?? []);
    const other = [byName.get(path), byPath.get(path), ...around].find((found) => found !== undefined && found !== one);
    if (other === undefined) return [];
    const where = "file" in other.dataset ? other.dataset.file : `dataset "${other.name}" of ${DATA_LOCK}`;
    return [{ code: "file-invalid", at, problem: `${file} tracks ${path}, which ${where} tracks too` }];
  });
  const inside = ours.flatMap(({ name, dataset }): Failure[] => {
    const other = foldersOf(dataset.path).map((folder) => byPath.get(folder)?.dataset);
    return other.flatMap((found): Failure[] => {
      if (found === undefined || !("at" in found)) return [];
      const problem = `${found.file} tracks ${found.path}, which holds dataset "${name}" of ${DATA_LOCK}`;
      return [{ code: "file-invalid", at: found.at, problem }];
    });
  });
  const placeless = theirs.map(({ name, dataset: placed }): Tracked => {
    const { at: _, ...dataset } = placed;
    return { name, dataset };
  });
  return failedIfAny([...failures, ...inside]) ?? ok([...ours, ...placeless]);
}

/** The dataset that a path is, lies in or contains. An exact match goes first, then the nearest dataset around it. */
export function datasetAt(datasets: readonly Tracked[], path: string): Tracked | undefined {
  const around = datasets
    .filter(({ dataset }) => path === dataset.path || path.startsWith(`${dataset.path}/`))
    .sort((a, b) => b.dataset.path.length - a.dataset.path.length);
  return around[0] ?? datasets.find(({ dataset }) => dataset.path.startsWith(`${path}/`));
}
