import type { Location } from "../core/index.ts";
import { decimal } from "./decimal.ts";
import { eachBlock, notUtf8, placeIn } from "./lines.ts";
import { MOST_ROW_BYTES, MOST_ROWS } from "./table.ts";
import type { Row, Sink, Unreadable } from "./table.ts";
import type { TextTable } from "./texts.ts";

const [QUOTE, LINE_FEED, RETURN] = [34, 10, 13];

/**
 * RFC 4180 by bytes, with any delimiter of one byte and either line end; empty lines are none. It works on the file's
 * bytes and makes a text of a cell only when it is asked for one: 10 million rows are read in seconds.
 */
export async function readCsv(
  delimiter: "," | "\t",
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
): Promise<Unreadable | undefined> {
  const row = new CsvRow(file, delimiter);
  let wanted: number | undefined;
  let unreadable: Unreadable | undefined;
  let rows = 0;
  let line = 1;
  const stop = (problem: string, at = line): undefined => {
    unreadable = { at: { file, line: at, column: 1 }, problem };
  };
  const ended = await eachBlock(bytes, MOST_ROW_BYTES, ({ bytes: block, last }) => {
    const foreign = notUtf8(block);
    if (foreign !== undefined) return stop("not UTF-8", line + foreign);
    let from = 0;
    while (from < block.length) {
      const end = row.scan(block, from, line, last);
      if (end === undefined) break;
      if (typeof end === "string") return stop(`not a CSV file: ${end}`, row.lastLine);
      if (end - from > MOST_ROW_BYTES + 2) return stop(`not a CSV file: a row of more than ${MOST_ROW_BYTES} bytes`);
      from = end;
      line = row.lastLine + 1;
      if (row.isEmpty) continue;
      if (wanted === undefined) {
        const [titles, at] = [row.texts(), row.places()];
        if (sink.header({ titles, unit: "line", at }) === undefined) return undefined;
        wanted = titles.length;
      } else if (row.cells !== wanted)
        sink.broken(row.at(row.cells), `this row has ${row.cells} cells, the header ${wanted}`);
      else if (++rows > MOST_ROWS) return stop(`more than ${MOST_ROWS} rows`);
      else sink.row(row);
    }
    return from;
  });
  if (ended === "too-long") stop(`not a CSV file: a row of more than ${MOST_ROW_BYTES} bytes`);
  return unreadable;
}

class CsvRow implements Row {
  number = 1;
  lastLine = 1;
  cells = 0;
  readonly #file: string;
  readonly #delimiter: string;
  readonly #byte: number;
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  #starts: Int32Array = new Int32Array(64);
  #ends: Int32Array = new Int32Array(64);
  /** 1: the cell holds quotes, each written as two. */
  #quotes = new Uint8Array(64);

  constructor(file: string, delimiter: string) {
    this.#file = file;
    this.#delimiter = delimiter;
    this.#byte = delimiter.charCodeAt(0);
  }

  get isEmpty(): boolean {
    return this.cells === 1 && this.#starts[0] === this.#ends[0];
  }

  /** Reads the row that starts at `from`: where the next one starts, undefined when this one goes on, or what is wrong. */
  scan(bytes: Buffer, from: number, line: number, last: boolean): number | string | undefined {
    this.#bytes = bytes;
    this.#from = from;
    this.number = line;
    this.lastLine = line;
    this.cells = 0;
    const { length } = bytes;
    for (let at = from; ;) {
      let end = at;
      if (bytes[at] === QUOTE) {
        const close = this.#closing(at + 1);
        if (close === -1) return last ? "a quote is never closed" : undefined;
        this.#cell(at + 1, close, this.#doubled);
        end = close + 1;
        if (bytes[end] === RETURN && (bytes[end + 1] === LINE_FEED || end + 1 === length)) end++;
        if (end < length && bytes[end] !== this.#byte && bytes[end] !== LINE_FEED) return "text after a closing quote";
      } else {
        for (; end < length; end++) {
          const byte = bytes[end];
          if (byte === this.#byte || byte === LINE_FEED) break;
          if (byte === QUOTE) return "a quote inside of a cell that does not start with one";
        }
        const carried = end > at && bytes[end - 1] === RETURN && bytes[end] !== this.#byte;
        this.#cell(at, carried ? end - 1 : end, 0);
      }
      if (end < length && bytes[end] === this.#byte) {
        at = end + 1;
        continue;
      }
      this.#to = end;
      return Math.min(length, end + 1);
    }
  }

  text(cell: number): string {
    const text = this.#bytes.toString("utf8", this.#starts[cell], this.#ends[cell]);
    return this.#quotes[cell] === 1 ? text.replaceAll('""', '"') : text;
  }

  value(cell: number): number {
    return decimal(this.#bytes, this.#starts[cell] as number, this.#ends[cell] as number);
  }

  code(cell: number, table: TextTable): number {
    if (this.#quotes[cell] === 1) return table.addText(this.text(cell));
    return table.add(this.#bytes, this.#starts[cell] as number, this.#ends[cell] as number);
  }

  texts(): string[] {
    return Array.from({ length: this.cells }, (_, cell) => this.text(cell));
  }

  at(cell: number): Location {
    return place(this.#file, this.number, this.#text(), this.#delimiter, cell);
  }

  /** As `at`, for later. */
  places(): (cell: number) => Location {
    const [line, text] = [this.number, this.#text()];
    return (cell) => place(this.#file, line, text, this.#delimiter, cell);
  }

  #text(): string {
    return this.#bytes.toString("utf8", this.#from, this.#to);
  }

  #doubled: 0 | 1 = 0;

  /** Where the quote stands that closes the cell; -1: not in these bytes. */
  #closing(from: number): number {
    this.#doubled = 0;
    for (let at = from; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at];
      if (byte === LINE_FEED) this.lastLine++;
      if (byte !== QUOTE) continue;
      if (this.#bytes[at + 1] !== QUOTE) return at;
      this.#doubled = 1;
      at++;
    }
    return -1;
  }

  #cell(start: number, end: number, quotes: 0 | 1): void {
    if (this.cells === this.#starts.length) {
      const wider = (old: Int32Array): Int32Array => {
        const values = new Int32Array(2 * old.length);
        values.set(old);
        return values;
      };
      const flags = new Uint8Array(2 * this.cells);
      flags.set(this.#quotes);
      [this.#starts, this.#ends, this.#quotes] = [wider(this.#starts), wider(this.#ends), flags];
    }
    this.#starts[this.cells] = start;
    this.#ends[this.cells] = end;
    this.#quotes[this.cells++] = quotes;
  }
}

/** Finds a cell in the raw text of its row: cells may be quoted and hold delimiters, quotes and line ends. */
function place(file: string, firstLine: number, raw: string, delimiter: string, cell: number): Location {
  let at = 0;
  let quoted = false;
  for (let index = 0, seen = 0; index < raw.length && seen < cell; index++) {
    const character = raw[index];
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) seen++;
    at = index + 1;
  }
  const before = raw.slice(0, at).replace(/\r$/, "").split("\n");
  const from = (before.at(-1) ?? "").length;
  const text = (raw.split("\n")[before.length - 1] ?? "").replace(/\r$/, "");
  const rest = text.slice(from);
  const length = rest.startsWith('"') ? /^("(?:[^"]|"")*"|.*)/.exec(rest)?.[0].length : rest.indexOf(delimiter);
  const to = length === undefined || length === -1 ? text.length : from + length;
  return placeIn(text, file, firstLine + before.length - 1, from, to);
}
