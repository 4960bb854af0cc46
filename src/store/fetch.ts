import { fail, metFor, ok } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { digestBytes } from "./digest-table.ts";
import { copyBlob } from "./copy.ts";
import { digestOf } from "./digest.ts";
import { bodyOf } from "./driver.ts";
import { mapLimited } from "./files.ts";
import { Layout, LayoutBuilder } from "./layout.ts";
import type { Place } from "./layout.ts";
import { PACK_LIMITS } from "./pack.ts";
import { byteProgress } from "./progress.ts";
import { putLayout } from "./snapshot.ts";
import type { LocalStore, Store } from "./store.ts";

/** A root and the files of it that are wanted. */
export interface Wanted {
  readonly root: Digest;
  /** Digests of whole files, with what messages call each. */
  readonly files: readonly { readonly digest: Digest; readonly size: number; readonly label: string }[];
  readonly task: string;
}

/** A pack of which at least this share is wanted comes whole: one request, and the rest serves the next checkout. */
const WHOLE_PACK = 0.25;
/** Looks for single blobs in the cache that cost less than fetching what may be there. */
const LOOKS = 1000;
/** Parts that stand this near in a pack come by one request. */
const GAP = 256 * 1024;

/** A part: a small file, or a chunk of a large one. */
interface Part {
  readonly digest: Digest;
  readonly place: Place;
  readonly label: string;
}

/**
 * Brings the parts of files into the local cache, from the first store that has each, and writes down where they lie
 * there. What the cache has is not asked for. Everything that comes is verified before it gets its name.
 */
export async function fetchFiles(
  context: Context,
  wanted: Wanted,
  cache: LocalStore,
  remotes: readonly Store[],
): Promise<Result<Layout>> {
  const known = await cache.layout(wanted.root);
  const local = known.ok ? known.value : undefined;
  const missing = await lacking(cache, local, wanted);
  if (!missing.ok) return missing;
  const layout = new LayoutBuilder();
  if (local !== undefined) layout.takeAll(local);
  let left = missing.value;
  let worst: Failure | undefined;
  for (const remote of remotes) {
    if (left.length === 0) break;
    const got = await fromRemote(context, wanted, left, cache, remote, layout);
    if (!got.ok) worst ??= got.failures[0];
    else ({ left } = got.value);
    if (got.ok && got.value.worst !== undefined) worst ??= got.value.worst;
  }
  if (left.length > 0) {
    const store = [cache, ...remotes].map(({ url }) => url).join(", ");
    if (worst !== undefined && worst.code !== "blob-missing") return fail(worst);
    return fail({ code: "blob-missing", digest: left[0]!.digest, neededBy: left[0]!.label, store });
  }
  if (missing.value.length > 0) {
    // Another process may have brought other parts meanwhile.
    const now = await cache.layout(wanted.root);
    if (now.ok && now.value !== undefined) layout.takeAll(now.value);
    const placed = await putLayout(cache, wanted.root, layout);
    if (!placed.ok) return placed;
  }
  const bytes = layout.encode();
  return Layout.parse(wanted.root, bytes);
}

/** The wanted files that the cache does not have whole. */
async function lacking(
  cache: LocalStore,
  layout: Layout | undefined,
  { root, files }: Wanted,
): Promise<Result<Wanted["files"][number][]>> {
  const whole = await cache.driver.stat(blobKey(root));
  if (!whole.ok) return whole;
  // A root is published after all that it needs. Without it and its layout, a look for each of many files is too dear.
  if (whole.value !== undefined && layout !== undefined) return ok([]);
  if (layout === undefined && whole.value === undefined && files.length > LOOKS) return ok([...files]);
  const present = new Map<Digest, boolean>();
  const has = async (digest: Digest): Promise<Result<boolean>> => {
    const known = present.get(digest);
    if (known !== undefined) return ok(known);
    const found = await cache.driver.stat(blobKey(digest));
    if (!found.ok) return found;
    present.set(digest, found.value !== undefined);
    return ok(found.value !== undefined);
  };
  const missing: Wanted["files"][number][] = [];
  for (const file of files) {
    for (const part of layout?.chunksOf(file.digest) ?? [file.digest]) {
      const there = await has(layout?.find(part)?.pack ?? part);
      if (!there.ok) return there;
      if (there.value) continue;
      missing.push(file);
      break;
    }
  }
  return ok(missing);
}

async function fromRemote(
  context: Context,
  { root, task }: Wanted,
  files: readonly Wanted["files"][number][],
  cache: LocalStore,
  remote: Store,
  layout: LayoutBuilder,
): Promise<Result<{ left: Wanted["files"][number][]; worst?: Failure }>> {
  const found = await remote.layout(root);
  if (!found.ok) return found;
  const parts = new Map<Digest, Part>();
  for (const { digest, size, label } of files) {
    const says = found.value?.chunked.get(digest)?.size ?? found.value?.find(digest)?.length ?? size;
    if (says !== size) {
      const problem = `it gives ${label} ${says} bytes, and its tree gives it ${size}`;
      return fail({ code: "tree-invalid", tree: `layout of ${root} in ${remote.url}`, problem });
    }
    for (const part of found.value?.chunksOf(digest) ?? [digest]) {
      const place = found.value?.find(part) ?? { offset: 0, length: size };
      parts.set(part, { digest: part, place, label });
    }
  }
  const total = [...parts.values()].reduce((sum, { place }) => sum + place.length, 0);
  const progress = byteProgress(context, task, total);
  const came = await fetchParts(context, [...parts.values()], cache, remote, progress);
  const left: Wanted["files"][number][] = [];
  for (const file of files) {
    const pieces = found.value?.chunksOf(file.digest) ?? [file.digest];
    const places = pieces.map((piece) => came.places.get(piece));
    if (places.some((place) => place === undefined)) left.push(file);
    else {
      for (const [at, place] of places.entries()) {
        // A small file that is a blob of its own needs no place.
        if (place!.pack !== undefined || pieces.length > 1 || pieces[0] !== file.digest) {
          layout.add(digestBytes(pieces[at]!), 0, place!);
        }
      }
      if (found.value?.chunksOf(file.digest) !== undefined) layout.addChunked(file.digest, file.size, pieces);
    }
  }
  return ok({ left, ...(came.worst === undefined ? {} : { worst: came.worst }) });
}

