import type { DataFormat } from "../../config/index.ts";
import { coded, kindOf, wrong } from "./coded.ts";
import type { Coded } from "./coded.ts";

interface Format {
  /** @param file name to show, as a path of the repository */
  readonly read: (file: string, bytes: Buffer) => Promise<Coded<unknown>>;
  readonly write: (value: unknown) => Promise<Coded<Uint8Array>>;
}

/** How a function's files are read and written (`files` is a folder). What a format needs is loaded with its first file. */
export const FORMATS: Readonly<Record<Exclude<DataFormat, "files">, Format>> = {
  csv: {
    read: async (file, bytes) => (await import("./csv.ts")).readCsv(file, bytes),
    write: async (value) => (await import("./csv.ts")).writeCsv(value),
  },
  json: {
    read: async (file, bytes) => (await import("./json.ts")).readJson(file, bytes),
    write: async (value) => (await import("./json.ts")).writeJson(value),
  },
  jsonl: {
    read: async (file, bytes) => (await import("./json.ts")).readJsonLines(file, bytes),
    write: async (value) => (await import("./json.ts")).writeJsonLines(value),
  },
  parquet: {
    read: async (_, bytes) => (await import("./parquet.ts")).readParquet(bytes),
    write: async (value) => (await import("./parquet.ts")).writeParquet(value),
  },
  text: {
    read: async (_, bytes) => coded(bytes.toString("utf8")),
    write: async (value) =>
      typeof value === "string" ? coded(Buffer.from(value)) : wrong(`is ${kindOf(value)}, not a text`),
  },
  bytes: {
    read: async (_, bytes) => coded(bytes),
    write: async (value) => (value instanceof Uint8Array ? coded(value) : wrong(`is ${kindOf(value)}, not bytes`)),
  },
};
