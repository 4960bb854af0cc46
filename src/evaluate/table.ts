import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import type { Digest, Failure, Location } from "../core/index.ts";

/** A row of a CSV file that can still say where each of its cells stands. */
export interface Row {
  readonly cells: readonly string[];
  text(cell: number): string;
  /** Not a number where the cell is empty or holds something else. */
  number(cell: number): number;
  /** Place of a cell; of the row's end for a cell that is not there. */
  readonly at: (cell: number) => Location;
}

/** Where the bytes of a table come from: all at once, or as they arrive. */
export type Bytes = Uint8Array | AsyncIterable<Uint8Array>;

const MAX_RECORD = 1_000_000;
const SOURCE_SHOWN = 160;

/**
 * The rows of a CSV file, the header first, one in memory at a time. Quoting errors and text that is not UTF-8 end it
 * with a failure. `digest()` is that of the bytes, once all rows have been read.
 */
export function readTable(
  file: string,
  bytes: Bytes,
): { rows: AsyncGenerator<Row, Failure | undefined>; digest: () => Digest } {
  const hash = createHash("sha256");
  const source = bytes instanceof Uint8Array ? [bytes] : bytes;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  }
  return { rows: rowsOf(file, hashed()), digest: () => `sha256:${hash.digest("hex")}` as Digest };
}

async function* rowsOf(file: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row, Failure | undefined> {
  // Empty lines are kept here and skipped below: `raw` then holds every character, and lines can be counted.
  const parser = parse({ bom: true, raw: true, relax_column_count: true, max_record_size: MAX_RECORD });
  const input = Readable.from(bytes, { objectMode: false });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  let line = 1;
  try {
    for await (const { raw, record } of parser as AsyncIterable<{ raw: string; record: string[] }>) {
      const start = line;
      line += raw.split("\n").length - 1;
      if (record.length === 1 && record[0] === "") continue;
      const text = (cell: number): string => record[cell] ?? "";
      const number = (cell: number): number => (text(cell).trim() === "" ? Number.NaN : Number(text(cell)));
      yield { cells: record, text, number, at: (cell) => place(file, start, raw, cell) };
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const at = { file, line: Number(error["lines"] ?? line), column: 1 };
    return { code: "predictions-invalid", at, problem: `not a CSV file: ${error.message.split(" at line ")[0]}` };
  } finally {
    input.destroy();
  }
}

/** Finds a cell in the raw text of its row: cells may be quoted and hold commas, quotes and line ends. */
function place(file: string, firstLine: number, raw: string, cell: number): Location {
  let at = 0;
  let quoted = false;
  for (let index = 0, seen = 0; index < raw.length && seen < cell; index++) {
    const character = raw[index];
    if (character === '"') quoted = !quoted;
    else if (character === "," && !quoted) seen++;
    at = index + 1;
  }
  const before = raw
    .slice(0, at)
    .replace(/[\r\n]+$/, "")
    .split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  const text = (raw.split("\n")[before.length - 1] ?? "").replace(/\r$/, "");
  const length = Math.max(1, (/^("(?:[^"]|"")*"|[^,]*)/.exec(text.slice(column - 1))?.[0] ?? "").length);
  const shown = column + length <= SOURCE_SHOWN ? { source: text.slice(0, SOURCE_SHOWN), length } : {};
  return { file, line: firstLine + before.length - 1, column, ...shown };
}
