import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { CHUNKED_FILE } from "./chunker.ts";
import { DIGEST_BYTES, digestAt, digestBytes } from "./digest-table.ts";
import type { IngestOptions } from "./ingest.ts";
import type { Layout, LayoutBuilder } from "./layout.ts";
import { filesOf, sizeAt } from "./scan.ts";
import type { Scan, Spot } from "./scan.ts";

/** What one task reads: enough to be worth a message, too little to weigh on memory. */
const GROUP = { bytes: 4 * 1024 * 1024, files: 1024 };

export interface IngestPlan {
  /** By number in the tree's order: 1 for a file that goes through a group. A list of them would weigh too much. */
  readonly grouped: Uint8Array;
  readonly large: readonly Spot[];
  /** Of all files to be read. */
  readonly bytes: number;
  readonly files: number;
}

/** Which files are to be read; those the store has already are placed as it has them. */
export async function plan(scan: Scan, { into, bases, layout }: IngestOptions): Promise<Result<IngestPlan>> {
  let names = 0;
  for (const { count } of scan.folders.values()) names += count;
  const grouped = new Uint8Array(names);
  const large: Spot[] = [];
  let [bytes, files, number] = [0, 0, -1];
  for (const spot of filesOf(scan)) {
    number += 1;
    const { size, known } = sizeAt(spot);
    if (known && (into === undefined || place(spot, bases, layout))) continue;
    if (known && into !== undefined) {
      const there = await into.driver.stat(blobKey(digestAt(spot.folder.digests, spot.at * DIGEST_BYTES)));
      if (!there.ok) return there;
      if (there.value?.size === size) continue;
    }
    bytes += size;
    files += 1;
    if (size > CHUNKED_FILE && into !== undefined) large.push(spot);
    else grouped[number] = 1;
  }
  return ok({ grouped, large, bytes, files });
}

/** The files that go through groups, in the tree's order. */
export function* groupsOf(scan: Scan, { grouped }: IngestPlan): Generator<readonly Spot[]> {
  let group: Spot[] = [];
  let bytes = 0;
  let number = -1;
  for (const spot of filesOf(scan)) {
    number += 1;
    if (grouped[number] !== 1) continue;
    const { size } = sizeAt(spot);
    if (group.length > 0 && (bytes + size > GROUP.bytes || group.length >= GROUP.files)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(spot);
    bytes += size;
  }
  if (group.length > 0) yield group;
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
