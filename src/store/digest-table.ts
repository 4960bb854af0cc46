import type { Digest } from "../core/index.ts";

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;

export function digestBytes(digest: Digest): Buffer {
  return Buffer.from(digest.slice("sha256:".length), "hex");
}

/** The digest whose 32 bytes begin at `at`. */
export function digestAt(bytes: Buffer, at: number): Digest {
  return `sha256:${bytes.toString("hex", at, at + DIGEST_BYTES)}` as Digest;
}

/**
 * A set of digests that numbers them in the order they came: 32 bytes and a slot each, where a Map of strings would
 * take some 200 bytes. Open addressing over the digests' first bytes, which are uniform already.
 */
export class DigestTable {
  #bytes = Buffer.allocUnsafeSlow(64 * DIGEST_BYTES);
  /** Number of the digest in a slot, plus 1; 0: free. */
  #slots = new Int32Array(128);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The digests in order, 32 bytes each. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size * DIGEST_BYTES);
  }

  /** The number of the digest at `at`; -1: it is not in. */
  find(from: Buffer, at: number): number {
    return this.#slots[this.#slotOf(from, at)]! - 1;
  }

  /** Adds the digest at `at` unless it is in, and gives its number. */
  add(from: Buffer, at: number): number {
    const slot = this.#slotOf(from, at);
    const known = this.#slots[slot]!;
    if (known !== 0) return known - 1;
    if ((this.#size + 1) * DIGEST_BYTES > this.#bytes.length) this.#growBytes();
    from.copy(this.#bytes, this.#size * DIGEST_BYTES, at, at + DIGEST_BYTES);
    this.#slots[slot] = ++this.#size;
    if (this.#size * 2 > this.#slots.length) this.#growSlots();
    return this.#size - 1;
  }

  /** The slot that holds the digest, or the free one where it would go. */
  #slotOf(from: Buffer, at: number): number {
    const mask = this.#slots.length - 1;
    const first = from.readUInt32LE(at);
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot]! - 1;
      if (number === -1) return slot;
      const start = number * DIGEST_BYTES;
      if (this.#bytes.readUInt32LE(start) !== first) continue;
      if (this.#bytes.compare(from, at, at + DIGEST_BYTES, start, start + DIGEST_BYTES) === 0) return slot;
    }
  }

  #growBytes(): void {
    const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }

  #growSlots(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#size; number++) {
      const mask = this.#slots.length - 1;
      let slot = this.#bytes.readUInt32LE(number * DIGEST_BYTES) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}
