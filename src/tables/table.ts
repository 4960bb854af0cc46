import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Digest, Location } from "../core/index.ts";
import { readCsv } from "./csv.ts";
import { readJsonLines } from "./jsonl.ts";
import { MOST_BYTES } from "./texts.ts";
import type { TextTable } from "./texts.ts";

/** A file of this machine whose bytes are known to have the digest. */
export interface KnownFile {
  /** Absolute. */
  readonly path: string;
  readonly digest: Digest;
}

/** Where the bytes of a table come from: all at once, as they arrive, or from a file, which is not held whole. */
export type Bytes = Uint8Array | AsyncIterable<Uint8Array> | KnownFile;

/** A row of a table, to be read before the next one comes. */
export interface Row {
  /** Counts from 1; a table of lines counts its header, one of rows does not. */
  readonly number: number;
  text(cell: number): string;
  /** Not a number where the cell is empty or holds something else. */
  value(cell: number): number;
  /** The position of the cell's text in a table, to which it is added where it is new. */
  code(cell: number, table: TextTable): number;
  /** Place of a cell. */
  at(cell: number): Location;
}

export interface Header {
  readonly titles: readonly string[];
  /** What `Row.number` counts. */
  readonly unit: "line" | "row";
  /** Place of a title; of the header's end for one that is not there. */
  readonly at: (cell: number) => Location;
}

/** Who takes a table's rows. */
export interface Sink {
  /** Cells that are wanted; undefined: none, the table is of no use. */
  header(header: Header): readonly number[] | undefined;
  row(row: Row): void;
  /** A row that cannot be taken apart, and so is not handed over. */
  broken(at: Location, problem: string): void;
}

/** Why a table cannot be read to its end. */
export interface Unreadable {
  readonly at: Location;
  readonly problem: string;
}

/** `path` is that of the file that the bytes come from, where they come from one. */
export type Reader = (
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  path?: string,
) => Promise<Unreadable | undefined>;

/** Rows of a table. */
export const MOST_ROWS = 25_000_000;
/** Bytes of a file that are read at once. */
const CHUNK = 1024 * 1024;
/** Bytes of a row. */
export const MOST_ROW_BYTES = 1_000_000;

const READERS: Readonly<Record<string, Reader>> = {
  csv: (file, bytes, sink) => readCsv(",", file, bytes, sink),
  tsv: (file, bytes, sink) => readCsv("\t", file, bytes, sink),
  jsonl: readJsonLines,
  ndjson: readJsonLines,
  parquet: async (...input) => (await import("./parquet.ts")).readParquet(...input),
};

/**
 * Hands the rows of a table to `sink`, one in memory at a time; the format is told by the file's name, CSV where it
 * does not say. Resolves to the digest of the bytes, or to why they cannot be read to the end. Throws the system error
 * of a file that cannot be read.
 * @param format name that tells the format, where `file` is no file's name
 */
export async function readTable(
  file: string,
  bytes: Bytes,
  sink: Sink,
  format = file,
): Promise<{ readonly digest: Digest } | { readonly unreadable: Unreadable }> {
  const ending = /\.([a-z]+)$/i.exec(format)?.[1]?.toLowerCase() ?? "";
  const reader = READERS[ending] ?? READERS["csv"]!;
  const tooLarge = { unreadable: { at: { file, line: 1, column: 1 }, problem: "larger than 4 GiB" } };
  if ("path" in bytes) {
    const { path, digest } = bytes;
    if ((await stat(path)).size > MOST_BYTES) return tooLarge;
    const unreadable = await reader(file, streamed(path), sink, path);
    return unreadable === undefined ? { digest } : { unreadable };
  }
  const hash = createHash("sha256");
  let size = 0;
  async function* hashed(arriving: Exclude<Bytes, KnownFile>): AsyncGenerator<Uint8Array> {
    for await (const chunk of arriving instanceof Uint8Array ? [arriving] : arriving) {
      size += chunk.length;
      if (size > MOST_BYTES) return;
      hash.update(chunk);
      yield chunk;
    }
  }
  const unreadable = await reader(file, hashed(bytes), sink);
  if (size > MOST_BYTES) return tooLarge;
  return unreadable === undefined ? { digest: `sha256:${hash.digest("hex")}` as Digest } : { unreadable };
}

/** Opened when the first bytes are asked for. */
async function* streamed(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
}
