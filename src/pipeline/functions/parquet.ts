import { openParquet } from "../../tables/index.ts";
import { coded, kindOf, tableOf, wrong } from "./coded.ts";
import type { Coded } from "./coded.ts";

/** Rows as the file's types say; whole numbers that a double holds are numbers, larger ones bigint. */
export async function readParquet(bytes: Buffer): Promise<Coded<Record<string, unknown>[]>> {
  try {
    const table = await openParquet(bytes, { trusted: true });
    const { titles } = table;
    const rows: Record<string, unknown>[] = [];
    for await (const batch of table.batches(titles)) {
      const { length } = batch[0] ?? [];
      for (let row = 0; row < length; row++)
        rows.push(Object.fromEntries(titles.map((title, column) => [title, small(batch[column]?.[row])])));
    }
    return coded(rows);
  } catch (error) {
    // The bytes are the library's only input.
    return wrong(`cannot be read as Parquet: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A column has one type: text, boolean, Date, whole numbers (64 bit) or numbers; null and undefined are nulls. */
export async function writeParquet(value: unknown): Promise<Coded<Buffer>> {
  const table = tableOf(value);
  if (!table.ok) return table;
  const { columns, rows } = table.value;
  if (rows.length === 0) return wrong("has no rows, and a Parquet file needs its columns");
  const columnData: { name: string; data: unknown[]; type: "STRING" | "BOOLEAN" | "TIMESTAMP" | "INT64" | "DOUBLE" }[] =
    [];
  for (const name of columns) {
    const values = rows.map((row) => row[name] ?? null);
    const there = values.filter((item) => item !== null);
    const type = typeOf(there);
    if (type === undefined) {
      const kinds = [...new Set(there.map(kindOf))].slice(0, 2).join(" and ");
      return wrong(`has ${kinds} in column "${name}"`, {
        hint: "a column of a Parquet file holds texts, booleans, Dates or numbers, one kind of them",
      });
    }
    columnData.push({ name, type, data: type === "INT64" ? values.map(toBigInt) : values });
  }
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  return coded(Buffer.from(parquetWriteBuffer({ columnData, createdBy: "lockstep" })));
}

function typeOf(values: readonly unknown[]): "STRING" | "BOOLEAN" | "TIMESTAMP" | "INT64" | "DOUBLE" | undefined {
  if (values.every((value) => typeof value === "string")) return "STRING";
  if (values.every((value) => typeof value === "boolean")) return "BOOLEAN";
  if (values.every((value) => value instanceof Date)) return "TIMESTAMP";
  if (values.every((value) => typeof value === "bigint" || Number.isSafeInteger(value))) return "INT64";
  return values.every((value) => typeof value === "number") ? "DOUBLE" : undefined;
}

function toBigInt(value: unknown): bigint | null {
  return value === null ? null : BigInt(value as number | bigint);
}

function small(value: unknown): unknown {
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
