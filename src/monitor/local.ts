import { join } from "node:path";
import { fileJson, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { loadDataLock, DATA_LOCK } from "../data/index.ts";
import { workingTree } from "../git/index.ts";
import { restore, writeFileAtomically } from "../store/index.ts";
import { datasetNamed, growDataset } from "./dataset.ts";
import { openWindow } from "./drift.ts";
import { findModel } from "./models.ts";
import { collectLabelled } from "./retrain.ts";

export interface LocalRetraining {
  readonly dataset: string;
  readonly path: string;
  readonly rows: number;
  readonly unusable: number;
  /** False: the dataset had all of them. */
  readonly changed: boolean;
}

/** What the retraining pull request would do, in the working tree: the dataset grows, and its lockfile entry with it. */
export async function retrainLocally(context: Context, name: string): Promise<Result<LocalRetraining>> {
  const source = workingTree(context);
  const model = await findModel(source, name);
  if (!model.ok) return model;
  const config = model.value.config.value;
  const opened = await openWindow(context);
  if (!opened.ok) return opened;
  const { logs, stores } = opened.value;
  const collected = await collectLabelled(context, { name, config, logs });
  if (!collected.ok) return collected;
  const { dataset, mode = "combined" } = config.monitor!.retrain!;
  const lock = await loadDataLock(source);
  if (!lock.ok) return lock;
  const base = datasetNamed(lock.value, dataset);
  if (!base.ok) return base;
  const grown = await growDataset(context, base.value, undefined, collected.value.tables, {
    name: dataset,
    mode,
    stores,
  });
  if (!grown.ok) return grown;
  const { rows, unusable } = collected.value;
  const answer = { dataset, path: base.value.path, rows, unusable };
  if (grown.value.digest === base.value.digest) return ok({ ...answer, changed: false });
  const restored = await restore(context, grown.value, stores);
  if (!restored.ok) return restored;
  const next = { ...lock.value, datasets: { ...lock.value.datasets, [dataset]: grown.value } };
  const written = await writeFileAtomically(context, join(context.cwd, DATA_LOCK), fileJson(next));
  return written.ok ? ok({ ...answer, changed: true }) : written;
}