/** Where each part lies in the cache now; parts that did not come are not among them. */
async function fetchParts(
  context: Context,
  parts: readonly Part[],
  cache: LocalStore,
  remote: Store,
  progress: (bytes: number) => void,
): Promise<{ places: Map<Digest, Place>; worst?: Failure }> {
  const places = new Map<Digest, Place>();
  const byPack = new Map<Digest, Part[]>();
  const loose: Part[] = [];
  for (const part of parts) {
    const { pack } = part.place;
    if (pack === undefined) loose.push(part);
    else {
      const members = byPack.get(pack) ?? [];
      byPack.set(pack, members);
      members.push(part);
    }
  }
  let worst: Failure | undefined;
  const note = <T>(result: Result<T>): result is { ok: true; value: T } => {
    if (!result.ok && (worst === undefined || worst.code === "blob-missing")) worst = result.failures[0];
    return result.ok;
  };
  const jobs: (() => Promise<void>)[] = loose.map((part) => async () => {
    if (note(await fetchBlob(context, part.digest, cache, remote, part.label, progress))) {
      places.set(part.digest, { offset: 0, length: part.place.length });
    }
  });
  for (const [pack, members] of byPack) {
    jobs.push(async () => {
      const info = await remote.driver.stat(blobKey(pack));
      if (!note(info)) return;
      const { label } = members[0]!;
      if (info.value === undefined) {
        note(fail({ code: "blob-missing", digest: pack, neededBy: label, store: remote.url }));
        return;
      }
      const bytes = members.reduce((sum, { place }) => sum + place.length, 0);
      const runs = runsOf(members);
      if (bytes >= info.value.size * WHOLE_PACK || runs.some((run) => spanOf(run).length > PACK_LIMITS.bytes)) {
        if (!note(await fetchBlob(context, pack, cache, remote, label, progress))) return;
        for (const { digest, place } of members) places.set(digest, place);
        return;
      }
      for (const run of runs) {
        const came = await fetchRun(context, pack, run, cache, remote, progress);
        if (!note(came)) continue;
        for (const { digest, place } of run) places.set(digest, { offset: 0, length: place.length });
      }
    });
  }
  await mapLimited(jobs, remote.driver.width, async (job) => {
    if (context.signal?.aborted) note(fail({ code: "interrupted" }));
    else await job();
  });
  return { places, ...(worst === undefined ? {} : { worst }) };
}

/** Parts of a pack that come by one request each: those with small gaps between them. */
function runsOf(parts: readonly Part[]): Part[][] {
  const runs: Part[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const part of [...parts].sort((a, b) => a.place.offset - b.place.offset)) {
    if (part.place.offset - end > GAP) runs.push([]);
    runs.at(-1)!.push(part);
    end = Math.max(end, part.place.offset + part.place.length);
  }
  return runs;
}

/** From the first byte of a run to the last; what is longer than a pack does not come through memory. */
function spanOf(run: readonly Part[]): { offset: number; length: number } {
  const { offset } = run[0]!.place;
  const end = Math.max(...run.map(({ place }) => place.offset + place.length));
  return { offset, length: end - offset };
}

async function fetchRun(
  context: Context,
  pack: Digest,
  run: readonly Part[],
  cache: LocalStore,
  remote: Store,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  const { offset, length } = spanOf(run);
  const chunks: Uint8Array[] = [];
  if (length > 0) {
    const got = await remote.driver.get(
      blobKey(pack),
      (chunk) => {
        chunks.push(Uint8Array.from(chunk));
        progress(chunk.length);
      },
      { offset, length },
    );
    if (!got.ok) return metFor(run[0]!.label, got);
    if (!got.value) return fail({ code: "blob-missing", digest: pack, neededBy: run[0]!.label, store: remote.url });
  }
  const bytes = Buffer.concat(chunks);
  for (const { digest, place, label } of run) {
    const part = bytes.subarray(place.offset - offset, place.offset - offset + place.length);
    const actual = digestOf(part);
    if (actual !== digest) {
      const where = `${label}: ${remote.url}, pack ${pack}, bytes ${place.offset} to ${place.offset + place.length}`;
      return fail({ code: "blob-corrupt", digest, actual, where });
    }
    const stored = await cache.driver.put(blobKey(digest), bodyOf(part, digest));
    if (!stored.ok) return stored;
  }
  return ok();
}

/** Copies one object into the cache under its name, verified on its way. */
async function fetchBlob(
  context: Context,
  digest: Digest,
  cache: LocalStore,
  remote: Store,
  label: string,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  const copied = await copyBlob(context, digest, remote, cache, label, progress);
  if (!copied.ok) {
    const [failure] = copied.failures;
    return failure.code === "blob-corrupt" ? fail({ ...failure, where: `${label}: ${failure.where}` }) : copied;
  }
  return copied.value ? ok() : fail({ code: "blob-missing", digest, neededBy: label, store: remote.url });
}
