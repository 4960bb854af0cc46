import { randomFillSync } from "node:crypto";

const encoder = new TextEncoder();
/** What positions of 32 bits reach. */
export const MOST_BYTES = 0xffff_ffff;
/** Slots taken before the table doubles. */
const LOAD = 0.6;

/** Texts by position, as UTF-8 one after the other: 10 million ids take their bytes and 4 more each, at most 4 GiB in all. */
export class Texts {
  #bytes = new Uint8Array(4096);
  #ends = new Uint32Array(256);
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(row: number): string | undefined {
    if (!(row >= 0 && row < this.#length)) return undefined;
    const text = this.#bytes.subarray(this.startOf(row), this.endOf(row));
    return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString();
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  startOf(row: number): number {
    return row === 0 ? 0 : (this.#ends[row - 1] as number);
  }

  endOf(row: number): number {
    return this.#ends[row] as number;
  }

  /** Whether the text at a row is the other's at its row. */
  same(row: number, other: Texts, otherRow: number): boolean {
    const [from, to, start] = [this.startOf(row), this.endOf(row), other.startOf(otherRow)];
    return to - from === other.endOf(otherRow) - start && equal(this.#bytes, from, to, other.bytes, start);
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    this.#room(to - from);
    // For a few bytes a loop beats `set` and the view it needs.
    if (to - from < 32) for (let at = from; at < to; at++) this.#bytes[this.#used++] = bytes[at] as number;
    else {
      this.#bytes.set(bytes.subarray(from, to), this.#used);
      this.#used += to - from;
    }
    if (this.#length === this.#ends.length) {
      const wider = new Uint32Array(2 * this.#length);
      wider.set(this.#ends);
      this.#ends = wider;
    }
    this.#ends[this.#length++] = this.#used;
  }

  static from(list: { readonly length: number; at(row: number): string | undefined }): Texts {
    if (list instanceof Texts) return list;
    const texts = new Texts();
    for (let row = 0; row < list.length; row++) {
      const bytes = encoder.encode(list.at(row));
      texts.add(bytes, 0, bytes.length);
    }
    return texts;
  }

  #room(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#bytes.length) return;
    if (needed > MOST_BYTES) throw new RangeError("more than 4 GiB of text");
    // Pages that were never written cost no memory, so doubling wastes addresses only.
    const wider = new Uint8Array(Math.min(MOST_BYTES, Math.max(2 * this.#bytes.length, needed)));
    wider.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = wider;
  }
}

/**
 * Texts that differ from each other, each found by its bytes: open addressing over positions, since a Map of V8 ends at
 * 16.7 million entries and takes some 100 bytes for each. The hash has a random key, so that no file can be made of
 * texts that collide; nothing but speed hangs on it.
 */
export class TextTable {
  readonly texts: Texts;
  readonly #key = randomFillSync(new Int32Array(2));
  #slots: Uint32Array;
  #scratch = new Uint8Array(256);

  /** @param texts that all differ */
  constructor(texts = new Texts()) {
    this.texts = texts;
    let slots = 1024;
    while (texts.length >= LOAD * slots) slots *= 2;
    this.#slots = this.#fill(slots);
  }

  get length(): number {
    return this.texts.length;
  }

  /** Whether the text at a position is the empty one. */
  isEmpty(position: number): boolean {
    return this.texts.startOf(position) === this.texts.endOf(position);
  }

  /** The text's position; that of the first one, where it was added before. */
  add(bytes: Uint8Array, from: number, to: number): number {
    if (this.length >= LOAD * this.#slots.length) this.#slots = this.#fill(2 * this.#slots.length);
    const slot = this.#slot(bytes, from, to);
    const taken = this.#slots[slot] as number;
    if (taken !== 0) return taken - 1;
    this.texts.add(bytes, from, to);
    this.#slots[slot] = this.length;
    return this.length - 1;
  }

  addText(text: string): number {
    if (3 * text.length > this.#scratch.length) this.#scratch = new Uint8Array(6 * text.length);
    return this.add(this.#scratch, 0, encoder.encodeInto(text, this.#scratch).written);
  }

  /** -1: it is not there. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return (this.#slots[this.#slot(bytes, from, to)] as number) - 1;
  }

  /** Where the text is, or would be. */
  #slot(bytes: Uint8Array, from: number, to: number): number {
    const mask = this.#slots.length - 1;
    const { texts } = this;
    for (let slot = hash(this.#key, bytes, from, to) & mask; ; slot = (slot + 1) & mask) {
      const taken = this.#slots[slot] as number;
      if (taken === 0) return slot;
      const start = texts.startOf(taken - 1);
      if (texts.endOf(taken - 1) - start === to - from && equal(bytes, from, to, texts.bytes, start)) return slot;
    }
  }

  #fill(size: number): Uint32Array {
    const slots = new Uint32Array(size);
    const { texts } = this;
    for (let row = 0; row < texts.length; row++) {
      let slot = hash(this.#key, texts.bytes, texts.startOf(row), texts.endOf(row)) & (size - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
      slots[slot] = row + 1;
    }
    return slots;
  }
}

function equal(a: Uint8Array, from: number, to: number, b: Uint8Array, start: number): boolean {
  for (let at = from, other = start; at < to; at++, other++) if (a[at] !== b[other]) return false;
  return true;
}

/** HalfSipHash-1-3 (Aumasson and Bernstein's SipHash with 32-bit words), 32 bits. */
function hash(key: Int32Array, bytes: Uint8Array, from: number, to: number): number {
  let v0 = key[0] as number;
  let v1 = key[1] as number;
  let v2 = v0 ^ 0x6c796765;
  let v3 = v1 ^ 0x74656462;
  const blocks = from + ((to - from) & ~3);
  let last = (to - from) << 24;
  for (let at = blocks; at < to; at++) last |= (bytes[at] as number) << (8 * (at - blocks));
  for (let at = from; at <= blocks + 12; at += 4) {
    const word =
      at < blocks
        ? (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24)
        : at === blocks
          ? last
          : 0;
    if (at === blocks + 4) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
