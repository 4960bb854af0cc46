/** Bytes of a page once it is unpacked; what writers make are a few MiB. */
const MOST_PAGE_BYTES = 256 * 1024 ** 2;
/** Values that a run may hold beyond the page's end: packed runs come in groups of eight. */
const PADDING = 512;

const [DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [0, 2, 3];
const [PLAIN_DICTIONARY, RLE, DELTA_BYTE_ARRAY, RLE_DICTIONARY] = [2, 3, 7, 8];

/** What a page says of itself. */
export interface Page {
  /** Unpacked, with the levels of a page of version 2. */
  readonly size: number;
  readonly values: number;
  readonly encoding: number;
  readonly version: 1 | 2 | "dictionary";
}

/** A column of one value a row. */
export interface Flat {
  /** Of the row group. */
  readonly rows: number;
  readonly optional: boolean;
  readonly boolean: boolean;
}

/**
 * Holds the pages of a column chunk against its row group, before a decoder that believes them makes room for what they
 * claim: a few bytes can claim two billion values. Keys are the offsets of what is packed. Throws what is wrong.
 * Format: https://parquet.apache.org/docs/file-format/ (page header: Thrift's compact protocol).
 */
export function pagesOf(chunk: Uint8Array, { rows, optional }: Flat): Map<number, Page> {
  const pages = new Map<number, Page>();
  const reader = { bytes: chunk, at: 0 };
  for (let seen = 0; seen < rows;) {
    if (reader.at >= chunk.length - 1) throw new Error(`a column has ${seen} values, its row group ${rows} rows`);
    const header = struct(reader, 0);
    const [type, size, packed] = [number(header[1]), number(header[2]), number(header[3])];
    const start = reader.at;
    if (size < 0 || size > MOST_PAGE_BYTES) throw new Error(`a page of ${size} bytes`);
    if (packed < 0 || start + packed > chunk.length) throw new Error("a page beyond its column's end");
    reader.at += packed;
    if (type === DICTIONARY_PAGE) {
      const values = number((header[7] as Struct | undefined)?.[1]);
      if (values < 0 || values > size) throw new Error(`a dictionary of ${values} values in ${size} bytes`);
      pages.set(start, { size, values, encoding: 0, version: "dictionary" });
      continue;
    }
    if (type !== DATA_PAGE && type !== DATA_PAGE_V2) throw new Error(`a page of type ${type}`);
    const said = header[type === DATA_PAGE ? 5 : 8] as Struct | undefined;
    const values = number(said?.[1]);
    if (values < 0 || values > rows - seen)
      throw new Error(`a page of ${values} values in a row group of ${rows} rows`);
    seen += values;
    const encoding = number(said?.[type === DATA_PAGE ? 2 : 4]);
    if (encoding === DELTA_BYTE_ARRAY)
      throw new Error("texts as differences to the text before (DELTA_BYTE_ARRAY), which can unpack to any size");
    if (type === DATA_PAGE) {
      pages.set(start, { size, values, encoding, version: 1 });
      continue;
    }
    const [nulls, levels, repeats] = [number(said?.[2]), number(said?.[5]), number(said?.[6])];
    if (number(said?.[3]) !== values) throw new Error("values that are not one for each row");
    if (nulls < 0 || nulls > values || levels < 0 || repeats !== 0 || levels > packed)
      throw new Error("levels that do not fit");
    const unpacked = chunk.subarray(0, start + packed);
    if (optional) checkRuns(unpacked, start, 1, values);
    const page: Page = { size: size - levels, values, encoding, version: 2 };
    pages.set(start + levels, page);
    // Such a page is handed to nobody for unpacking.
    if (said?.[7] === false) checkValues(unpacked, page, start + levels, false);
  }
  return pages;
}

/** Holds an unpacked page against what it said. */
export function checkPage(bytes: Uint8Array, page: Page, { optional, boolean }: Flat): void {
  if (page.version === "dictionary") return;
  let at = 0;
  if (optional && page.version === 1) {
    at = 4 + lengthAt(bytes, 0);
    checkRuns(bytes, 4, 1, page.values);
  }
  checkValues(bytes, page, at, boolean);
}

/** Positions in a dictionary are a width and runs, truths are a length and runs; of one page's bytes, to its end. */
function checkValues(bytes: Uint8Array, { encoding, values, version }: Page, at: number, boolean: boolean): void {
  if (encoding !== RLE && encoding !== PLAIN_DICTIONARY && encoding !== RLE_DICTIONARY) return;
  const truths = version === 1 ? boolean : encoding === RLE;
  const width = truths ? 1 : (bytes[at] ?? 0);
  if (width > 32) throw new Error(`positions of ${width} bits`);
  checkRuns(bytes, truths ? at + 4 : at + 1, width, values);
}

/** Follows runs as the decoder does: until there are enough values, whatever the length before them says. */
function checkRuns(bytes: Uint8Array, from: number, width: number, values: number): void {
  const reader = { bytes, at: from };
  for (let seen = 0; seen < values && reader.at < bytes.length;) {
    const header = varint(reader);
    const count = (header & 1) === 1 ? 8 * (header >>> 1) : header >>> 1;
    if (count > values - seen + PADDING) throw new Error(`a run of ${count} values in a page of ${values}`);
    reader.at += (header & 1) === 1 ? width * (header >>> 1) : (width + 7) >> 3;
    seen += count;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) throw new Error("a page that is too short");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
  if (length > bytes.length) throw new Error("levels beyond the page's end");
  return length;
}

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

interface Struct {
  readonly [field: number]: number | boolean | Struct | undefined;
}

/** The decoder would go on with what is not there. */
function number(value: Struct[number]): number {
  if (typeof value !== "number") throw new Error("a page header that does not say what it must");
  return value;
}

/** Whole numbers, booleans and structs of a struct; what else it holds is passed over. */
function struct(reader: Reader, depth: number): Struct {
  if (depth > 8) throw new Error("a page header that goes too deep");
  const found: Record<number, number | boolean | Struct> = {};
  for (let field = 0; ;) {
    const head = byte(reader);
    const type = head & 15;
    if (type === 0) return found;
    field = head >> 4 === 0 ? zigzag(reader) : field + (head >> 4);
    if (type === 1 || type === 2) found[field] = type === 1;
    else if (type === 3) reader.at++;
    else if (type === 4 || type === 5 || type === 6) found[field] = zigzag(reader);
    else if (type === 7) reader.at += 8;
    else if (type === 8) reader.at += varint(reader);
    else if (type === 12) found[field] = struct(reader, depth + 1);
    else throw new Error(`a page header with a field of type ${type}`);
  }
}

function byte(reader: Reader): number {
  const value = reader.bytes[reader.at++];
  if (value === undefined) throw new Error("a page that ends too early");
  return value;
}

/** Modulo 2^32, as the decoder reads it. */
function varint(reader: Reader): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const next = byte(reader);
    value |= (next & 127) << shift;
    if (next < 128) return value >>> 0;
  }
}

function zigzag(reader: Reader): number {
  const value = varint(reader);
  return (value >>> 1) ^ -(value & 1);
}
