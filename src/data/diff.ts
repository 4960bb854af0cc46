import { posix } from "node:path";
import { compareCodeUnits, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { DataLock, Dataset } from "../config/index.ts";
import { atRevision, workingTree } from "../git/index.ts";
import { digestOf, encodeTree, entriesAt, readTree } from "../store/index.ts";
import type { Store, TreeEntry } from "../store/index.ts";
import { diffTrees } from "./diff-trees.ts";
import type { TreeDiff } from "./diff-trees.ts";
import { loadDataLock } from "./lock.ts";
import { partialTree } from "./partial.ts";

/** One dataset on one side. */
export interface DatasetVersion extends Pick<Dataset, "path" | "kind" | "digest" | "mode" | "size" | "files"> {
  /** False for a dataset that is not in the working tree: it counts as what the lockfile says. */
  readonly present: boolean;
}

export interface DatasetDiff {
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly before: DatasetVersion | null;
  readonly after: DatasetVersion | null;
  /** By file, with paths from the dataset's folder. Null: a manifest is in no store any more. */
  readonly files: TreeDiff | null;
}

export interface DataDiff {
  readonly from: SideName;
  readonly to: SideName;
  /** Datasets that differ, by name. */
  readonly datasets: readonly DatasetDiff[];
}

export interface SideName {
  readonly label: string;
  /** Null for the working tree. */
  readonly commit: string | null;
}

interface Side extends SideName {
  readonly lock: DataLock;
}

/** What a dataset is on one side; its files are read when they are asked for. */
interface Content {
  readonly version: DatasetVersion;
  readonly entries: () => Promise<Result<readonly TreeEntry[]>>;
}

/**
 * The datasets of two revisions, compared by file. `to` absent is the working tree: what stands there now, added or
 * not; files that the stat index knows are not read. Manifests come from the first store that has them.
 */
export async function diffData(
  context: Context,
  options: { readonly from: string; readonly to?: string; readonly stores: readonly Store[] },
): Promise<Result<DataDiff>> {
  const from = await openSide(context, options.from);
  if (!from.ok) return from;
  const to = await openSide(context, options.to);
  if (!to.ok) return to;
  const names = new Set([...Object.keys(from.value.lock.datasets), ...Object.keys(to.value.lock.datasets)]);
  const datasets: DatasetDiff[] = [];
  for (const name of [...names].sort(compareCodeUnits)) {
    const difference = await diffDataset(context, name, from.value, to.value, options.stores);
    if (!difference.ok) return difference;
    if (difference.value !== undefined) datasets.push(difference.value);
  }
  return ok({ from: nameOf(from.value), to: nameOf(to.value), datasets });
}

async function openSide(context: Context, revision: string | undefined): Promise<Result<Side>> {
  const source = revision === undefined ? ok(workingTree(context)) : await atRevision(context, revision);
  if (!source.ok) return source;
  const lock = await loadDataLock(source.value);
  if (!lock.ok) return lock;
  return ok({ label: source.value.label, commit: source.value.commit, lock: lock.value });
}

function nameOf({ label, commit }: Side): SideName {
  return { label, commit };
}

/** Undefined: there is no difference. */
async function diffDataset(
  context: Context,
  name: string,
  from: Side,
  to: Side,
  stores: readonly Store[],
): Promise<Result<DatasetDiff | undefined>> {
  const before = await contentOf(context, from, name, stores);
  if (!before.ok) return before;
  const after = await contentOf(context, to, name, stores);
  if (!after.ok) return after;
  const [old, now] = [before.value?.version ?? null, after.value?.version ?? null];
  if (old !== null && now !== null && same(old, now)) return ok(undefined);
  const change = old === null ? "added" : now === null ? "removed" : "changed";
  const files = await filesOf(context, name, before.value, after.value);
  return files.ok ? ok({ name, change, before: old, after: now, files: files.value }) : files;
}

function same(a: DatasetVersion, b: DatasetVersion): boolean {
  return a.path === b.path && a.kind === b.kind && a.digest === b.digest && a.mode === b.mode;
}

async function filesOf(
  context: Context,
  name: string,
  before: Content | undefined,
  after: Content | undefined,
): Promise<Result<TreeDiff | null>> {
  const none: Result<readonly TreeEntry[]> = ok([]);
  // Moved as a whole: there is nothing to compare.
  if (before?.version.kind === "tree" && before.version.digest === after?.version.digest) return ok(diffTrees([], []));
  const old = before === undefined ? none : await before.entries();
  const now = after === undefined ? none : await after.entries();
  for (const side of [old, now]) {
    if (side.ok) continue;
    const [failure] = side.failures;
    // An old version may have been collected. That hides its files, not the other datasets.
    if (failure.code !== "blob-missing") return side;
    const message = `dataset "${name}": its files cannot be compared, because ${failure.digest} is not in ${failure.store}`;
    context.emit({ type: "warning", message });
    return ok(null);
  }
  return old.ok && now.ok ? ok(diffTrees(old.value, now.value)) : ok(null);
}

async function contentOf(
  context: Context,
  side: Side,
  name: string,
  stores: readonly Store[],
): Promise<Result<Content | undefined>> {
  const dataset = Object.hasOwn(side.lock.datasets, name) ? side.lock.datasets[name] : undefined;
  if (dataset === undefined) return ok(undefined);
  if (side.commit === null) {
    const there = await inWorkingTree(context, name, dataset);
    if (!there.ok || there.value !== undefined) return there;
  }
  const { source: _, ...content } = dataset;
  const { kind, digest } = dataset;
  const version = { ...content, present: side.commit !== null };
  return ok({
    version,
    entries: async () => (kind === "file" ? ok([loneFile(dataset)]) : readTree(digest, stores, `dataset "${name}"`)),
  });
}

/** Undefined: the dataset is not in the working tree. Files that were left out when it was pulled count as there. */
async function inWorkingTree(context: Context, name: string, dataset: Dataset): Promise<Result<Content | undefined>> {
  const { path } = dataset;
  const there = await entriesAt(context, path);
  if (!there.ok) return there;
  if (there.value === undefined) return ok(undefined);
  const { kind } = there.value;
  const [lone] = kind === "file" ? there.value.entries : [];
  if (lone !== undefined) {
    const { digest, size } = lone;
    const mode = lone.mode === "755" ? { mode: lone.mode } : {};
    const version = { path, kind, digest, ...mode, size, files: 1, present: true };
    return ok({ version, entries: async () => ok([loneFile(version)]) });
  }
  const entries = withRest(there.value.entries, await partialTree(context, name, dataset.digest));
  const manifest = encodeTree(path, entries);
  if (!manifest.ok) return manifest;
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  const version = { path, kind, digest: digestOf(manifest.value), size, files: entries.length, present: true };
  return ok({ version, entries: async () => ok(entries) });
}

function withRest(there: readonly TreeEntry[], whole: readonly TreeEntry[] | undefined): readonly TreeEntry[] {
  if (whole === undefined) return there;
  const known = new Set(there.map(({ path }) => path));
  const rest = whole.filter(({ path }) => !known.has(path));
  return [...there, ...rest].sort((a, b) => compareCodeUnits(a.path, b.path));
}

/** A lone file as a folder of one, under the last part of its path. */
function loneFile({ path, size, digest, mode }: Omit<DatasetVersion, "present">): TreeEntry {
  return { path: posix.basename(path), mode: mode ?? "644", size, digest };
}
