export { openParquet } from "./parquet-file.ts";
export type { ParquetFile } from "./parquet-file.ts";
export { readTable } from "./table.ts";
export type { Bytes, Header, Row, Sink, Unreadable } from "./table.ts";
export { Texts, TextTable } from "./texts.ts";
