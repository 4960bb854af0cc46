import { createHash } from "node:crypto";
import { fail, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { blobKey, fileBody } from "./blob-store.ts";
import { digestBytes } from "./digest-table.ts";
import type { Body } from "./driver.ts";
import type { Place } from "./layout.ts";
import { packIndex, PACK_MAGIC } from "./pack.ts";
import type { LocalStore } from "./store.ts";

/**
 * A pack that is not written down: its bytes are read from where the cache has its parts, once for its name (each part
 * is verified then) and again when they are sent. So sending takes no second copy on the disk.
 */
export async function packOf(
  from: LocalStore,
  parts: readonly { readonly digest: Digest; readonly place: Place }[],
): Promise<Result<{ body: Body; offsets: readonly number[] }>> {
  const pieces: { start: number; length: number; read: Body["read"] }[] = [];
  let size = 0;
  const append = (length: number, read: Body["read"]): void => {
    pieces.push({ start: size, length, read });
    size += length;
  };
  const constant = (bytes: Buffer): void =>
    append(bytes.length, async function* (offset, length) {
      yield bytes.subarray(offset, offset + length);
    });
  constant(PACK_MAGIC);
  const offsets: number[] = [];
  for (const { digest, place } of parts) {
    const file = fileBody(from.driver.pathOf(blobKey(place.pack ?? digest)), place.length, digest);
    offsets.push(size);
    append(place.length, (offset, length) => file.read(place.offset + offset, length));
  }
  constant(packIndex(parts.map(({ digest, place }) => ({ digest: digestBytes(digest), length: place.length }))));

  const read: Body["read"] = async function* (offset, length) {
    const end = offset + length;
    for (const piece of pieces) {
      const from = Math.max(offset, piece.start);
      const to = Math.min(end, piece.start + piece.length);
      if (from < to) yield* piece.read(from - piece.start, to - from);
    }
  };

  const hash = createHash("sha256");
  for (const [number, piece] of pieces.entries()) {
    const own = createHash("sha256");
    let came = 0;
    try {
      for await (const chunk of piece.read(0, piece.length)) {
        hash.update(chunk);
        own.update(chunk);
        came += chunk.length;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      const { digest, place } = parts[number - 1]!;
      return fail({ code: "blob-missing", digest: place.pack ?? digest, neededBy: "a push", store: from.url });
    }
    const part = parts[number - 1];
    const actual = `sha256:${own.digest("hex")}`;
    if (part !== undefined && (actual !== part.digest || came !== piece.length)) {
      const where = from.driver.pathOf(blobKey(part.place.pack ?? part.digest));
      return fail({ code: "blob-corrupt", digest: part.digest, actual, where });
    }
  }
  return ok({ body: { size, digest: `sha256:${hash.digest("hex")}` as Digest, read }, offsets });
}
