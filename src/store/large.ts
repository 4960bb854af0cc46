import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { fail, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { digestBytes } from "./digest-table.ts";
import type { FileDriver } from "./drivers/file.ts";
import type { LayoutBuilder } from "./layout.ts";
import { Thread } from "./work/pool.ts";
import type { ChunkEnd } from "./work/worker.ts";

/** Bytes read at once, and how many such pieces are on their way: all the memory that a large file takes. */
const PIECE = 4 * 1024 * 1024;
const PIECES = 6;

export interface LargeFile {
  /** Absolute. */
  readonly path: string;
  /** As messages name it. */
  readonly label: string;
  /** Bytes, and modification time in ms, that it is expected to have. */
  readonly size: number;
  readonly time: number;
}

/**
 * Stores large files as chunks and places those in a layout. A file is read once; one thread hashes the whole, another
 * cuts and hashes the chunks, and this one writes those that the store does not have.
 */
export class LargeFiles {
  readonly #hasher = new Thread();
  readonly #cutter = new Thread();
  readonly #pieces = Array.from({ length: PIECES }, () => new Uint8Array(new SharedArrayBuffer(PIECE)));

  /** The file's digest. Chunks are published as they end; the layout names the file only when it is whole. */
  async add(
    context: Context,
    file: LargeFile,
    driver: FileDriver,
    layout: LayoutBuilder,
    progress: (bytes: number) => void,
  ): Promise<Result<Digest>> {
    const opened = await open(file.path, "r").catch((error: unknown) => {
      if (isSystemError(error) && error.code === "ENOENT") return undefined;
      throw error;
    });
    if (opened === undefined) return fail({ code: "file-changed", path: file.label });
    await using input = opened;
    const chunks: Digest[] = [];
    const sink = new ChunkSink(driver, (digest, length) => {
      const bytes = digestBytes(digest);
      if (!layout.has(bytes, 0)) layout.add(bytes, 0, { offset: 0, length });
      chunks.push(digest);
    });
    let whole: string | undefined;
    const busy: Promise<void>[] = [];
    try {
      for (let at = 0, piece = 0; at < file.size; at += PIECE, piece++) {
        if (context.signal?.aborted) return fail({ code: "interrupted" });
        // The buffer is free again when the piece that was in it is written.
        if (piece >= PIECES) await busy[piece - PIECES];
        const buffer = this.#pieces[piece % PIECES]!;
        const length = Math.min(PIECE, file.size - at);
        if ((await fill(input, buffer, length, at)) < length) return fail({ code: "file-changed", path: file.label });
        const bytes = buffer.subarray(0, length);
        const last = at + length === file.size;
        const hashed = this.#hasher.do<string | undefined>({ type: "hash", bytes, last });
        const cut = this.#cutter.do<ChunkEnd[]>({ type: "chunk", bytes, last });
        const before = busy.at(-1);
        const done = (async (): Promise<void> => {
          const [ends] = await Promise.all([cut, before]);
          await sink.take(bytes, ends);
          whole = await hashed;
          progress(length);
        })();
        // Failures are met where they are awaited, if ever; they must not count as unhandled until then.
        done.catch(() => {});
        hashed.catch(() => {});
        busy.push(done);
      }
      await busy.at(-1);
      const stat = await input.stat();
      if (stat.size !== file.size || stat.mtimeMs !== file.time)
        return fail({ code: "file-changed", path: file.label });
      const digest = `sha256:${whole}` as Digest;
      layout.addChunked(digest, file.size, chunks);
      return ok(digest);
    } finally {
      await Promise.allSettled(busy);
      await sink.drop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hasher[Symbol.asyncDispose](), this.#cutter[Symbol.asyncDispose]()]);
  }
}

/** Writes chunks as they come; one becomes visible when its digest is known. */
class ChunkSink {
  readonly #driver: FileDriver;
  readonly #stored: (digest: Digest, length: number) => void;
  #open: { path: string; file: FileHandle; size: number } | undefined;

  constructor(driver: FileDriver, stored: (digest: Digest, length: number) => void) {
    this.#driver = driver;
    this.#stored = stored;
  }

  async take(bytes: Uint8Array, ends: readonly ChunkEnd[]): Promise<void> {
    let from = 0;
    for (const { end, digest } of ends) {
      await this.#write(bytes.subarray(from, end));
      await this.#publish(digest);
      from = end;
    }
    await this.#write(bytes.subarray(from));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#open ??= { ...(await this.#driver.temporary()), size: 0 };
    await this.#open.file.writeFile(bytes);
    this.#open.size += bytes.length;
  }

  async #publish(hex: string): Promise<void> {
    const { path, file, size } = this.#open!;
    await file.close();
    await this.#driver.publish(path, `blobs/${hex}`, size);
    await rm(path, { force: true });
    this.#open = undefined;
    this.#stored(`sha256:${hex}` as Digest, size);
  }

  async drop(): Promise<void> {
    if (this.#open === undefined) return;
    await this.#open.file.close().catch(() => {});
    await rm(this.#open.path, { force: true });
  }
}

async function fill(file: FileHandle, buffer: Uint8Array, length: number, at: number): Promise<number> {
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return read;
}
