import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { openRecords, recordsOptions } from "../records/index.ts";
import type { Records } from "../records/index.ts";
import { openStore, storeUrl } from "../store/index.ts";
import type { Store } from "../store/index.ts";

/** A working tree with the store and the records that its settings name. */
export interface Workspace {
  readonly source: Source;
  readonly store: Store;
  /** The same store, which an interruption does not stop: for what is written down because of one. */
  readonly lastingStore: Store;
  readonly records: Records;
}

/** Opens the working tree, its store and its records, as `.github/lockstep.yml` and the environment say. */
export async function openWorkspace(context: Context): Promise<Result<Workspace>> {
  const source = workingTree(context);
  const options = await recordsOptions(context, source);
  if (!options.ok) return options;
  const url = await storeUrl(context, source);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const { signal: _, ...lasting } = context;
  const lastingStore = openStore(lasting, url.value);
  if (!lastingStore.ok) return lastingStore;
  return ok({
    source,
    store: store.value,
    lastingStore: lastingStore.value,
    records: openRecords(context, options.value),
  });
}
