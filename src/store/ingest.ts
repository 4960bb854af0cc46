import { join } from "node:path";
import { fail, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { CHUNKED_FILE } from "./chunker.ts";
import { DIGEST_BYTES, digestAt, digestBytes } from "./digest-table.ts";
import { bodyOf } from "./driver.ts";
import { STATS } from "./folder-index.ts";
import { LargeFiles } from "./large.ts";
import type { Layout, LayoutBuilder } from "./layout.ts";
import { PACKED_FILE } from "./pack.ts";
import { PackWriter } from "./pack-writer.ts";
import { byteProgress } from "./progress.ts";
import { filesOf, sizeAt } from "./scan.ts";
import type { Scan, Spot } from "./scan.ts";
import type { LocalStore } from "./store.ts";
import { Pool } from "./work/pool.ts";
import { readGroup } from "./work/read-group.ts";
import type { GroupRead } from "./work/read-group.ts";

/** What one task reads: enough to be worth a message, too little to weigh on memory. */
const GROUP = { bytes: 4 * 1024 * 1024, files: 1024 };
/** Below this much work, starting threads costs more than it saves. */
const INLINE = { bytes: 2 * 1024 * 1024, files: 200 };

export interface IngestOptions {
  /** Where the bytes go; absent: files are only hashed. */
  readonly into?: LocalStore;
  /** What that store is known to have. */
  readonly bases: readonly Layout[];
  /** Collects the places of all files. */
  readonly layout: LayoutBuilder;
  readonly task: string;
}

/**
 * Fills in the digests of a scan that are not known, and brings what the store lacks into it: small files into packs,
 * in the order of the tree, large ones as chunks. Each file is read once, by all cores; memory is bounded by the groups
 * that are on their way. What it stored before a failure stays, under names that say what it is.
 */
export async function ingest(context: Context, scan: Scan, options: IngestOptions): Promise<Result<void>> {
  const planned = await plan(scan, options);
  if (!planned.ok) return planned;
  const { groups, large, bytes, files } = planned.value;
  if (files === 0) return ok();
  const progress = byteProgress(context, options.task, bytes);
  const packs = options.into === undefined ? undefined : new PackWriter(options.into.driver, options.layout);
  try {
    const read = await readAll(context, scan, groups, bytes, files, packs, options, progress);
    if (!read.ok) return read;
    await packs?.close();
    return await storeLarge(context, scan, large, options, progress);
  } finally {
    await packs?.drop();
  }
}

interface Plan {
  readonly groups: readonly (readonly Spot[])[];
  readonly large: readonly Spot[];
  readonly bytes: number;
  readonly files: number;
}

/** Files to be read, in the tree's order; those the store has already are placed as it has them. */
async function plan(scan: Scan, { into, bases, layout }: IngestOptions): Promise<Result<Plan>> {
  const groups: Spot[][] = [];
  const large: Spot[] = [];
  let [bytes, files, groupBytes] = [0, 0, Number.POSITIVE_INFINITY];
  for (const spot of filesOf(scan)) {
    const { size, known } = sizeAt(spot);
    if (known && (into === undefined || place(spot, bases, layout))) continue;
    if (known && into !== undefined) {
      const there = await into.driver.stat(blobKey(digestAt(spot.folder.digests, spot.at * DIGEST_BYTES)));
      if (!there.ok) return there;
      if (there.value?.size === size) continue;
    }
    bytes += size;
    files += 1;
    if (size > CHUNKED_FILE && into !== undefined) {
      large.push(spot);
      continue;
    }
    if (groupBytes + size > GROUP.bytes || groups.at(-1)!.length >= GROUP.files) {
      groups.push([]);
      groupBytes = 0;
    }
    groups.at(-1)!.push(spot);
    groupBytes += size;
  }
  return ok({ groups, large, bytes, files });
}

/** True when a base has the file; its place, or those of its chunks, are taken over. */
function place(spot: Spot, bases: readonly Layout[], layout: LayoutBuilder): boolean {
  const at = spot.at * DIGEST_BYTES;
  for (const base of bases) {
    if (takePlace(base, spot.folder.digests, at, layout)) return true;
  }
  return false;
}

/** Takes over where a base has a file, or its chunks; false: the base does not say. */
export function takePlace(base: Layout, bytes: Buffer, at: number, layout: LayoutBuilder): boolean {
  const found = base.findBytes(bytes, at);
  if (found !== undefined) {
    layout.add(bytes, at, found);
    return true;
  }
  if (base.chunked.size === 0) return false;
  const digest = digestAt(bytes, at);
  const chunks = base.chunksOf(digest);
  if (chunks === undefined) return false;
  for (const chunk of chunks) layout.add(digestBytes(chunk), 0, base.find(chunk)!);
  layout.addChunked(digest, base.chunked.get(digest)!.size, chunks);
  return true;
}

async function readAll(
  context: Context,
  scan: Scan,
  groups: Plan["groups"],
  bytes: number,
  files: number,
  packs: PackWriter | undefined,
  { into }: IngestOptions,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  await using pool = bytes > INLINE.bytes || files > INLINE.files ? new Pool() : undefined;
  const start = async (group: readonly Spot[]): Promise<GroupRead> => {
    const task = {
      type: "read" as const,
      paths: group.map(({ path }) => join(context.cwd, scan.root, path)),
      sizes: group.map((spot) => sizeAt(spot).size),
      times: group.map(({ folder, at }) => folder.stats[at * STATS + 1]!),
      keep: into !== undefined,
    };
    return pool === undefined ? readGroup(task) : pool.do<GroupRead>(task);
  };
  const running: Promise<GroupRead>[] = [];
  const width = 2 * (pool?.width ?? 1);
  let next = 0;
  try {
    for (const group of groups) {
      while (next < groups.length && running.length < width) running.push(start(groups[next++]!));
      const read = await running.shift()!;
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      if (read.problem !== undefined)
        return fail(problemOf(`${scan.root}/${group[read.problem.at]!.path}`, read.problem));
      const digests = Buffer.from(read.digests.buffer, read.digests.byteOffset, read.digests.byteLength);
      for (const [number, { folder, at }] of group.entries()) {
        digests.copy(folder.digests, at * DIGEST_BYTES, number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES);
      }
      const stored = await store(group, digests, read.bytes, packs, into);
      if (!stored.ok) return stored;
      progress(group.reduce((sum, spot) => sum + sizeAt(spot).size, 0));
    }
    return ok();
  } finally {
    await Promise.allSettled(running);
  }
}

/** Puts the files of a group where they belong: packs, or blobs of their own. */
async function store(
  group: readonly Spot[],
  digests: Buffer,
  bytes: Uint8Array | undefined,
  packs: PackWriter | undefined,
  into: LocalStore | undefined,
): Promise<Result<void>> {
  if (bytes === undefined || packs === undefined || into === undefined) return ok();
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  const small: { number: number; from: number; to: number }[] = [];
  for (const [number, spot] of group.entries()) {
    const to = from + sizeAt(spot).size;
    if (to - from <= PACKED_FILE) small.push({ number, from, to });
    else {
      const digest = digestAt(digests, number * DIGEST_BYTES);
      const stored = await into.driver.put(blobKey(digest), bodyOf(all.subarray(from, to), digest));
      if (!stored.ok) return stored;
    }
    from = to;
  }
  if (small.length === group.length)
    await packs.add(
      digests,
      all,
      small.map(({ to }) => to),
    );
  else {
    for (const item of small) {
      const digest = digests.subarray(item.number * DIGEST_BYTES, (item.number + 1) * DIGEST_BYTES);
      await packs.add(digest, all.subarray(item.from, item.to), [item.to - item.from]);
    }
  }
  return ok();
}

async function storeLarge(
  context: Context,
  scan: Scan,
  large: readonly Spot[],
  { into, layout }: IngestOptions,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  if (large.length === 0 || into === undefined) return ok();
  await using files = new LargeFiles();
  for (const spot of large) {
    const label = `${scan.root}/${spot.path}`;
    const time = spot.folder.stats[spot.at * STATS + 1]!;
    const file = { path: join(context.cwd, label), label, size: sizeAt(spot).size, time };
    const digest = await files.add(context, file, into.driver, layout, progress);
    if (!digest.ok) return digest;
    digestBytes(digest.value).copy(spot.folder.digests, spot.at * DIGEST_BYTES);
  }
  return ok();
}

export function problemOf(path: string, problem: NonNullable<GroupRead["problem"]>): Failure {
  const { changed, message } = problem;
  return changed ? { code: "file-changed", path } : { code: "external", what: path, problem: message };
}
