import { ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { digestBytes } from "./digest-table.ts";
import { digestOf } from "./digest.ts";
import { takePlace } from "./ingest-plan.ts";
import { LayoutBuilder } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { putLayout } from "./snapshot.ts";
import type { Store } from "./store.ts";
import { encodeTree } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";

/**
 * Stores the tree of entries whose files are in the store already, as blobs of their own or as the bases (roots that
 * the store knows) have them. Gives the tree's digest.
 */
export async function composeTree(
  context: Context,
  store: Store,
  name: string,
  entries: readonly TreeEntry[],
  bases: readonly Digest[],
): Promise<Result<Digest>> {
  const manifest = encodeTree(name, entries);
  if (!manifest.ok) return manifest;
  const layouts: Layout[] = [];
  for (const base of new Set(bases)) {
    const layout = await store.layout(base);
    if (!layout.ok) return layout;
    if (layout.value !== undefined) layouts.push(layout.value);
  }
  const builder = new LayoutBuilder();
  for (const { digest } of entries) {
    const bytes = digestBytes(digest);
    layouts.some((layout) => takePlace(layout, bytes, 0, builder));
  }
  const digest = digestOf(manifest.value);
  const placed = await putLayout(store, digest, builder);
  if (!placed.ok) return placed;
  const stored = await store.put(manifest.value);
  if (!stored.ok) return stored;
  context.emit({ type: "effect", name: "tree stored" });
  return ok(digest);
}
