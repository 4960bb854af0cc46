import { fail, ok } from "../core/index.ts";
import type { Digest, Failure, Result } from "../core/index.ts";
import { blobKey, layoutKey } from "./blob-store.ts";
import type { Key } from "./driver.ts";
import type { Store } from "./store.ts";
import { parseTree, TREE_LIMITS } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";

/** A file or folder as a record or a lockfile names it. */
export interface Named {
  readonly kind: "file" | "tree";
  readonly digest: Digest;
}

/**
 * True when a store has a file, or a folder with all its files. One look is enough: a root is published last, after
 * all that it needs, and collected first.
 */
export async function hasContent(store: Store, { kind, digest }: Named): Promise<Result<boolean>> {
  if (kind === "file") return store.has(digest);
  const found = await store.driver.stat(blobKey(digest));
  return found.ok ? ok(found.value !== undefined) : found;
}

/** The objects of a store that a root needs, in the order in which they are published: the root itself comes last. */
export async function closure({ kind, digest }: Named, store: Store): Promise<Result<Key[]>> {
  const layout = await store.layout(digest);
  if (!layout.ok) return layout;
  const needed = new Set<Key>();
  for (const pack of layout.value?.packs ?? []) needed.add(blobKey(pack));
  for (const part of layout.value?.loose ?? []) needed.add(blobKey(part));
  if (kind === "tree") {
    const entries = await readTree(digest, [store], digest);
    if (!entries.ok) return entries;
    for (const entry of entries.value) {
      const placed = layout.value?.find(entry.digest) ?? layout.value?.chunked.get(entry.digest);
      if (placed === undefined) needed.add(blobKey(entry.digest));
    }
  }
  if (layout.value !== undefined) needed.add(layoutKey(digest));
  if (kind === "tree" || layout.value?.chunked.has(digest) !== true) needed.add(blobKey(digest));
  return ok([...needed]);
}

/** The entries of a tree, from the first store that has its manifest. */
export async function readTree(
  digest: Digest,
  stores: readonly Store[],
  neededBy: string,
): Promise<Result<TreeEntry[]>> {
  const manifest = await readManifest(digest, stores, neededBy);
  return manifest.ok ? ok(manifest.value.entries) : manifest;
}

/** The same with the manifest's bytes, for who keeps them. */
export async function readManifest(
  digest: Digest,
  stores: readonly Store[],
  neededBy: string,
): Promise<Result<{ bytes: Buffer; entries: TreeEntry[] }>> {
  const bytes = await fromFirst(stores, digest, neededBy, async (store) =>
    store.read(digest, { maxBytes: TREE_LIMITS.bytes }),
  );
  if (!bytes.ok) return bytes;
  const entries = parseTree(digest, bytes.value);
  return entries.ok ? ok({ bytes: bytes.value, entries: entries.value }) : entries;
}

/** Asks the stores in turn. A damaged blob in one (a cache) does not hide a good one in the next. */
export async function fromFirst<T>(
  stores: readonly Store[],
  digest: Digest,
  neededBy: string,
  ask: (store: Store) => Promise<Result<T>>,
): Promise<Result<T>> {
  let worst: Failure | undefined;
  for (const store of stores) {
    const answer = await ask(store);
    if (answer.ok) return answer;
    const [failure] = answer.failures;
    if (failure.code !== "blob-missing") worst ??= failure;
  }
  const store = stores.map(({ url }) => url).join(", ");
  return fail(worst ?? { code: "blob-missing", digest, neededBy, store });
}
