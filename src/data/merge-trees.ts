import { all, fail, failedIfAny, ok } from "../core/index.ts";
import type { Context, Digest, Failed, Failure, Result } from "../core/index.ts";
import type { DataLock, Dataset } from "../config/index.ts";
import { fetchFiles } from "../store/fetch.ts";
import { composeTree, digestOf, encodeTree, hasContent, readTree } from "../store/index.ts";
import type { LocalStore, Store, TreeEntry } from "../store/index.ts";
import { mergeEntries } from "./merge-entries.ts";
import type { Side } from "./merge-entries.ts";
import { planLockMerge } from "./merge-lock.ts";
import type { LockSides, TreeMerge } from "./merge-lock.ts";

export interface MergeStores {
  readonly cache: LocalStore;
  readonly team: Store;
}

export interface MergedLock {
  readonly lock: DataLock;
  /** Datasets that were merged by their files. */
  readonly merged: readonly string[];
}

interface MergedTree extends TreeMerge {
  /** What each side had. */
  readonly files: { readonly ours: readonly TreeEntry[]; readonly theirs: readonly TreeEntry[] };
  readonly entries: readonly TreeEntry[];
  readonly digest: Digest;
}

/**
 * Merges three lockfiles, and stores the manifests of the folders that both sides changed. All conflicts come back at
 * once, one `data-conflict` a file; nothing is stored then.
 */
export async function mergeLocks(
  context: Context,
  sides: LockSides,
  options: { readonly stores: MergeStores; readonly prefer?: Side },
): Promise<Result<MergedLock>> {
  const { stores, prefer } = options;
  const plan = planLockMerge(sides, prefer);
  const trees: MergedTree[] = [];
  const failures: Failure[] = [...plan.conflicts];
  for (const tree of plan.trees) {
    const merged = await mergeTree(tree, [stores.cache, stores.team], prefer);
    if (merged.ok) trees.push(merged.value);
    else failures.push(...merged.failures);
  }
  const failed = failedIfAny(failures);
  if (failed) return failed;
  for (const tree of trees) {
    const stored = await store(context, tree, stores);
    if (!stored.ok) return stored;
  }
  const datasets = {
    ...Object.fromEntries(plan.taken),
    ...Object.fromEntries(trees.map((tree) => [tree.name, asDataset(tree)])),
  };
  return ok({ lock: { lockfileVersion: 1, datasets }, merged: trees.map(({ name }) => name) });
}

async function mergeTree(tree: TreeMerge, stores: readonly Store[], prefer?: Side): Promise<Result<MergedTree>> {
  const { name, path } = tree;
  const read = async (version: Dataset | undefined): Promise<Result<TreeEntry[]>> =>
    version === undefined ? ok([]) : readTree(version.digest, stores, `merging dataset "${name}"`);
  const [base, ours, theirs] = await Promise.all([read(tree.base), read(tree.ours), read(tree.theirs)]);
  const sides = all([ours, theirs]);
  if (!sides.ok) return sides;
  const [o = [], t = []] = sides.value;
  // Without the version both began with, nobody knows who added and who deleted. One side as a whole can be taken.
  const b = base.ok ? base : prefer === undefined ? withHint(base) : ok(prefer === "ours" ? t : o);
  if (!b.ok) return b;
  const { entries, conflicts } = mergeEntries(b.value, o, t, prefer);
  const failed = failedIfAny(
    conflicts.map((file): Failure => ({
      code: "data-conflict",
      dataset: name,
      path: `${path}/${file.path}`,
      problem: file.problem,
      hint: "--ours or --theirs takes one side's version of all such files",
    })),
  );
  if (failed) return failed;
  const manifest = encodeTree(path, entries);
  return manifest.ok
    ? ok({ ...tree, files: { ours: o, theirs: t }, entries, digest: digestOf(manifest.value) })
    : manifest;
}

function withHint({ failures }: Failed): Failed {
  const [failure] = failures;
  const hint = "`lockstep data push` where that version is; or take one side as a whole with --ours or --theirs";
  return failure.code === "blob-missing" ? fail({ ...failure, hint }) : fail(failure);
}

/**
 * Stores the manifest where all its files are already: in the cache, or in the team's store, where nothing moves then.
 * Where each has one side, the files that the cache lacks are fetched.
 */
async function store(context: Context, tree: MergedTree, { cache, team }: MergeStores): Promise<Result<void>> {
  const roots = [tree.ours.digest, tree.theirs.digest];
  if (roots.includes(tree.digest)) return ok();
  const missing = await lacking(cache, tree);
  if (!missing.ok) return missing;
  const remote = missing.value.length === 0 ? ok([]) : await lacking(team, tree);
  if (!remote.ok) return remote;
  const place = missing.value.length > 0 && remote.value.length === 0 ? team : cache;
  if (place === cache) {
    const fetched = await fetchMissing(context, tree, missing.value, { cache, team });
    if (!fetched.ok) return fetched;
  }
  const composed = await composeTree(context, place, tree.path, tree.entries, roots);
  return composed.ok ? ok() : composed;
}

/** The sides that a store does not have. */
async function lacking(store: Store, tree: MergedTree): Promise<Result<Side[]>> {
  const sides: Side[] = [];
  for (const side of ["ours", "theirs"] as const) {
    const there = await hasContent(store, tree[side]);
    if (!there.ok) return there;
    if (!there.value) sides.push(side);
  }
  return ok(sides);
}

async function fetchMissing(
  context: Context,
  tree: MergedTree,
  missing: readonly Side[],
  { cache, team }: MergeStores,
): Promise<Result<void>> {
  const present = (["ours", "theirs"] as const).filter((side) => !missing.includes(side));
  const here = new Set(present.flatMap((side) => tree.files[side].map(({ digest }) => digest)));
  for (const side of missing) {
    const inSide = new Set(tree.files[side].map(({ digest }) => digest));
    const files = tree.entries
      .filter(({ digest }) => inSide.has(digest) && !here.has(digest))
      .map(({ digest, size, path }) => ({ digest, size, label: `${tree.path}/${path}` }));
    const wanted = { root: tree[side].digest, files, task: `fetch ${tree.name}` };
    const fetched = await fetchFiles(context, wanted, cache, [team]);
    if (!fetched.ok) return fetched;
    for (const { digest } of files) here.add(digest);
  }
  return ok();
}

function asDataset({ path, entries, digest, ours, theirs }: MergedTree): Dataset {
  const source = [ours, theirs].find((side) => side.digest === digest)?.source;
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  return { path, kind: "tree", digest, size, files: entries.length, ...(source === undefined ? {} : { source }) };
}
