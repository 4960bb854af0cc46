import { join } from "node:path";
import { attempt, fail, metFor, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { DIGEST_BYTES, digestAt, digestBytes } from "./digest-table.ts";
import { bodyOf } from "./driver.ts";
import { LargeFiles } from "./large.ts";
import { groupsOf, plan, takePlace } from "./ingest-plan.ts";
import type { IngestPlan } from "./ingest-plan.ts";
import type { Layout, LayoutBuilder } from "./layout.ts";
import { PACKED_FILE } from "./pack.ts";
import { PackWriter } from "./pack-writer.ts";
import { byteProgress } from "./progress.ts";
import { sizeAt } from "./scan.ts";
import type { Scan, Spot } from "./scan.ts";
import type { LocalStore } from "./store.ts";
import { STATS } from "./work/look.ts";
import type { Pool } from "./work/pool.ts";
import { readGroup } from "./work/read-group.ts";
import type { GroupRead } from "./work/read-group.ts";

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
  readonly pool: Pool;
}

/**
 * Fills in the digests of a scan that are not known, and brings what the store lacks into it: small files into packs,
 * in the order of the tree, large ones as chunks. Each file is read once, by all cores; memory is bounded by the groups
 * that are on their way. What it stored before a failure stays, under names that say what it is.
 */
export async function ingest(context: Context, scan: Scan, options: IngestOptions): Promise<Result<void>> {
  const planned = await plan(scan, options);
  if (!planned.ok) return planned;
  const { large, bytes, files } = planned.value;
  if (files === 0) return ok();
  const progress = byteProgress(context, options.task, bytes);
  const packs = options.into === undefined ? undefined : new PackWriter(options.into.driver, options.layout);
  try {
    const read = await refusedBy(options, scan.root, async () => {
      const all = await readAll(context, scan, planned.value, packs, options, progress);
      if (all.ok) await packs?.close();
      return all;
    });
    return read.ok ? await storeLarge(context, scan, large, options, progress) : read;
  } finally {
    await packs?.drop();
  }
}

/** Does work that writes into a store; what the system refuses names both what was read and where it was to go. */
async function refusedBy<T>(options: IngestOptions, what: string, work: () => Promise<Result<T>>): Promise<Result<T>> {
  const done = await attempt(options.into === undefined ? what : `${what} into ${options.into.url}`, work);
  return done.ok ? done.value : done;
}

async function readAll(
  context: Context,
  scan: Scan,
  plan: IngestPlan,
  packs: PackWriter | undefined,
  options: IngestOptions,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  const inline = plan.bytes <= INLINE.bytes && plan.files <= INLINE.files;
  const folder = join(context.cwd, scan.root);
  const spare: ArrayBuffer[] = [];
  const start = async (group: readonly Spot[]): Promise<GroupRead> => {
    const task = {
      type: "read" as const,
      paths: group.map(({ path }) => `${folder}/${path}`),
      sizes: group.map((spot) => sizeAt(spot).size),
      times: group.map((spot) => spot.folder.stats[spot.at * STATS + 1]!),
      keep: options.into !== undefined,
      spare: spare.pop(),
    };
    return inline ? readGroup(task) : options.pool.do<GroupRead>(task);
  };
  const running: { group: readonly Spot[]; reading: Promise<GroupRead> }[] = [];
  const width = inline ? 1 : 2 * options.pool.width;
  const groups = groupsOf(scan, plan);
  const fill = (): void => {
    while (running.length < width) {
      const next = groups.next();
      if (next.done === true) return;
      running.push({ group: next.value, reading: start(next.value) });
    }
  };
  try {
    for (fill(); running.length > 0; fill()) {
      const { group, reading } = running.shift()!;
      const read = await reading;
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      if (read.problem !== undefined)
        return fail(problemOf(`${scan.root}/${group[read.problem.at]!.path}`, read.problem));
      const digests = Buffer.from(read.digests.buffer, read.digests.byteOffset, read.digests.byteLength);
      for (const [number, { folder, at }] of group.entries()) {
        digests.copy(folder.digests, at * DIGEST_BYTES, number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES);
      }
      const stored = await store(scan.root, group, digests, read.bytes, packs, options);
      if (!stored.ok) return stored;
      if (read.bytes !== undefined) spare.push(read.bytes.buffer as ArrayBuffer);
      progress(group.reduce((sum, spot) => sum + sizeAt(spot).size, 0));
    }
    return ok();
  } finally {
    await Promise.allSettled(running.map(({ reading }) => reading));
  }
}

/** Puts the files of a group where they belong: packs, or blobs of their own. What a base has stays where it is. */
async function store(
  root: string,
  group: readonly Spot[],
  digests: Buffer,
  bytes: Uint8Array | undefined,
  packs: PackWriter | undefined,
  { into, bases, layout }: IngestOptions,
): Promise<Result<void>> {
  if (bytes === undefined || packs === undefined || into === undefined) return ok();
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  const small: { number: number; from: number; to: number }[] = [];
  for (const [number, spot] of group.entries()) {
    const to = from + sizeAt(spot).size;
    const known = bases.some((base) => takePlace(base, digests, number * DIGEST_BYTES, layout));
    if (to - from <= PACKED_FILE) small.push({ number, from, to });
    else if (!known) {
      const digest = digestAt(digests, number * DIGEST_BYTES);
      const stored = await into.driver.put(blobKey(digest), bodyOf(all.subarray(from, to), digest));
      if (!stored.ok) return metFor(`${root}/${spot.path}`, stored);
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
  options: IngestOptions,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  if (large.length === 0 || options.into === undefined) return ok();
  const { driver } = options.into;
  await using files = new LargeFiles();
  for (const spot of large) {
    const label = `${scan.root}/${spot.path}`;
    const time = spot.folder.stats[spot.at * STATS + 1]!;
    const file = { path: join(context.cwd, label), label, size: sizeAt(spot).size, time };
    const digest = await refusedBy(options, label, async () =>
      files.add(context, file, driver, options.layout, progress),
    );
    if (!digest.ok) return digest;
    digestBytes(digest.value).copy(spot.folder.digests, spot.at * DIGEST_BYTES);
  }
  return ok();
}

export function problemOf(path: string, problem: NonNullable<GroupRead["problem"]>): Failure {
  const { changed, message } = problem;
  return changed ? { code: "file-changed", path } : { code: "external", what: path, problem: message };
}
