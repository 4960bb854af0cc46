import type { Location } from "../core/index.ts";
import { decimalOf } from "./decimal.ts";
import { eachBlock, notUtf8, placeIn } from "./lines.ts";
import { MOST_ROW_BYTES, MOST_ROWS } from "./table.ts";
import type { Row, Sink, Unreadable } from "./table.ts";
import type { TextTable } from "./texts.ts";

const LINE_FEED = 10;

/** One object a line, whose keys are those of the first one; keys that come later are left alone, empty lines are none. */
export async function readJsonLines(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
): Promise<Unreadable | undefined> {
  let row: JsonRow | undefined;
  let unreadable: Unreadable | undefined;
  let rows = 0;
  let line = 0;
  const stop = (problem: string, at = line): undefined => {
    unreadable = { at: { file, line: at, column: 1 }, problem };
  };
  const ended = await eachBlock(bytes, MOST_ROW_BYTES, ({ bytes: block }) => {
    const foreign = notUtf8(block);
    if (foreign !== undefined) return stop("not UTF-8", line + foreign + 1);
    for (let from = 0, end = 0; from < block.length; from = end + 1) {
      end = block.indexOf(LINE_FEED, from);
      if (end === -1) end = block.length;
      line++;
      if (end - from > MOST_ROW_BYTES) return stop(`a line of more than ${MOST_ROW_BYTES} bytes`);
      const text = block.toString("utf8", from, end);
      if (text.trim() === "") continue;
      const value = parse(file, text, line, sink);
      if (value === undefined) continue;
      if (row === undefined) {
        const titles = Object.keys(value);
        const members = membersOf(text);
        const at = (cell: number): Location => placeOf(file, text, line, members, titles[cell]);
        const wanted = sink.header({ titles, unit: "line", at });
        if (wanted === undefined) return undefined;
        row = new JsonRow(file, titles, wanted);
      }
      if (++rows > MOST_ROWS) return stop(`more than ${MOST_ROWS} rows`);
      if (row.take(value, text, line, sink)) sink.row(row);
    }
    return block.length;
  });
  if (ended === "too-long") stop(`a line of more than ${MOST_ROW_BYTES} bytes`, line + 1);
  return unreadable;
}

type Members = Readonly<Record<string, unknown>>;

function parse(file: string, text: string, line: number, sink: Sink): Members | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    const problem = message.replace(/ in JSON at position .*| \(line .*$/s, "").replace(/, (\.{3})?".*$/s, "");
    sink.broken(placeIn(text, file, line, at, at), `not JSON: ${problem}`);
    return undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  sink.broken(placeIn(text, file, line, 0, text.length), "the line is no object");
  return undefined;
}

class JsonRow implements Row {
  number = 0;
  readonly #file: string;
  readonly #titles: readonly string[];
  readonly #wanted: readonly number[];
  #values: Members = {};
  #text = "";

  constructor(file: string, titles: readonly string[], wanted: readonly number[]) {
    this.#file = file;
    this.#titles = titles;
    this.#wanted = wanted;
  }

  /** False where the row has been told to be broken. */
  take(values: Members, text: string, line: number, sink: Sink): boolean {
    [this.#values, this.#text, this.number] = [values, text, line];
    if (colons(text).length / 2 !== Object.keys(values).length) {
      const members = membersOf(text);
      const twice = members.find(({ key }, index) => members.findIndex((other) => other.key === key) < index);
      if (twice !== undefined) {
        sink.broken(
          placeIn(text, this.#file, line, twice.at, twice.from),
          `the key ${quote(twice.key)} is there twice`,
        );
        return false;
      }
    }
    for (const cell of this.#wanted) {
      const title = this.#titles[cell] as string;
      const value = Object.hasOwn(values, title) ? values[title] : undefined;
      if (value === null || (value !== undefined && typeof value !== "object")) continue;
      const what = value === undefined ? "is missing" : `holds ${Array.isArray(value) ? "a list" : "an object"}`;
      sink.broken(this.at(cell), `${quote(title)} ${what}`);
      return false;
    }
    return true;
  }

  text(cell: number): string {
    const value = this.#values[this.#titles[cell] as string];
    if (typeof value === "string") return value;
    if (value === null || value === undefined) return "";
    // A number that a double does not hold is another number once it is written again.
    if (typeof value === "number" && !Number.isSafeInteger(value)) return this.#spelled(cell);
    return String(value as number | boolean);
  }

  value(cell: number): number {
    const value = this.#values[this.#titles[cell] as string];
    return typeof value === "number" ? value : typeof value === "string" ? decimalOf(value) : Number.NaN;
  }

  code(cell: number, table: TextTable): number {
    return table.addText(this.text(cell));
  }

  at(cell: number): Location {
    return placeOf(this.#file, this.#text, this.number, membersOf(this.#text), this.#titles[cell]);
  }

  #spelled(cell: number): string {
    const member = membersOf(this.#text).find(({ key }) => key === this.#titles[cell]);
    return member === undefined ? "" : this.#text.slice(member.from, member.to);
  }
}

function placeOf(
  file: string,
  text: string,
  line: number,
  members: readonly Member[],
  title: string | undefined,
): Location {
  const member = members.find(({ key }) => key === title);
  const end = text.trimEnd().length;
  return placeIn(text.trimEnd(), file, line, member?.from ?? end, member?.to ?? end);
}

interface Member {
  readonly key: string;
  /** Where the key starts. */
  readonly at: number;
  /** Where the value starts and ends. */
  readonly from: number;
  readonly to: number;
}

/** The members of an object as they stand in its text, which is known to be JSON; duplicates too. */
function membersOf(text: string): Member[] {
  const found: Member[] = [];
  const marks = colons(text);
  for (let index = 0, start = text.indexOf("{") + 1; index < marks.length; index += 2) {
    const [colon, end] = [marks[index] as number, marks[index + 1] as number];
    const [name, value] = [text.slice(start, colon), text.slice(colon + 1, end)];
    const from = colon + 1 + value.length - value.trimStart().length;
    const at = start + name.length - name.trimStart().length;
    found.push({ key: JSON.parse(name) as string, at, from, to: from + value.trim().length });
    start = end + 1;
  }
  return found;
}

/** Of each member of the outermost object, the positions of its colon and of its end. */
function colons(text: string): number[] {
  const found: number[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 34: // a string
        for (at++; text.charCodeAt(at) !== 34; at++) if (text.charCodeAt(at) === 92) at++;
        break;
      case 123:
      case 91:
        depth++;
        break;
      case 93:
        depth--;
        break;
      case 125:
        if (--depth === 0 && found.length > 0) found.push(at);
        break;
      case 58:
        if (depth === 1) found.push(at);
        break;
      case 44:
        if (depth === 1) found.push(at);
        break;
      default:
    }
  }
  return found;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
