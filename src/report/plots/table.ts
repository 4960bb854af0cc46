import { parse } from "csv-parse/sync";
import { z } from "zod";
import { parseConfig } from "../../config/index.ts";
import { describe, fail, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";

/** What a plot file holds: rows of cells under column names. */
export interface PlotTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** YAML is read with the place of every value, which is slow; nobody writes long tables in it. */
const YAML_BYTES = 1024 ** 2;
/** Lists of records lie under a name or two, as in `{"roc": [...]}`. */
const DEPTH = 5;
const COLUMNS = 1_000;
export const TABLES = /\.(csv|tsv|json|ya?ml)$/i;

/**
 * The tables of a csv, tsv, json or yaml file: of the last two every list of records in it, in order, as DVC reads
 * them. Without `header` the columns of a csv or tsv are called 0, 1, 2 ... The bytes are hostile.
 */
export function readTables(file: string, bytes: Buffer, header = true): Result<PlotTable[]> {
  const text = bytes.toString("utf8");
  const broken = (problem: string): Result<never> => fail({ code: "external", what: file, problem });
  if (/\.(csv|tsv)$/i.test(file)) {
    try {
      const delimiter = /\.tsv$/i.test(file) ? "\t" : ",";
      const rows: string[][] = parse(text, { bom: true, delimiter, relax_column_count: true, skip_empty_lines: true });
      const columns = header ? rows.shift() : rows[0]?.map((_, index) => String(index));
      return ok([{ columns: (columns ?? []).slice(0, COLUMNS), rows }]);
    } catch (error) {
      return broken(error instanceof Error ? error.message : "not a table");
    }
  }
  if (/\.json$/i.test(file)) {
    try {
      return ok([...lists(JSON.parse(text), DEPTH)]);
    } catch {
      return broken("not valid JSON");
    }
  }
  if (bytes.length > YAML_BYTES) return broken(`a YAML file of more than ${YAML_BYTES} bytes is not drawn`);
  const parsed = parseConfig(file, text, z.unknown());
  return parsed.ok ? ok([...lists(parsed.value.value, DEPTH)]) : broken(describe(parsed.failures[0]));
}

function* lists(value: unknown, depth: number): Generator<PlotTable> {
  if (value === null || typeof value !== "object" || depth === 0) return;
  if (Array.isArray(value) && isRecord(value[0])) {
    const records = value.filter(isRecord);
    const columns = [...new Set(records.slice(0, COLUMNS).flatMap((one) => Object.keys(one)))].slice(0, COLUMNS);
    yield { columns, rows: records.map((one) => columns.map((name) => (Object.hasOwn(one, name) ? one[name] : null))) };
    return;
  }
  for (const inner of Object.values(value).slice(0, COLUMNS)) yield* lists(inner, depth - 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** A cell as a number; NaN where it is none, or none that is finite. */
export function numberOf(cell: unknown): number {
  const value = typeof cell === "number" ? cell : typeof cell === "string" && cell.trim() !== "" ? Number(cell) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

export function wordOf(cell: unknown): string {
  return typeof cell === "string" ? cell : cell === null || cell === undefined ? "" : String(JSON.stringify(cell));
}
