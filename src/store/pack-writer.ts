import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Digest } from "../core/index.ts";
import { DIGEST_BYTES, DigestTable } from "./digest-table.ts";
import type { FileDriver } from "./drivers/file.ts";
import type { LayoutBuilder } from "./layout.ts";
import { packIndex, PACK_LIMITS, PACK_MAGIC } from "./pack.ts";

interface Open {
  readonly path: string;
  readonly file: FileHandle;
  readonly hash: Hash;
  /** Parts by number, in the order of their bytes. */
  readonly parts: DigestTable;
  readonly lengths: number[];
  size: number;
}

/**
 * Writes parts into packs, in the order they are given, and their places into a layout. A part that the layout places
 * already, or that the open pack holds, is not written again. Which packs come out depends on the parts alone.
 */
export class PackWriter {
  readonly #driver: FileDriver;
  readonly #layout: LayoutBuilder;
  #open: Open | undefined;

  constructor(driver: FileDriver, layout: LayoutBuilder) {
    this.#driver = driver;
    this.#layout = layout;
  }

  /** Takes the parts of a group: part i has the 32 bytes `digests[32 i]` and ends at `ends[i]` of `bytes`. */
  async add(digests: Buffer, bytes: Buffer, ends: ArrayLike<number>): Promise<void> {
    let written = 0;
    let from = 0;
    // What stands in a row goes to the file in one write.
    for (let part = 0; part < ends.length; part++) {
      const to = ends[part]!;
      const at = part * DIGEST_BYTES;
      if (this.#layout.has(digests, at) || (this.#open !== undefined && this.#open.parts.find(digests, at) !== -1)) {
        await this.#write(bytes.subarray(written, from));
        written = to;
      } else {
        if (this.#isFull(to - from)) {
          await this.#write(bytes.subarray(written, from));
          written = from;
          await this.close();
        }
        const open = (this.#open ??= await this.#begin());
        open.parts.add(digests, at);
        open.lengths.push(to - from);
        open.size += to - from;
      }
      from = to;
    }
    await this.#write(bytes.subarray(written, from));
  }

  /** Publishes the open pack. Without it, and after a failure, nothing of it stays: see `drop`. */
  async close(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    const digests = open.lengths.map((length, number) => ({
      digest: open.parts.bytes.subarray(number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES),
      length,
    }));
    const index = packIndex(digests);
    open.hash.update(index);
    await open.file.writeFile(index);
    await open.file.close();
    const hex = open.hash.digest("hex");
    await this.#driver.publish(open.path, `blobs/${hex}`, PACK_MAGIC.length + open.size + index.length);
    let offset = PACK_MAGIC.length;
    for (const [number, length] of open.lengths.entries()) {
      const place = { pack: `sha256:${hex}` as Digest, offset, length };
      this.#layout.add(open.parts.bytes, number * DIGEST_BYTES, place);
      offset += length;
    }
    await this.drop();
  }

  /** Forgets the open pack and its file. */
  async drop(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    await open.file.close().catch(() => {});
    await rm(open.path, { force: true });
  }

  #isFull(more: number): boolean {
    if (this.#open === undefined) return false;
    return this.#open.size + more > PACK_LIMITS.bytes || this.#open.lengths.length >= PACK_LIMITS.parts;
  }

  async #begin(): Promise<Open> {
    const { path, file } = await this.#driver.temporary();
    const hash = createHash("sha256").update(PACK_MAGIC);
    await file.writeFile(PACK_MAGIC);
    return { path, file, hash, parts: new DigestTable(), lengths: [], size: 0 };
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.#open === undefined) return;
    this.#open.hash.update(bytes);
    await this.#open.file.writeFile(bytes);
  }
}
