import { createHash, hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Files to be read at once. */
export interface ReadGroup {
  /** Absolute. */
  readonly paths: readonly string[];
  /** Bytes and modification time (ms) that each is expected to have. */
  readonly sizes: readonly number[];
  readonly times: readonly number[];
  /** False: only digests are wanted. */
  readonly keep: boolean;
  /** Memory of an earlier group, to be used again: fresh memory costs the kernel a visit a page. */
  readonly spare?: ArrayBuffer | undefined;
}

export interface GroupRead {
  /** 32 bytes a file. */
  readonly digests: Uint8Array;
  /** The files one after another, when they are to be kept. */
  readonly bytes?: Uint8Array;
  /** The first file that could not be read as it was expected: gone or changed, or what the system said. */
  readonly problem?: { readonly at: number; readonly changed: boolean; readonly message: string };
}

const PIECE = 1024 * 1024;

/** Reads files once: into memory where they are kept, through the hash in any case. */
export function readGroup({ paths, sizes, times, keep, spare }: ReadGroup): GroupRead {
  const digests = new Uint8Array(32 * paths.length);
  const total = keep ? sizes.reduce((sum, size) => sum + size, 0) : 0;
  // One byte more than there should be, so that a file that grew is noticed.
  const needed = keep ? total + 1 : Math.min(PIECE, Math.max(0, ...sizes)) + 1;
  const bytes = spare !== undefined && spare.byteLength >= needed ? Buffer.from(spare) : Buffer.allocUnsafeSlow(needed);
  let from = 0;
  for (const [at, path] of paths.entries()) {
    const size = sizes[at]!;
    try {
      const file = openSync(path, "r");
      try {
        const { digest, read } = keep || size < bytes.length ? whole(file, bytes, from, size) : streamed(file, bytes);
        const stat = fstatSync(file);
        if (read !== size || stat.size !== size || stat.mtimeMs !== times[at]) {
          return { digests, problem: { at, changed: true, message: "it changed" } };
        }
        digests.set(digest, 32 * at);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      const { code, message, syscall } = error as NodeJS.ErrnoException;
      if (syscall === undefined) throw error;
      return { digests, problem: { at, changed: code === "ENOENT", message } };
    }
    if (keep) from += size;
  }
  return keep ? { digests, bytes: bytes.subarray(0, total) } : { digests };
}

function whole(file: number, bytes: Buffer, from: number, size: number): { digest: Buffer; read: number } {
  let read = 0;
  while (read <= size) {
    const count = readSync(file, bytes, from + read, size + 1 - read, null);
    read += count;
    // A read that is short by the one byte too many has met the end; `size` and times are asked for again after it.
    if (count === 0 || read === size) break;
  }
  return { digest: hash("sha256", bytes.subarray(from, from + Math.min(read, size)), "buffer"), read };
}

function streamed(file: number, bytes: Buffer): { digest: Buffer; read: number } {
  const hasher = createHash("sha256");
  let read = 0;
  for (;;) {
    const count = readSync(file, bytes, 0, bytes.length, null);
    if (count === 0) return { digest: hasher.digest(), read };
    hasher.update(bytes.subarray(0, count));
    read += count;
  }
}
