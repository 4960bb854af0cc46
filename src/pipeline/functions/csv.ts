import { isUtf8 } from "node:buffer";
import { CsvError } from "csv-parse";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import type { Location } from "../../core/index.ts";
import { coded, kindOf, tableOf, wrong } from "./coded.ts";
import type { Coded } from "./coded.ts";

type Row = Record<string, string>;

/** Rows by the names of the header. Every cell is a text: what it means, the function knows and a guess would not. */
export function readCsv(file: string, bytes: Buffer): Coded<Row[]> {
  if (!isUtf8(bytes)) return wrong("is not UTF-8", { at: { file, line: 1, column: 1 } });
  const text = bytes.toString("utf8");
  const shape = { bom: true, skip_empty_lines: true };
  try {
    const [header = [], ...rows] = parse(text, shape);
    const twice = header.find((name, at) => header.indexOf(name) < at);
    if (twice !== undefined) return wrong(`has the column "${twice}" twice`, { at: lineAt(file, text, 1) });
    return coded(rows.map((cells) => Object.fromEntries(header.map((name, at) => [name, cells[at]!]))));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines = 1, record } = error as CsvError & { lines?: number; record?: readonly string[] };
    const at = lineAt(file, text, lines);
    if (error.code !== "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH" || record === undefined)
      return wrong(`is not CSV: ${error.message.split(" at line ")[0]}`, { at });
    const [header = []] = parse(text, { ...shape, to: 1 });
    return wrong(`has ${record.length} cells in a row, and the header has ${header.length}`, { at });
  }
}

/** Texts, numbers, booleans; null and undefined are empty cells. No rows: no header either. */
export function writeCsv(value: unknown): Coded<Buffer> {
  const table = tableOf(value);
  if (!table.ok) return table;
  const { columns, rows } = table.value;
  const lines: string[][] = [[...columns]];
  for (const [at, row] of rows.entries()) {
    const cells: string[] = [];
    for (const column of columns) {
      const cell = cellOf(row[column]);
      if (cell === undefined)
        return wrong(`has ${kindOf(row[column])} in row ${at + 1}, column "${column}"`, {
          hint: "a cell of a CSV file is a text, a finite number, a boolean or null",
        });
      cells.push(cell);
    }
    lines.push(cells);
  }
  // An empty cell alone on its line would be no line.
  return coded(Buffer.from(rows.length === 0 ? "" : stringify(lines, { quoted_empty: columns.length === 1 })));
}

function cellOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}

function lineAt(file: string, text: string, line: number): Location {
  const source = text.split("\n")[line - 1]?.replace(/\r$/, "").slice(0, 160);
  return { file, line, column: 1, ...(source ? { source, length: source.length } : {}) };
}
