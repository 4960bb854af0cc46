import { hash } from "node:crypto";

/**
 * Bytes of a chunk: at least 2 MiB and then what comes until the next cut, 2 MiB on average. A larger least size would
 * look at fewer bytes, but after an edit it takes longer until the cuts coincide again with the former ones.
 */
export const CHUNK = { min: 2 * 1024 * 1024, max: 8 * 1024 * 1024 };
/** Files above this size are cut; up to it they are one part. */
export const CHUNKED_FILE = CHUNK.max;
/** A cut is where the upper 21 bits of the rolling sum are 0: once in 2^21 bytes. */
const CUT = -1 << 11;

/** The number that each byte adds to the rolling sum: the first 4 bytes of SHA-256 of "lockstep-gear/1 <byte>". */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) =>
  hash("sha256", `lockstep-gear/1 ${byte}`, "buffer").readInt32BE(0),
);

/**
 * Cuts a stream by its content (Xia et al., "FastCDC", USENIX ATC 2016: gear hash, no look before the smallest size),
 * so that an edit moves the cuts around it and no others. The state is that of one file, from its start.
 */
export class Chunker {
  #length = 0;
  #sum = 0;

  /** Ends of chunks in `bytes`, the stream's next piece, as positions in it. What is left over is the open chunk's. */
  cut(bytes: Uint8Array): number[] {
    const ends: number[] = [];
    let at = 0;
    while (at < bytes.length) {
      // No cut can lie before the smallest size, so these bytes are not looked at.
      const skip = Math.min(Math.max(0, CHUNK.min - this.#length), bytes.length - at);
      at += skip;
      this.#length += skip;
      const end = Math.min(bytes.length, at + CHUNK.max - this.#length);
      const from = at;
      at = this.#skim(bytes, at, end);
      let found = false;
      while (at < end && !found) {
        this.#sum = ((this.#sum << 1) + GEAR[bytes[at++]!]!) | 0;
        found = (this.#sum & CUT) === 0;
      }
      this.#length += at - from;
      if (found || this.#length === CHUNK.max) {
        ends.push(at);
        this.#length = 0;
        this.#sum = 0;
      }
    }
    return ends;
  }

  /** Four bytes at a time, which is faster; stops before the four that hold a cut, and before the last few. */
  #skim(bytes: Uint8Array, from: number, end: number): number {
    let sum = this.#sum;
    let at = from;
    for (; at + 4 <= end; at += 4) {
      const first = ((sum << 1) + GEAR[bytes[at]!]!) | 0;
      const second = ((first << 1) + GEAR[bytes[at + 1]!]!) | 0;
      const third = ((second << 1) + GEAR[bytes[at + 2]!]!) | 0;
      const fourth = ((third << 1) + GEAR[bytes[at + 3]!]!) | 0;
      if ((first & CUT) === 0 || (second & CUT) === 0 || (third & CUT) === 0 || (fourth & CUT) === 0) break;
      sum = fourth;
    }
    this.#sum = sum;
    return at;
  }
}
