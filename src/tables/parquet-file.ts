import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compressors, FileMetaData } from "hyparquet";
import { checkPage, pagesOf } from "./parquet-pages.ts";
import type { Flat, Page } from "./parquet-pages.ts";
import { MOST_BYTES } from "./texts.ts";

export interface ParquetFile {
  readonly titles: readonly string[];
  readonly rows: number;
  /**
   * Values of columns, a range of rows at a time. Columns of lists and structs are `nested` and cannot be read where
   * the file is not trusted.
   */
  batches(titles: readonly string[]): AsyncGenerator<readonly ArrayLike<unknown>[]>;
  nested(title: string): boolean;
}

/** Bytes that can be read in any order. */
export interface RandomAccess {
  readonly byteLength: number;
  /** A copy. */
  slice(start: number, end?: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Rows that are unpacked at once. */
const BATCH = 262_144;
/** Codec under which every page comes by here. */
const CHECKED = "CHECKED";

/**
 * Opens a Parquet file by its footer. What it says of sizes is believed only of a trusted file; of any other each page
 * is held against its row group first. Throws what is wrong, as the library does: the bytes are the only input.
 */
export async function openParquet(
  bytes: Uint8Array | RandomAccess,
  { trusted }: { readonly trusted: boolean },
): Promise<ParquetFile> {
  const { parquetMetadataAsync, parquetScan, parquetSchema, snappyUncompress } = await import("hyparquet");
  const unpack: Record<string, (input: Uint8Array, size: number) => Uint8Array> = {
    UNCOMPRESSED: (input) => input,
    GZIP: (input, size) => gunzipSync(input, { maxOutputLength: Math.max(1, size) }),
    BROTLI: (input, size) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
    ZSTD: (input, size) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
    SNAPPY(input, size) {
      const output = new Uint8Array(size);
      snappyUncompress(input, output);
      return output;
    },
  };
  let chunk: { readonly flat: Flat; readonly codec: string; pages: Map<number, Page> } | undefined;
  const file = {
    byteLength: bytes.byteLength,
    async slice(start: number, end?: number): Promise<ArrayBuffer> {
      const part =
        bytes instanceof Uint8Array
          ? new Uint8Array(bytes.subarray(start, end)) // of a Buffer, `slice` would be no copy
          : await bytes.slice(start, end);
      if (chunk !== undefined) chunk.pages = pagesOf(part, chunk.flat);
      return part.buffer;
    },
  };
  const checked = (input: Uint8Array, size: number): Uint8Array => {
    const page = chunk?.pages.get(input.byteOffset);
    if (chunk === undefined || page === undefined || page.size !== size)
      throw new Error("a page that is not where it was");
    const unpacked = unpack[chunk.codec];
    if (unpacked === undefined) throw new Error(`compressed with ${chunk.codec}, which is not supported`);
    const output = unpacked(input, size);
    checkPage(output, page, chunk.flat);
    return output;
  };
  const metadata = await parquetMetadataAsync(file, { geoparquet: false });
  const columns = new Map(parquetSchema(metadata).children.map((child) => [child.element.name, child] as const));
  const groups = groupsOf(metadata, trusted);
  const codecs = groups.map(({ columns: all }) => new Map(all.map((one) => [one.path, one.codec] as const)));
  const scan = await parquetScan({
    file,
    metadata,
    useOffsetIndex: false,
    compressors: (trusted ? unpack : { [CHECKED]: checked }) as Compressors,
  });
  const nested = (title: string): boolean => {
    const column = columns.get(title);
    return column === undefined || column.children.length > 0 || column.element.repetition_type === "REPEATED";
  };
  return {
    titles: [...columns.keys()],
    rows: groups.reduce((sum, { rows }) => sum + rows, 0),
    nested,
    async *batches(titles) {
      let start = 0;
      for (const [index, { rows }] of groups.entries()) {
        for (let from = 0; from < rows; from += BATCH) {
          const [rowStart, rowEnd] = [start + from, start + Math.min(rows, from + BATCH)];
          const batch: ArrayLike<unknown>[] = [];
          for (const column of titles) {
            if (!trusted) {
              const { repetition_type: repetition, type } = columns.get(column)!.element;
              const flat = { rows, optional: repetition === "OPTIONAL", boolean: type === "BOOLEAN" };
              chunk = { flat, codec: codecs[index]?.get(column) ?? "", pages: new Map() };
            }
            // oxlint-disable-next-line no-await-in-loop -- one column at a time is in memory unpacked
            const values = (await scan.readColumn({ column, rowStart, rowEnd })) as ArrayLike<unknown>;
            if (values.length !== rowEnd - rowStart) throw new Error(`column "${column}" has too few values`);
            batch.push(values);
          }
          yield batch;
        }
        start += rows;
      }
    },
  };
}

interface Group {
  readonly rows: number;
  /** Nested ones without a path. */
  readonly columns: readonly { readonly path: string | undefined; readonly codec: string }[];
}

/** Row groups with the codecs of their columns, which are changed to one that comes by the check. */
function groupsOf(metadata: FileMetaData, trusted: boolean): Group[] {
  let unpacked = 0;
  return metadata.row_groups.map((group) => {
    const rows = Number(group.num_rows);
    if (!Number.isSafeInteger(rows) || rows < 0) throw new Error(`a row group of ${rows} rows`);
    const columns = group.columns.map(({ meta_data: meta }) => {
      if (meta === undefined) throw new Error("a column that says nothing of itself");
      const [path = "", ...deeper] = meta.path_in_schema;
      const one = { path: deeper.length === 0 ? path : undefined, codec: meta.codec as string };
      unpacked += Number(meta.total_uncompressed_size);
      if (!trusted) meta.codec = CHECKED as typeof meta.codec;
      return one;
    });
    if (unpacked > MOST_BYTES && !trusted) throw new Error("more than 4 GiB once it is unpacked");
    return { rows, columns };
  });
}
