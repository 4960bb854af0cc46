import { all, fail, ok } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { copyBlobs } from "./copy.ts";
import type { Store } from "./store.ts";
import { parseTree, TREE_LIMITS } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";

/** A file or folder as a record or a lockfile names it. */
export interface Named {
  readonly kind: "file" | "tree";
  readonly digest: Digest;
}

/** Every blob that a file or folder needs, without repetition: a tree's files first, its manifest last. */
export async function closure(output: Named, stores: readonly Store[]): Promise<Result<Digest[]>> {
  if (output.kind === "file") return ok([output.digest]);
  const entries = await readTree(output.digest, stores, output.digest);
  if (!entries.ok) return entries;
  return ok([...new Set([...entries.value.map((entry) => entry.digest), output.digest])]);
}

/** Copies files and folders with all that they need: every file of a tree is there before its manifest is. */
export async function copyOutputs(
  context: Context,
  from: Store,
  to: Store,
  outputs: readonly Named[],
): Promise<Result<{ blobs: number; bytes: number }>> {
  const needed = all(await Promise.all(outputs.map((output) => closure(output, [from]))));
  if (!needed.ok) return needed;
  const trees = new Set(outputs.filter(({ kind }) => kind === "tree").map(({ digest }) => digest));
  const files = await copyBlobs(
    context,
    from,
    to,
    needed.value.flat().filter((digest) => !trees.has(digest)),
  );
  if (!files.ok) return files;
  const manifests = await copyBlobs(context, from, to, [...trees]);
  if (!manifests.ok) return manifests;
  return ok({
    blobs: files.value.blobs + manifests.value.blobs,
    bytes: files.value.bytes + manifests.value.bytes,
  });
}

/** The entries of a tree, from the first store that has its manifest. */
export async function readTree(
  digest: Digest,
  stores: readonly Store[],
  neededBy: string,
): Promise<Result<TreeEntry[]>> {
  const bytes = await fromFirst(stores, digest, neededBy, (store) =>
    store.read(digest, { maxBytes: TREE_LIMITS.bytes }),
  );
  return bytes.ok ? parseTree(digest, bytes.value) : bytes;
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
