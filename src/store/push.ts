import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { blobKey, fileBody, layoutKey } from "./blob-store.ts";
import { hasContent, readTree } from "./closure.ts";
import type { Named } from "./closure.ts";
import { digestBytes } from "./digest-table.ts";
import { digestOfFile } from "./digest.ts";
import type { Body, Key } from "./driver.ts";
import { mapLimited } from "./files.ts";
import { LayoutBuilder } from "./layout.ts";
import type { Layout, Place } from "./layout.ts";
import { PACK_LIMITS } from "./pack.ts";
import { packOf } from "./pack-body.ts";
import { byteProgress } from "./progress.ts";
import { putLayout } from "./snapshot.ts";
import type { LocalStore, Store } from "./store.ts";

export interface PushOptions {
  /** Roots that the store may share parts with: former versions. */
  readonly bases?: readonly Digest[];
  /** Objects that a collector is about to delete (`condemned` reads them): as good as not there. */
  readonly condemned: ReadonlySet<Key>;
  readonly task?: string;
}

export interface Pushed {
  /** Objects that were sent. */
  readonly blobs: number;
  readonly bytes: number;
}

/** A pack there is used again if at least this share of it is needed; so dead bytes stay below three times the live. */
const WORTH = 0.25;
/** A pack here is sent as it is if at least this share of it is to be sent. */
const AS_IT_IS = 0.75;

/** A part of a root: where the cache has it. */
interface Part {
  readonly digest: Digest;
  readonly place: Place;
}

/**
 * Sends files and folders with all that they need. What is small goes in packs, each root last: first the parts, then
 * where they lie, then the manifest. What the store has, by itself or in a former version, is not sent.
 */
export async function copyOutputs(
  context: Context,
  from: LocalStore,
  to: Store,
  outputs: readonly Named[],
  options: PushOptions,
): Promise<Result<Pushed>> {
  let [blobs, bytes] = [0, 0];
  for (const output of outputs) {
    const sent = await pushRoot(context, from, to, output, options);
    if (!sent.ok) return sent;
    blobs += sent.value.blobs;
    bytes += sent.value.bytes;
  }
  return ok({ blobs, bytes });
}

async function pushRoot(
  context: Context,
  from: LocalStore,
  to: Store,
  output: Named,
  options: PushOptions,
): Promise<Result<Pushed>> {
  const { digest, kind } = output;
  const { condemned } = options;
  const there = await hasContent(to, output);
  if (!there.ok) return there;
  if (there.value && !condemned.has(blobKey(digest)) && !condemned.has(layoutKey(digest)))
    return ok({ blobs: 0, bytes: 0 });
  const local = await from.layout(digest);
  if (!local.ok) return local;
  const listed = await partsOf(from, output, local.value);
  if (!listed.ok) return listed;
  const { parts, chunked } = listed.value;
  const layout = new LayoutBuilder();
  const rest = await reuse(from, to, parts, layout, options);
  if (!rest.ok) return rest;
  const sends = await planSends(from, rest.value, layout);
  if (!sends.ok) return sends;
  for (const file of chunked) layout.addChunked(file.digest, file.size, file.chunks);
  const total = sends.value.reduce((sum, { body }) => sum + body.size, 0);
  const progress = byteProgress(context, options.task ?? "push", total);
  const sent = await sendAll(context, from, to, sends.value, condemned, progress);
  if (!sent.ok) return sent;
  const placed = kind === "tree" || chunked.length > 0 ? await putLayout(to, digest, layout) : ok();
  if (!placed.ok) return placed;
  if (kind === "file") return ok({ blobs: sends.value.length, bytes: total });
  const manifest = await blobBody(from, digest);
  if (!manifest.ok) return manifest;
  const last = await sendAll(context, from, to, [manifest.value], condemned, () => {});
  return last.ok ? ok({ blobs: sends.value.length + 1, bytes: total + manifest.value.body.size }) : last;
}

interface Listed {
  readonly parts: readonly Part[];
  readonly chunked: readonly { digest: Digest; size: number; chunks: readonly Digest[] }[];
}

/** The parts of a root without repetition, in the order of the tree and of the chunks. */
async function partsOf(from: LocalStore, { kind, digest }: Named, layout: Layout | undefined): Promise<Result<Listed>> {
  const parts = new Map<Digest, Part>();
  const chunked: { digest: Digest; size: number; chunks: readonly Digest[] }[] = [];
  const entries = kind === "tree" ? await readTree(digest, [from], digest) : ok([{ digest, size: 0 }]);
  if (!entries.ok) return entries;
  for (const entry of entries.value) {
    const chunks = layout?.chunksOf(entry.digest);
    if (chunks !== undefined)
      chunked.push({ digest: entry.digest, size: layout!.chunked.get(entry.digest)!.size, chunks });
    for (const part of chunks ?? [entry.digest]) {
      if (!parts.has(part))
        parts.set(part, { digest: part, place: layout?.find(part) ?? { offset: 0, length: entry.size } });
    }
  }
  return ok({ parts: [...parts.values()], chunked });
}

/** Places what former versions have there; gives the parts that are to be sent. */
async function reuse(
  from: LocalStore,
  to: Store,
  parts: readonly Part[],
  layout: LayoutBuilder,
  { bases = [], condemned }: PushOptions,
): Promise<Result<readonly Part[]>> {
  const byPack = new Map<Digest, { part: Part; place: Place }[]>();
  const rest = new Set(parts);
  for (const base of new Set(bases)) {
    const found = rest.size === 0 ? ok() : await to.layout(base);
    if (!found.ok) return found;
    for (const part of found.value === undefined ? [] : rest) {
      const place = found.value!.find(part.digest);
      if (place === undefined) continue;
      const object = place.pack ?? part.digest;
      const list = byPack.get(object) ?? [];
      byPack.set(object, list);
      list.push({ part, place });
      rest.delete(part);
    }
  }
  for (const [object, members] of byPack) {
    const key = blobKey(object);
    const there = condemned.has(key) ? ok() : await to.driver.stat(key);
    if (!there.ok) return there;
    const needed = members.reduce((sum, { place }) => sum + place.length, 0);
    const usable =
      there.value !== undefined && (needed >= WORTH * there.value.size || !(await isHere(from, members[0]!.part)));
    for (const { part, place } of members) {
      if (usable) layout.add(digestBytes(part.digest), 0, place);
      else rest.add(part);
    }
  }
  return ok(parts.filter((part) => rest.has(part)));
}

