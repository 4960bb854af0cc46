import type { DataLock, Dataset } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { composeTree, readContent, readTree } from "../store/index.ts";
import type { Store, TreeEntry } from "../store/index.ts";
import { decodeTable, encodeTable, mergeTables } from "./labelled.ts";
import type { DayTable } from "./labelled.ts";

const FEEDBACK = /^feedback\/\d{4}-\d{2}-\d{2}\.csv$/;
const MAX_TABLE_BYTES = 256 * 1024 * 1024;

export interface GrowOptions {
  readonly name: string;
  readonly mode: "combined" | "new";
  /** Where blobs are read; the last one is the team's store, which new blobs go to. */
  readonly stores: readonly [Store, ...Store[]];
}

/** The dataset with a name, or the failure that says what there is. A lone file cannot take further files. */
export function datasetNamed(lock: DataLock, name: string): Result<Dataset> {
  const dataset = Object.hasOwn(lock.datasets, name) ? lock.datasets[name] : undefined;
  if (dataset === undefined) {
    return fail({ code: "unknown-name", what: "dataset", name, known: Object.keys(lock.datasets) });
  }
  if (dataset.kind === "tree") return ok(dataset);
  const hint = "track the folder the file lies in: `lockstep data add FOLDER`";
  return fail({ code: "unsupported", what: `adding rows to dataset "${name}", which is one file,`, hint });
}

/**
 * The dataset of the default branch with labelled requests added: those of an open proposal first, then the new ones.
 * Blobs are stored before the tree that names them, and the answer names the tree.
 */
export async function growDataset(
  context: Context,
  base: Dataset,
  proposed: Dataset | undefined,
  added: readonly DayTable[],
  options: GrowOptions,
): Promise<Result<Dataset>> {
  const entries = await readEntries(base, options);
  if (!entries.ok) return entries;
  const before = await readTables(base.digest, entries.value, options);
  if (!before.ok) return before;
  let tables = before.value;
  if (proposed !== undefined && proposed.digest !== base.digest) {
    const others = await readEntries(proposed, options);
    if (!others.ok) return others;
    const read = await readTables(proposed.digest, others.value, options);
    if (!read.ok) return read;
    tables = mergeTables(tables, read.value);
  }
  const merged = mergeTables(tables, added);
  const kept = options.mode === "new" ? [] : entries.value.filter(({ path }) => !FEEDBACK.test(path));
  const written: TreeEntry[] = [];
  const store = options.stores.at(-1)!;
  for (const table of merged) {
    const bytes = encodeTable(table);
    // oxlint-disable-next-line no-await-in-loop -- a file a day
    const digest = await store.put(bytes);
    if (!digest.ok) return digest;
    written.push({ path: table.path, mode: "644", size: bytes.length, digest: digest.value });
  }
  const all = [...kept, ...written];
  const digest = await composeTree(context, store, options.name, all, [base.digest]);
  if (!digest.ok) return digest;
  const size = all.reduce((sum, entry) => sum + entry.size, 0);
  const { source: _, ...rest } = base;
  // What was downloaded once is no longer the whole of it: the URL would promise something else.
  return ok(digest.value === base.digest ? base : { ...rest, digest: digest.value, size, files: all.length });
}

async function readEntries(dataset: Dataset, { stores, name }: GrowOptions): Promise<Result<TreeEntry[]>> {
  return readTree(dataset.digest, stores, `dataset "${name}"`);
}

async function readTables(
  root: Dataset["digest"],
  entries: readonly TreeEntry[],
  { stores }: GrowOptions,
): Promise<Result<DayTable[]>> {
  const tables: DayTable[] = [];
  for (const { path, digest, size } of entries.filter((entry) => FEEDBACK.test(entry.path))) {
    // oxlint-disable-next-line no-await-in-loop -- a file a day
    const bytes = await readContent(stores, root, { digest, label: path, size, maxBytes: MAX_TABLE_BYTES });
    if (!bytes.ok) return bytes;
    const table = decodeTable(path, bytes.value);
    if (!table.ok) return table;
    tables.push(table.value);
  }
  return ok(tables);
}
