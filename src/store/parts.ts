import { fail, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { digestOf } from "./digest.ts";
import type { Layout } from "./layout.ts";
import type { Store } from "./store.ts";

/** The verified bytes of a part, from where the layout says it lies; without a place it is a blob of its own. */
export async function readPart(
  store: Store,
  layout: Layout | undefined,
  part: Digest,
  label: string,
): Promise<Result<Buffer>> {
  const place = layout?.find(part);
  const key = blobKey(place?.pack ?? part);
  const chunks: Uint8Array[] = [];
  if (place?.length !== 0) {
    const range = place?.pack === undefined ? undefined : { offset: place.offset, length: place.length };
    const got = await store.driver.get(key, (chunk) => void chunks.push(Uint8Array.from(chunk)), range);
    if (!got.ok) return got;
    if (!got.value)
      return fail({ code: "blob-missing", digest: place?.pack ?? part, neededBy: label, store: store.url });
  }
  const bytes = Buffer.concat(chunks);
  const actual = digestOf(bytes);
  if (actual === part) return ok(bytes);
  const span = place?.pack === undefined ? "" : `, bytes ${place.offset} to ${place.offset + place.length}`;
  return fail({ code: "blob-corrupt", digest: part, actual, where: `${label}: ${key} in ${store.url}${span}` });
}

/** The verified bytes of one file of a root: small, or put together from its chunks in memory. */
export async function readContent(
  stores: readonly Store[],
  root: Digest,
  file: { readonly digest: Digest; readonly label: string; readonly maxBytes: number; readonly size: number },
): Promise<Result<Buffer>> {
  if (file.size > file.maxBytes) {
    const problem = `it has ${file.size} bytes, more than the ${file.maxBytes} that were expected`;
    return fail({ code: "external", what: file.label, problem });
  }
  let worst: Result<Buffer> | undefined;
  for (const store of stores) {
    const layout = await store.layout(root);
    const read = layout.ok ? await together(store, layout.value, file) : layout;
    if (read.ok) return read;
    if (worst === undefined || (!worst.ok && worst.failures[0].code === "blob-missing")) worst = read;
  }
  const store = stores.map(({ url }) => url).join(", ");
  return worst ?? fail({ code: "blob-missing", digest: file.digest, neededBy: file.label, store });
}

async function together(
  store: Store,
  layout: Layout | undefined,
  { digest, label, size }: { readonly digest: Digest; readonly label: string; readonly size: number },
): Promise<Result<Buffer>> {
  const chunks = layout?.chunksOf(digest);
  if (chunks === undefined) return readPart(store, layout, digest, label);
  const says = layout!.chunked.get(digest)!.size;
  if (says !== size)
    return fail({
      code: "tree-invalid",
      tree: `a layout in ${store.url}`,
      problem: `it gives ${label} ${says} bytes, not ${size}`,
    });
  const parts: Buffer[] = [];
  for (const chunk of chunks) {
    const part = await readPart(store, layout, chunk, label);
    if (!part.ok) return part;
    parts.push(part.value);
  }
  const bytes = Buffer.concat(parts);
  const actual = digestOf(bytes);
  return actual === digest
    ? ok(bytes)
    : fail({ code: "blob-corrupt", digest, actual, where: `${label} in ${store.url}` });
}
