import { createHash, hash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { attempt } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import type { StoredBlob } from "./store.ts";

/** Files up to this size are read at once; larger ones are streamed. */
export const WHOLE = 1024 * 1024;

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}` as Digest;
}

/** Digest and size of what is read from a file, in constant memory. A file that is not there is `external`. */
export async function digestOfFile(absolute: string): Promise<Result<StoredBlob>> {
  return attempt(absolute, async () => {
    await using file = await open(absolute, "r");
    return await digestOfHandle(file);
  });
}

/** Streams a file from its start through the hash, and into `to` where given. */
export async function digestOfHandle(file: FileHandle, to?: FileHandle): Promise<StoredBlob> {
  const hasher = createHash("sha256");
  // One byte more than there is, so that a file that did not grow is read at once.
  const chunk = Buffer.allocUnsafe(Math.min(WHOLE, (await file.stat()).size + 1));
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, size);
    if (bytesRead === 0) break;
    const part = chunk.subarray(0, bytesRead);
    hasher.update(part);
    await to?.writeFile(part);
    size += bytesRead;
  }
  return { digest: `sha256:${hasher.digest("hex")}` as Digest, size };
}

/** As `digestOfFile`, but of a file known to be small: one read. */
export async function digestOfSmallFile(absolute: string): Promise<Result<StoredBlob>> {
  return attempt(absolute, async () => {
    const bytes = await readFile(absolute);
    return { digest: digestOf(bytes), size: bytes.length };
  });
}
