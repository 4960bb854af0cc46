import type { Location } from "../../core/index.ts";

/** Bytes read as a value, or a value written as bytes; else what is wrong with them. */
export type Coded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly hint?: string; readonly at?: Location };

export function coded<T>(value: T): Coded<T> {
  return { ok: true, value };
}

export function wrong(problem: string, more: { readonly hint?: string; readonly at?: Location } = {}): Coded<never> {
  return { ok: false, problem, ...more };
}

/** What a value is, in a sentence. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  if (typeof value === "object") {
    const { name = "" } = (value as { constructor?: { name?: string } }).constructor ?? {};
    return name === "" || name === "Object" ? "an object" : `a ${name}`;
  }
  if (typeof value === "string") return "a text";
  return typeof value === "number" || typeof value === "bigint" ? `the number ${value}` : `a ${typeof value}`;
}

/** The rows of a table: objects that all have the columns of the first one. */
export function tableOf(
  value: unknown,
): Coded<{ columns: readonly string[]; rows: readonly Readonly<Record<string, unknown>>[] }> {
  if (!Array.isArray(value)) return wrong(`is ${kindOf(value)}; a table is a list of objects`);
  const rows = value as readonly Readonly<Record<string, unknown>>[];
  const columns = isRow(rows[0]) ? Object.keys(rows[0]) : [];
  for (const [at, row] of rows.entries()) {
    if (!isRow(row)) return wrong(`has ${kindOf(row)} as row ${at + 1}; a row is an object`);
    const lost = columns.find((column) => !Object.hasOwn(row, column));
    if (lost !== undefined) return wrong(`has no "${lost}" in row ${at + 1}, which the first row has`);
    const extra = Object.keys(row).find((column) => !Object.hasOwn(rows[0]!, column));
    if (extra !== undefined) return wrong(`has "${extra}" in row ${at + 1}, which the first row has not`);
  }
  if (rows.length > 0 && columns.length === 0) return wrong("has rows without columns");
  return coded({ columns, rows });
}

function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
