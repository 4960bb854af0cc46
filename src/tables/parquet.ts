import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { isSystemError } from "../core/index.ts";
import type { Location } from "../core/index.ts";
import { decimalOf } from "./decimal.ts";
import { openParquet } from "./parquet-file.ts";
import type { RandomAccess } from "./parquet-file.ts";
import { MOST_ROWS } from "./table.ts";
import type { Row, Sink, Unreadable } from "./table.ts";
import type { TextTable } from "./texts.ts";

/** Characters of a cell: a dictionary can say a long one ten million times in a few bytes. */
const MOST_CELL = 4096;

/**
 * Rows of a Parquet file, whose index is its end: bytes that come as they arrive are held whole, those of a file are
 * read a column of a row group at a time. Only the columns that are wanted are unpacked.
 */
export async function readParquet(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  path?: string,
): Promise<Unreadable | undefined> {
  if (path === undefined) return readFrom(file, await gathered(bytes), sink);
  await using handle = await open(path, "r");
  return await readFrom(file, await inAnyOrder(handle), sink);
}

async function inAnyOrder(handle: FileHandle): Promise<RandomAccess> {
  const { size: byteLength } = await handle.stat();
  return {
    byteLength,
    async slice(from, to = byteLength) {
      const end = Math.min(to, byteLength);
      const part = new Uint8Array(Math.max(0, end - from));
      for (let at = 0; at < part.length;) {
        // oxlint-disable-next-line no-await-in-loop -- a read may give less than was asked for
        const { bytesRead } = await handle.read(part, at, part.length - at, from + at);
        if (bytesRead === 0) throw new Error("the file ends too early");
        at += bytesRead;
      }
      return part;
    },
  };
}

async function readFrom(file: string, bytes: Uint8Array | RandomAccess, sink: Sink): Promise<Unreadable | undefined> {
  const start = { file, line: 1, column: 1 };
  try {
    const table = await openParquet(bytes, { trusted: false });
    const { titles, rows } = table;
    if (rows > MOST_ROWS) return { at: start, problem: `more than ${MOST_ROWS} rows` };
    const wanted = sink.header({ titles, unit: "row", at: (cell) => ({ ...start, column: cell + 1 }) });
    if (wanted === undefined) return undefined;
    const nested = wanted.filter((cell) => table.nested(titles[cell]!));
    for (const cell of nested) sink.broken(start, `column ${JSON.stringify(titles[cell])} holds lists or objects`);
    if (nested.length > 0) return undefined;
    const distinct = [...new Set(wanted)];
    const row = new ParquetRow(file, titles, distinct);
    for await (const batch of table.batches(distinct.map((cell) => titles[cell]!))) {
      for (let index = 0; index < (batch[0]?.length ?? 0); index++) if (row.take(batch, index, sink)) sink.row(row);
    }
    return undefined;
  } catch (error) {
    if (isSystemError(error)) throw error;
    // Beside the disk the bytes are the library's only input.
    const problem = error instanceof Error ? error.message : String(error);
    return { at: start, problem: `cannot be read as Parquet: ${problem}` };
  }
}

async function gathered(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

class ParquetRow implements Row {
  number = 0;
  readonly #file: string;
  readonly #titles: readonly string[];
  readonly #cells: readonly number[];
  readonly #values: unknown[];

  constructor(file: string, titles: readonly string[], cells: readonly number[]) {
    [this.#file, this.#titles, this.#cells] = [file, titles, cells];
    this.#values = titles.map(() => undefined);
  }

  /** False where the row has been told to be broken. */
  take(batch: readonly ArrayLike<unknown>[], index: number, sink: Sink): boolean {
    this.number++;
    for (let at = 0; at < this.#cells.length; at++) {
      const cell = this.#cells[at] as number;
      const value = batch[at]?.[index];
      this.#values[cell] = value;
      const unfit =
        typeof value === "string" && value.length > MOST_CELL
          ? `a text of ${value.length} characters; at most ${MOST_CELL} are read`
          : typeof value === "object" && value !== null && !(value instanceof Date)
            ? "the cell holds bytes, a list or an object"
            : undefined;
      if (unfit === undefined) continue;
      sink.broken(this.at(cell), `row ${this.number}, column ${JSON.stringify(this.#titles[cell])}: ${unfit}`);
      return false;
    }
    return true;
  }

  text(cell: number): string {
    const value = this.#values[cell];
    if (typeof value === "string") return value;
    if (value === null || value === undefined) return "";
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
    return String(value as number | bigint | boolean);
  }

  value(cell: number): number {
    const value = this.#values[cell];
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    return typeof value === "string" ? decimalOf(value) : Number.NaN;
  }

  code(cell: number, table: TextTable): number {
    return table.addText(this.text(cell));
  }

  at(cell: number): Location {
    return { file: this.#file, line: this.number, column: cell + 1 };
  }
}
