import { fail, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { digestBytes } from "./digest-table.ts";
import { takePlace } from "./ingest-plan.ts";
import { LayoutBuilder } from "./layout.ts";
import { readContent } from "./parts.ts";
import { putLayout } from "./snapshot.ts";
import type { Store } from "./store.ts";
import type { TreeEntry } from "./tree.ts";

/** Makes one file of a tree readable by its own digest, as what names it without the tree (a model's version) needs. */
export async function liftFile(store: Store, root: Digest, { digest, path, size }: TreeEntry): Promise<Result<void>> {
  const there = await store.has(digest);
  if (!there.ok || there.value) return there.ok ? ok() : there;
  const layout = await store.layout(root);
  if (!layout.ok) return layout;
  if (layout.value?.chunked.has(digest) === true) {
    const own = new LayoutBuilder();
    takePlace(layout.value, digestBytes(digest), 0, own);
    return putLayout(store, digest, own);
  }
  const bytes = await readContent([store], root, { digest, label: path, size, maxBytes: size });
  if (!bytes.ok) return bytes;
  const stored = await store.put(bytes.value);
  if (!stored.ok) return stored;
  return stored.value === digest ? ok() : fail({ code: "blob-corrupt", digest, actual: stored.value, where: path });
}
