import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { attempt, ok } from "../core/index.ts";
import type { Digest, Failure, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { readTree } from "./closure.ts";
import type { Named } from "./closure.ts";
import { mapLimited } from "./files.ts";
import type { Layout } from "./layout.ts";
import { readPart } from "./parts.ts";
import type { Store } from "./store.ts";

/** What was checked already in this store, so that roots that share objects read them once. */
export type Checked = Map<Digest, { readonly size: number; readonly failures: readonly Failure[] }>;

export interface Verified {
  /** Blobs that the root needs: packs, chunks, single files, and the manifest of a folder. */
  readonly objects: number;
  readonly failures: readonly Failure[];
}

/**
 * Reads all that a root needs in a store: each object against its name, each part of a pack against the layout, each
 * large file put together, each size against the tree. Everything that is wrong comes back at once.
 */
export async function verifyRoot(
  store: Store,
  { kind, digest }: Named,
  label: string,
  checked: Checked,
): Promise<Result<Verified>> {
  const layout = await store.layout(digest);
  if (!layout.ok) return ok({ objects: 1, failures: layout.failures });
  const entries = kind === "tree" ? await readTree(digest, [store], label) : ok([{ path: "", digest, size: -1 }]);
  if (!entries.ok) return ok({ objects: 1, failures: entries.failures });
  const failures: Failure[] = [];
  const objects = new Map<Digest, { digest: Digest; offset: number; length: number; label: string }[]>();
  /** Files that are blobs of their own, and what the tree says of them. */
  const singles: { digest: Digest; label: string; size: number }[] = [];
  const need = (part: Digest, name: string, size: number): void => {
    const place = layout.value?.find(part);
    const object = place?.pack ?? part;
    const list = objects.get(object) ?? [];
    objects.set(object, list);
    if (place?.pack !== undefined) list.push({ digest: part, offset: place.offset, length: place.length, label: name });
    if (size < 0) return;
    if (place?.pack === undefined) singles.push({ digest: part, label: name, size });
    else if (place.length !== size) failures.push(wrongSize(digest, name, size, place.length));
  };
  for (const entry of entries.value) {
    const name = entry.path === "" ? label : `${label}/${entry.path}`;
    const chunks = layout.value?.chunksOf(entry.digest);
    if (chunks === undefined) need(entry.digest, name, entry.size);
    else if (entry.size >= 0 && layout.value!.chunked.get(entry.digest)!.size !== entry.size) {
      failures.push(wrongSize(digest, name, entry.size, layout.value!.chunked.get(entry.digest)!.size));
    }
    for (const chunk of chunks ?? []) need(chunk, name, -1);
  }
  const found = await mapLimited([...objects], store.driver.width, async ([object, parts]) => {
    const known = checked.get(object) ?? (await checkObject(store, object, label));
    checked.set(object, known);
    return known.failures.length > 0 || parts.length === 0 ? known.failures : checkParts(store, object, parts);
  });
  failures.push(...found.flat());
  for (const { digest: file, label: name, size } of singles) {
    const known = checked.get(file)!;
    if (known.failures.length === 0 && known.size !== size) failures.push(wrongSize(digest, name, size, known.size));
  }
  if (failures.length === 0 && layout.value !== undefined)
    failures.push(...(await checkLarge(store, layout.value, label)));
  return ok({ objects: objects.size + (kind === "tree" ? 1 : 0), failures });
}

function wrongSize(tree: Digest, path: string, says: number, has: number): Failure {
  return { code: "tree-invalid", tree, problem: `it says that ${path} has ${says} bytes; it has ${has}` };
}

async function checkObject(
  store: Store,
  digest: Digest,
  label: string,
): Promise<{ size: number; failures: readonly Failure[] }> {
  const hash = createHash("sha256");
  let size = 0;
  const got = await attempt(label, async () =>
    store.driver.get(blobKey(digest), (chunk) => {
      hash.update(chunk);
      size += chunk.length;
    }),
  );
  const answer = got.ok ? got.value : got;
  if (!answer.ok) return { size, failures: answer.failures };
  if (!answer.value) {
    return { size, failures: [{ code: "blob-missing", digest, neededBy: label, store: store.url }] };
  }
  const actual = `sha256:${hash.digest("hex")}`;
  if (actual === digest) return { size, failures: [] };
  return { size, failures: [{ code: "blob-corrupt", digest, actual, where: `${blobKey(digest)} in ${store.url}` }] };
}

/** One pass over a pack that is what it is called: does each part lie where the layout says? */
async function checkParts(
  store: Store,
  pack: Digest,
  parts: readonly { digest: Digest; offset: number; length: number; label: string }[],
): Promise<readonly Failure[]> {
  const waiting = [...parts].sort((a, b) => a.offset - b.offset);
  const open = new Map<(typeof waiting)[number], Hash>();
  const failures: Failure[] = [];
  let at = 0;
  let next = 0;
  const got = await store.driver.get(blobKey(pack), (chunk) => {
    const end = at + chunk.length;
    while (next < waiting.length && waiting[next]!.offset < end) open.set(waiting[next++]!, createHash("sha256"));
    for (const [part, hash] of open) {
      hash.update(
        chunk.subarray(
          Math.max(0, part.offset - at),
          Math.max(0, Math.min(chunk.length, part.offset + part.length - at)),
        ),
      );
      if (part.offset + part.length > end) continue;
      open.delete(part);
      const actual = `sha256:${hash.digest("hex")}`;
      if (actual === part.digest) continue;
      const where = `${part.label}: bytes ${part.offset} to ${part.offset + part.length} of pack ${pack} in ${store.url}`;
      failures.push({ code: "blob-corrupt", digest: part.digest, actual, where });
    }
    at = end;
  });
  if (!got.ok) return got.failures;
  for (const part of [...open.keys(), ...waiting.slice(next)]) {
    if (part.length === 0) continue;
    const problem = `it places ${part.label} at ${part.offset}, beyond the ${at} bytes of pack ${pack}`;
    failures.push({ code: "tree-invalid", tree: `a layout in ${store.url}`, problem });
  }
  return failures;
}

/** Each large file, put together from its chunks. */
async function checkLarge(store: Store, layout: Layout, label: string): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (const file of layout.chunked.keys()) {
    const hash = createHash("sha256");
    for (const chunk of layout.chunksOf(file) ?? []) {
      const part = await readPart(store, layout, chunk, label);
      if (!part.ok) return [...failures, ...part.failures];
      hash.update(part.value);
    }
    const actual = `sha256:${hash.digest("hex")}`;
    if (actual !== file)
      failures.push({
        code: "blob-corrupt",
        digest: file,
        actual,
        where: `${label}, put together from its chunks in ${store.url}`,
      });
  }
  return failures;
}
