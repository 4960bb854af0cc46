export { openParquet } from "./parquet-file.ts";
export type { ParquetFile } from "./parquet-file.ts";
export { readTable } from "./table.ts";
export type { Bytes, Header, KnownFile, Row, Sink, Unreadable } from "./table.ts";
export { MOST_BYTES, Texts, TextTable } from "./texts.ts";
export { codes, flags, floats, lines } from "./growing.ts";
export type { Growing } from "./growing.ts";
