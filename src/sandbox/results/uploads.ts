import { createReadStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { storeBlob, type StoredBlob } from "../blobs.ts";
import type { World } from "../world.ts";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";

/** An upload between "create" and "finalize": its name in the signed address, and its bytes once they are complete. */
interface Upload {
  stored: StoredBlob | undefined;
}

const uploads = new WeakMap<World, Map<string, Upload>>();

function of(world: World): Map<string, Upload> {
  const known = uploads.get(world) ?? new Map<string, Upload>();
  uploads.set(world, known);
  return known;
}

export function beginUpload(world: World, id: string): void {
  of(world).set(id, { stored: undefined });
}

/** Gives the bytes of a complete upload and forgets it; undefined when nothing was uploaded. */
export function takeUpload(world: World, id: string): StoredBlob | undefined {
  const stored = of(world).get(id)?.stored;
  if (stored !== undefined) of(world).delete(id);
  return stored;
}

const folder = (world: World, id: string): string => world.blobPath(`.blocks-${id}`);
/** Block ids are chosen by the client: as hex they are harmless file names. */
const blockFile = (world: World, id: string, block: string): string =>
  join(folder(world, id), Buffer.from(block).toString("hex"));

/** Keeps one block; blocks come in any order. */
export async function putBlock(world: World, id: string, block: string, body: Readable): Promise<void> {
  await mkdir(folder(world, id), { recursive: true });
  await pipeline(body, createWriteStream(blockFile(world, id, block)));
}

/** Joins blocks in the order of the list. False when one of them was never sent. */
export async function commitBlocks(world: World, id: string, blocks: readonly string[]): Promise<boolean> {
  const upload = of(world).get(id);
  const there = new Set(await readdir(folder(world, id)).catch(() => []));
  const known = blocks.every((block) => there.has(Buffer.from(block).toString("hex")));
  if (upload === undefined || !known) return false;
  async function* joined(): AsyncGenerator<Uint8Array> {
    for (const block of blocks) yield* createReadStream(blockFile(world, id, block)) as AsyncIterable<Uint8Array>;
  }
  upload.stored = await storeBlob(world, joined());
  await rm(folder(world, id), { recursive: true, force: true });
  return true;
}

/** The whole blob in one request. False when no such upload was begun. */
export async function putWhole(world: World, id: string, body: Readable): Promise<boolean> {
  const upload = of(world).get(id);
  if (upload === undefined) return false;
  upload.stored = await storeBlob(world, body);
  return true;
}
