import { randomUUID } from "node:crypto";
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, fail, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import type { Dataset } from "../config/index.ts";
import type { DvcFile } from "../dvc/index.ts";
import {
  entriesAt,
  hasContent,
  isInside,
  readManifest,
  readTree,
  restore,
  snapshot,
  writeFiles,
} from "../store/index.ts";
import type { LinkMode, Store, TreeEntry } from "../store/index.ts";
import { chooseTracked, formerVersions } from "./choose.ts";
import type { NamedDataset } from "./choose.ts";
import { pullDvc } from "./dvc.ts";
import { pathMatcher } from "./glob.ts";
import { clearPartial, isPartial, markPartial } from "./partial.ts";
import { stateOf } from "./status.ts";

export interface PulledData {
  readonly name: string;
  readonly dataset: Dataset | DvcFile;
  /** False when the working tree had it already. */
  readonly changed: boolean;
  /** Files that were written; undefined: the dataset as a whole. */
  readonly files?: number;
}

export interface PullOptions {
  readonly names?: readonly string[];
  /** Globs of paths from the root of the repository: only what they mean is brought. */
  readonly paths?: readonly string[];
  /** Asked in turn; the local cache first. */
  readonly stores: readonly Store[];
  /** Loses what stands in the working tree and is in no store. */
  readonly overwrite?: boolean;
  readonly link?: LinkMode;
}

/** Files that a failure names, at most. */
const NAMED = 10;

/**
 * Brings datasets into the working tree as the lockfile and `.dvc` files name them. A file there that holds what no store has (an edit
 * that was not added) is a `data-changed` failure that names it, unless `overwrite` says to lose it.
 */
export async function pullData(context: Context, options: PullOptions): Promise<Result<PulledData[]>> {
  const chosen = await chooseTracked(context, options.names);
  if (!chosen.ok) return chosen;
  const pulled: PulledData[] = [];
  for (const { name, dataset } of chosen.value) {
    if ("file" in dataset) {
      // What DVC tracks comes as a whole.
      if (options.paths !== undefined) continue;
      const changed = await pullDvc(context, dataset, options.overwrite ?? false);
      if (!changed.ok) return changed;
      pulled.push({ name, dataset, changed: changed.value });
      continue;
    }
    const named = { name, dataset };
    const one =
      options.paths === undefined
        ? await pullWhole(context, named, options)
        : await pullPart(context, named, options, options.paths);
    if (!one.ok) return one;
    if (one.value !== undefined) pulled.push(one.value);
  }
  if (pulled.length > 0 || options.paths === undefined) return ok(pulled);
  const message = `no dataset has a file that ${options.paths.join(", ")} means`;
  return fail({ code: "usage", message, hint: "`lockstep data list` shows the paths of the datasets" });
}

async function pullWhole(context: Context, named: NamedDataset, options: PullOptions): Promise<Result<PulledData>> {
  const { name, dataset } = named;
  const state = await stateOf(context, named);
  if (!state.ok) return state;
  if (state.value === "unchanged") {
    const noted = await clearPartial(context, name);
    return noted.ok ? ok({ name, dataset, changed: false }) : noted;
  }
  if (state.value === "changed" && options.overwrite !== true) {
    const edits = await editsOf(context, named, options.stores);
    if (!edits.ok) return edits;
    if (edits.value.length > 0)
      return fail({ code: "data-changed", dataset: name, path: dataset.path, files: edits.value });
  }
  const restored = await restore(context, dataset, options.stores, options.link);
  if (!restored.ok) return restored;
  const whole = await clearPartial(context, name);
  return whole.ok ? ok({ name, dataset, changed: true }) : whole;
}

/** Files of the working tree whose bytes are in no version that a store has: replacing them would lose something. */
async function editsOf(
  context: Context,
  { name, dataset }: NamedDataset,
  stores: readonly Store[],
): Promise<Result<string[]>> {
  const there = await snapshot(context, dataset.path);
  if (!there.ok) return there;
  for (const store of stores) {
    const kept = await hasContent(store, there.value);
    if (kept.ok && kept.value) return ok([]);
  }
  const entries = await entriesAt(context, dataset.path);
  if (!entries.ok) return entries;
  const known = await keptFiles(context, { name, dataset }, stores);
  const edits: string[] = [];
  for (const { path, digest } of entries.value?.entries ?? []) {
    if (known.has(digest)) continue;
    edits.push(path === "" ? dataset.path : `${dataset.path}/${path}`);
    if (edits.length === NAMED) break;
  }
  return ok(edits);
}