async function isHere(from: LocalStore, { digest, place }: Part): Promise<boolean> {
  const found = await from.driver.stat(blobKey(place.pack ?? digest));
  return found.ok && found.value !== undefined;
}

interface Send {
  readonly key: Key;
  readonly body: Body;
  /** The object here that is sent as it is. What a pack's index takes is known from how many parts it has at least. */
  readonly local?: Digest;
}

/** What goes: packs of the cache that are wanted nearly whole as they are, the other parts in new packs in their order. */
async function planSends(from: LocalStore, parts: readonly Part[], layout: LayoutBuilder): Promise<Result<Send[]>> {
  const sends: Send[] = [];
  const wanted = new Map<Digest, { bytes: number; parts: number }>();
  for (const { place } of parts) {
    if (place.pack === undefined) continue;
    const before = wanted.get(place.pack) ?? { bytes: 0, parts: 0 };
    wanted.set(place.pack, { bytes: before.bytes + place.length, parts: before.parts + 1 });
  }
  const whole = new Set<Digest>();
  for (const [pack, { bytes, parts: count }] of wanted) {
    const found = await from.driver.stat(blobKey(pack));
    if (!found.ok) return found;
    if (found.value === undefined || bytes < AS_IT_IS * (found.value.size - 40 * count)) continue;
    whole.add(pack);
    sends.push({
      key: blobKey(pack),
      body: fileBody(from.driver.pathOf(blobKey(pack)), found.value.size, pack),
      local: pack,
    });
  }
  const loose: Part[] = [];
  for (const part of parts) {
    if (part.place.pack !== undefined && whole.has(part.place.pack))
      layout.add(digestBytes(part.digest), 0, part.place);
    else loose.push(part);
  }
  const [only] = loose;
  if (loose.length === 1 && only !== undefined && only.place.pack === undefined) {
    const body = await blobBody(from, only.digest);
    if (!body.ok) return body;
    layout.add(digestBytes(only.digest), 0, { offset: 0, length: body.value.body.size });
    return ok([...sends, body.value]);
  }
  for (const group of packsOf(loose)) {
    const pack = await packOf(from, group);
    if (!pack.ok) return pack;
    const { body, offsets } = pack.value;
    for (const [at, { digest, place }] of group.entries()) {
      layout.add(digestBytes(digest), 0, { pack: body.digest, offset: offsets[at]!, length: place.length });
    }
    sends.push({ key: blobKey(body.digest), body });
  }
  return ok(sends);
}

/** Cuts parts into packs, as a writer would that took them one after another. */
function packsOf(parts: readonly Part[]): Part[][] {
  const packs: Part[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    if (bytes + part.place.length > PACK_LIMITS.bytes || packs.at(-1)!.length >= PACK_LIMITS.parts) {
      packs.push([]);
      bytes = 0;
    }
    packs.at(-1)!.push(part);
    bytes += part.place.length;
  }
  return packs;
}

async function blobBody(from: LocalStore, digest: Digest): Promise<Result<Send>> {
  const key = blobKey(digest);
  const found = await from.driver.stat(key);
  if (!found.ok) return found;
  if (found.value === undefined) return fail({ code: "blob-missing", digest, neededBy: "a push", store: from.url });
  return ok({ key, body: fileBody(from.driver.pathOf(key), found.value.size, digest), local: digest });
}

async function sendAll(
  context: Context,
  from: LocalStore,
  to: Store,
  sends: readonly Send[],
  condemned: ReadonlySet<Key>,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  let failed: Result<void> | undefined;
  // A few at once: each is large, and a driver that splits them has its own width.
  await mapLimited(sends, Math.min(4, to.driver.width), async ({ key, body, local }) => {
    if (failed !== undefined) return;
    if (context.signal?.aborted) {
      failed = fail({ code: "interrupted" });
      return;
    }
    const put = await attempt(`${key} to ${to.url}`, async () =>
      to.driver.put(key, counted(body, progress), condemned.has(key) ? { replace: true } : {}),
    );
    const sent = put.ok ? put.value : put;
    if (!sent.ok) failed = local === undefined ? sent : ((await damageOf(from, local)) ?? sent);
  });
  return failed ?? ok();
}

/** A body that was refused may have been damaged here before it went. */
async function damageOf(from: LocalStore, digest: Digest): Promise<Result<void> | undefined> {
  const where = from.driver.pathOf(blobKey(digest));
  const actual = await digestOfFile(where);
  if (!actual.ok || actual.value.digest === digest) return undefined;
  return fail({ code: "blob-corrupt", digest, actual: actual.value.digest, where });
}

/** A body that tells how far it was read; what is read again (a retry) is not counted twice. */
function counted(body: Body, progress: (bytes: number) => void): Body {
  let furthest = 0;
  return {
    ...body,
    async *read(offset, length) {
      let at = offset;
      for await (const chunk of body.read(offset, length)) {
        yield chunk;
        at += chunk.length;
        if (at > furthest) {
          progress(at - Math.max(furthest, at - chunk.length));
          furthest = at;
        }
      }
    },
  };
}
