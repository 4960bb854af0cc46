import { canonicalJson, fail, isDigest, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { DIGEST_BYTES, DigestTable, digestAt, digestBytes } from "./digest-table.ts";

/** Where a part lies: in a pack from an offset on, or (without a pack) as a blob of its own. */
export interface Place {
  readonly pack?: Digest;
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

const MAGIC = "lockstep-layout/1\n";
const PART = DIGEST_BYTES + 12;
const FILE = DIGEST_BYTES + 12;
const LOOSE = 0xffff_ffff;
/** A manifest's limits, for the same reason: enough for any folder, too little to fill a memory. */
export const LAYOUT_LIMITS = { bytes: 512 * 1024 * 1024, header: 64 * 1024 * 1024, parts: 2 ** 21 };

interface Header {
  readonly layoutVersion: 1;
  readonly packs: readonly Digest[];
  readonly parts: number;
  readonly files: number;
}

/**
 * Where a store keeps the parts of one root (a tree or a large file). It is a hint, not the content: what is read by it
 * is verified by the part's own digest. The bytes are kept as they are read; nothing is made for a part until it is
 * asked for. `docs/store.md` has the format.
 */
export class Layout {
  readonly packs: readonly Digest[];
  /** How many parts it places. */
  readonly size: number;
  readonly #parts: Buffer;
  readonly #chunks: ReadonlyMap<Digest, { readonly size: number; readonly parts: readonly number[] }>;

  private constructor(packs: readonly Digest[], parts: Buffer, chunks: Layout["chunked"]) {
    this.packs = packs;
    this.size = parts.length / PART;
    this.#parts = parts;
    this.#chunks = chunks;
  }

  /** Reads a layout, which may come from anyone: lengths, order, packs and chunk lists are held before it is used. */
  static parse(root: Digest, bytes: Buffer): Result<Layout> {
    const refuse = (problem: string): Result<never> =>
      fail({ code: "tree-invalid", tree: `layout of ${root}`, problem });
    if (bytes.length > LAYOUT_LIMITS.bytes) return refuse(`it has ${bytes.length} bytes`);
    if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return refuse("it is not a layout of version 1");
    const end = bytes.indexOf(0x0a, MAGIC.length);
    if (end === -1 || end > LAYOUT_LIMITS.header) return refuse("it has no header");
    const header = headerOf(bytes.toString("utf8", MAGIC.length, end));
    if (header === undefined) return refuse("its header is wrong");
    const from = end + 1;
    const parts = bytes.subarray(from, from + header.parts * PART);
    if (parts.length !== header.parts * PART) return refuse("it is cut short");
    const problem = problemOfParts(parts, header.packs.length);
    if (problem !== undefined) return refuse(problem);
    const chunks = chunksOf(parts, bytes.subarray(from + parts.length), header.files);
    return typeof chunks === "string" ? refuse(chunks) : ok(new Layout(header.packs, parts, chunks));
  }

  /** The large files and the parts (by number, in order) that make each. */
  get chunked(): ReadonlyMap<Digest, { readonly size: number; readonly parts: readonly number[] }> {
    return this.#chunks;
  }

  /** The digests of the parts that make a large file, in order; undefined: it is no large file of this layout. */
  chunksOf(file: Digest): Digest[] | undefined {
    return this.#chunks.get(file)?.parts.map((number) => this.partAt(number).digest);
  }

  /** Where the part with these 32 bytes as its digest lies; undefined: this layout does not place it. */
  find(digest: Digest): Place | undefined {
    return this.findBytes(digestBytes(digest), 0);
  }

  findBytes(bytes: Buffer, at: number): Place | undefined {
    let low = 0;
    let high = this.size - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const start = middle * PART;
      const order = this.#parts.compare(bytes, at, at + DIGEST_BYTES, start, start + DIGEST_BYTES);
      if (order === 0) return this.#placeAt(start + DIGEST_BYTES);
      if (order > 0) high = middle - 1;
      else low = middle + 1;
    }
    return undefined;
  }

  partAt(number: number): { digest: Digest; place: Place } {
    return { digest: digestAt(this.#parts, number * PART), place: this.#placeAt(number * PART + DIGEST_BYTES) };
  }

  /** Parts that are blobs of their own. */
  get loose(): Digest[] {
    const digests: Digest[] = [];
    for (let start = 0; start < this.#parts.length; start += PART) {
      if (this.#parts.readUInt32BE(start + DIGEST_BYTES) === LOOSE) digests.push(digestAt(this.#parts, start));
    }
    return digests;
  }

  *parts(): Iterable<{ digest: Digest; place: Place }> {
    for (let number = 0; number < this.size; number++) yield this.partAt(number);
  }

  #placeAt(at: number): Place {
    const pack = this.#parts.readUInt32BE(at);
    const place = { offset: this.#parts.readUInt32BE(at + 4), length: this.#parts.readUInt32BE(at + 8) };
    return pack === LOOSE ? place : { ...place, pack: this.packs[pack]! };
  }
}

/** Collects places and writes them as a layout: one spelling for the same places, whatever order they came in. */
export class LayoutBuilder {
  readonly #parts = new DigestTable();
  /** Pack (by number in `#packs`), offset and length of each part. */
  #places = new Uint32Array(3 * 64);
  readonly #packs = new Map<Digest, number>();
  readonly #files = new Map<Digest, { size: number; parts: number[] }>();

  has(bytes: Buffer, at: number): boolean {
    return this.#parts.find(bytes, at) !== -1;
  }

  /** Places a part; the first place of a part stays. */
  add(bytes: Buffer, at: number, place: Place): number {
    const before = this.#parts.size;
    const number = this.#parts.add(bytes, at);
    if (number < before) return number;
    if (3 * (number + 1) > this.#places.length) {
      const larger = new Uint32Array(this.#places.length * 2);
      larger.set(this.#places);
      this.#places = larger;
    }
    let pack = LOOSE;
    if (place.pack !== undefined) {
      pack = this.#packs.get(place.pack) ?? this.#packs.size;
      this.#packs.set(place.pack, pack);
    }
    this.#places[3 * number] = pack;
    this.#places[3 * number + 1] = place.offset;
    this.#places[3 * number + 2] = place.length;
    return number;
  }

  /** Says that a large file is these parts, in order, which are placed already. */
  addChunked(file: Digest, size: number, chunks: readonly Digest[]): void {
    const parts = chunks.map((chunk) => this.#parts.find(digestBytes(chunk), 0));
    this.#files.set(file, { size, parts });
  }

  /** Takes over all that a layout says; places that are known stay. */
  takeAll(from: Layout): void {
    for (const { digest, place } of from.parts()) this.add(digestBytes(digest), 0, place);
    for (const [file, { size }] of from.chunked) this.addChunked(file, size, from.chunksOf(file)!);
  }

  get isEmpty(): boolean {
    return this.#parts.size === 0;
  }

  /** Digests of the packs in use. */
  get packs(): Digest[] {
    return [...this.#packs.keys()];
  }

  encode(): Buffer {
    const packs = [...this.#packs.keys()].sort();
    const rank = new Map(packs.map((pack, at) => [this.#packs.get(pack)!, at]));
    const order = sortedNumbers(this.#parts.bytes);
    const place = new Uint32Array(order.length);
    for (let at = 0; at < order.length; at++) place[order[at]!] = at;
    const header = canonicalJson({ files: this.#files.size, layoutVersion: 1, packs, parts: order.length });
    const parts = Buffer.allocUnsafeSlow(order.length * PART);
    const digests = this.#parts.bytes;
    for (let at = 0; at < order.length; at++) {
      const number = order[at]!;
      const start = at * PART;
      digests.copy(parts, start, number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES);
      const pack = this.#places[3 * number]!;
      parts.writeUInt32BE(pack === LOOSE ? LOOSE : rank.get(pack)!, start + DIGEST_BYTES);
      parts.writeUInt32BE(this.#places[3 * number + 1]!, start + DIGEST_BYTES + 4);
      parts.writeUInt32BE(this.#places[3 * number + 2]!, start + DIGEST_BYTES + 8);
    }
    const files = [...this.#files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([file, { size, parts: numbers }]) => {
        const record = Buffer.allocUnsafe(FILE + 4 * numbers.length);
        digestBytes(file).copy(record);
        record.writeBigUInt64BE(BigInt(size), DIGEST_BYTES);
        record.writeUInt32BE(numbers.length, DIGEST_BYTES + 8);
        for (const [at, number] of numbers.entries()) record.writeUInt32BE(place[number]!, FILE + 4 * at);
        return record;
      });
    return Buffer.concat([Buffer.from(`${MAGIC}${header}\n`), parts, ...files]);
  }
}

/** Numbers of 32-byte digests in the order of their bytes: by their first 4, which rarely tie, as one float each. */
function sortedNumbers(bytes: Buffer): Uint32Array {
  const count = bytes.length / DIGEST_BYTES;
  const SPAN = LAYOUT_LIMITS.parts;
  if (count > SPAN) throw new RangeError("more parts than a layout holds");
  const keys = new Float64Array(count);
  for (let at = 0; at < count; at++) keys[at] = bytes.readUInt32BE(at * DIGEST_BYTES) * SPAN + at;
  keys.sort();
  const numbers = new Uint32Array(count);
  for (let at = 0; at < count; at++) numbers[at] = keys[at]! % SPAN;
  const isAfter = (a: number, b: number): boolean => {
    const [x, y] = [a * DIGEST_BYTES, b * DIGEST_BYTES];
    if (bytes.readUInt32BE(x) !== bytes.readUInt32BE(y)) return false;
    return bytes.compare(bytes, y, y + DIGEST_BYTES, x, x + DIGEST_BYTES) > 0;
  };
  // Ties on the first 4 bytes: insertion sort, as runs are one or two long.
  for (let at = 1; at < count; at++) {
    for (let back = at; back > 0 && isAfter(numbers[back - 1]!, numbers[back]!); back--) {
      [numbers[back - 1], numbers[back]] = [numbers[back]!, numbers[back - 1]!];
    }
  }
  return numbers;
}

function headerOf(text: string): Header | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { layoutVersion, packs, parts, files } = value as Record<string, unknown>;
  if (layoutVersion !== 1 || !Array.isArray(packs) || !isCount(parts) || !isCount(files)) return undefined;
  if (parts > LAYOUT_LIMITS.parts || files > LAYOUT_LIMITS.parts) return undefined;
  if (!packs.every((pack, at) => typeof pack === "string" && isDigest(pack) && (at === 0 || packs[at - 1] < pack))) {
    return undefined;
  }
  const header = { files, layoutVersion, packs: packs as Digest[], parts } as const;
  return canonicalJson(header) === text ? header : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function problemOfParts(parts: Buffer, packs: number): string | undefined {
  for (let start = 0; start < parts.length; start += PART) {
    if (
      start > 0 &&
      parts.compare(parts, start, start + DIGEST_BYTES, start - PART, start - PART + DIGEST_BYTES) >= 0
    ) {
      return "its parts are not in order";
    }
    const pack = parts.readUInt32BE(start + DIGEST_BYTES);
    if (pack !== LOOSE && pack >= packs) return `part ${start / PART} is in a pack that is not listed`;
    const offset = parts.readUInt32BE(start + DIGEST_BYTES + 4);
    if (offset + parts.readUInt32BE(start + DIGEST_BYTES + 8) > LOOSE) return `part ${start / PART} lies out of range`;
    if (pack === LOOSE && offset !== 0) return `part ${start / PART} is a blob and yet has an offset`;
  }
  return undefined;
}

/** The large files; text: what is wrong with them. A list names parts, never lists, so it cannot grow on reading. */
function chunksOf(parts: Buffer, bytes: Buffer, count: number): Layout["chunked"] | string {
  const found = new Map<Digest, { size: number; parts: number[] }>();
  let before = "";
  let at = 0;
  for (let file = 0; file < count; file++) {
    if (at + FILE > bytes.length) return "it is cut short";
    const digest = digestAt(bytes, at);
    const size = Number(bytes.readBigUInt64BE(at + DIGEST_BYTES));
    const numbers = bytes.readUInt32BE(at + DIGEST_BYTES + 8);
    if (at + FILE + 4 * numbers > bytes.length) return "it is cut short";
    const list: number[] = [];
    let sum = 0;
    for (let item = 0; item < numbers; item++) {
      const number = bytes.readUInt32BE(at + FILE + 4 * item);
      if (number * PART >= parts.length) return `${digest} names a part that is not there`;
      sum += parts.readUInt32BE(number * PART + DIGEST_BYTES + 8);
      list.push(number);
    }
    if (digest <= before) return "its large files are not in order";
    before = digest;
    if (sum !== size) return `${digest} has ${size} bytes and its chunks have ${sum}`;
    found.set(digest, { size, parts: list });
    at += FILE + 4 * numbers;
  }
  return at === bytes.length ? found : "it goes on after its end";
}