/** Digests of the files of this and of former versions that a store has. */
async function keptFiles(
  context: Context,
  { name, dataset }: NamedDataset,
  stores: readonly Store[],
): Promise<ReadonlySet<Digest>> {
  const known = new Set<Digest>();
  for (const version of [dataset.digest, ...(await formerVersions(context, name))]) {
    known.add(version);
    const tree = dataset.kind === "tree" ? await readTree(version, stores, name) : ok([]);
    for (const { digest } of tree.ok ? tree.value : []) known.add(digest);
  }
  return known;
}

/** Brings the files that the globs mean, one by one into place; undefined: they mean none of this dataset's. */
async function pullPart(
  context: Context,
  named: NamedDataset,
  options: PullOptions,
  paths: readonly string[],
): Promise<Result<PulledData | undefined>> {
  const { name, dataset } = named;
  const matches = pathMatcher(paths);
  if (!matches.ok) return matches;
  if (dataset.kind === "file") return matches.value(dataset.path) ? pullWhole(context, named, options) : ok(undefined);
  const tree = await readManifest(dataset.digest, options.stores, `dataset "${name}"`);
  if (!tree.ok) return tree;
  const wanted = tree.value.entries.filter(({ path }) => matches.value(`${dataset.path}/${path}`));
  if (wanted.length === 0) return ok(undefined);
  const safe = await isInside(context, dataset.path);
  if (!safe.ok) return safe;
  const missing = await toWrite(context, named, wanted, options);
  if (!missing.ok) return missing;
  const state = missing.value.length === wanted.length ? await kindThere(context, dataset.path) : "folder";
  if (state === "nothing") {
    const marked = await markPartial(context, name, tree.value.bytes);
    if (!marked.ok) return marked;
  }
  const written = await writePart(context, named, missing.value, options);
  if (!written.ok) return written;
  // The last of the files may have come with these.
  const now = (await isPartial(context, name)) ? await snapshot(context, dataset.path) : undefined;
  if (now?.ok === false) return now;
  const noted = now?.value.digest === dataset.digest ? await clearPartial(context, name) : ok();
  return noted.ok ? ok({ name, dataset, changed: missing.value.length > 0, files: missing.value.length }) : noted;
}

async function kindThere(context: Context, path: string): Promise<"nothing" | "folder"> {
  const found = await lstat(join(context.cwd, path)).catch((error: unknown) => {
    if (isSystemError(error)) return undefined;
    throw error;
  });
  return found === undefined ? "nothing" : "folder";
}

/** The files that are not in place yet; a place that holds an edit is a failure. */
async function toWrite(
  context: Context,
  { name, dataset }: NamedDataset,
  wanted: readonly TreeEntry[],
  { stores, overwrite = false }: PullOptions,
): Promise<Result<TreeEntry[]>> {
  const missing: TreeEntry[] = [];
  const edits: string[] = [];
  let known: ReadonlySet<Digest> | undefined;
  for (const entry of wanted) {
    const path = `${dataset.path}/${entry.path}`;
    const inside = await isInside(context, path);
    if (!inside.ok) return inside;
    const there = await snapshot(context, path as Dataset["path"]);
    if (!there.ok && there.failures[0].code !== "file-missing") return there;
    if (there.ok && there.value.digest === entry.digest && (there.value.mode ?? "644") === entry.mode) continue;
    missing.push(entry);
    if (!there.ok || overwrite) continue;
    known ??= await keptFiles(context, { name, dataset }, stores);
    if (known.has(there.value.digest)) continue;
    const kept = await Promise.all(stores.map(async (store) => hasContent(store, there.value)));
    if (!kept.some((result) => result.ok && result.value)) edits.push(path);
  }
  if (edits.length === 0) return ok(missing);
  return fail({ code: "data-changed", dataset: name, path: dataset.path, files: edits.slice(0, NAMED) });
}

async function writePart(
  context: Context,
  { dataset }: NamedDataset,
  entries: readonly TreeEntry[],
  { stores, link = "auto" }: PullOptions,
): Promise<Result<void>> {
  if (entries.length === 0) return ok();
  const aside = join(context.cwd, ".lockstep", "tmp", randomUUID());
  try {
    const written = await writeFiles(
      context,
      { root: dataset.digest, path: dataset.path, entries },
      stores,
      aside,
      link,
    );
    if (!written.ok) return written;
    return await attempt(dataset.path, async () => {
      for (const { path } of entries) {
        const target = join(context.cwd, dataset.path, path);
        await mkdir(dirname(target), { recursive: true });
        await rename(join(aside, path), target);
      }
      context.emit({ type: "effect", name: "files restored" });
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
