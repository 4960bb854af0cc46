import { DIGEST_BYTES } from "./digest-table.ts";

/** First and last 16 bytes of a pack. */
export const PACK_MAGIC = Buffer.from("lockstep-pack/1\n");
/** A pack is closed before the part that would take it over one of these; its parts' bytes, and their number. */
export const PACK_LIMITS = { bytes: 64 * 1024 * 1024, parts: 131_072 };
/** Files up to this size are packed when they are tracked; larger ones lie as blobs until they are sent. */
export const PACKED_FILE = 1024 * 1024;

/**
 * The end of a pack: for each part, in the order of its bytes, 32 bytes of digest, its offset and its length (unsigned,
 * 32 bits, big-endian); then the number of parts in the same way, and the magic. So a pack says itself what it holds,
 * and layouts can be made again from packs.
 */
export function packIndex(parts: readonly { readonly digest: Uint8Array; readonly length: number }[]): Buffer {
  const index = Buffer.allocUnsafe(parts.length * (DIGEST_BYTES + 8) + 4 + PACK_MAGIC.length);
  let offset = PACK_MAGIC.length;
  let at = 0;
  for (const { digest, length } of parts) {
    index.set(digest, at);
    index.writeUInt32BE(offset, at + DIGEST_BYTES);
    index.writeUInt32BE(length, at + DIGEST_BYTES + 4);
    at += DIGEST_BYTES + 8;
    offset += length;
  }
  index.writeUInt32BE(parts.length, at);
  PACK_MAGIC.copy(index, at + 4);
  return index;
}
