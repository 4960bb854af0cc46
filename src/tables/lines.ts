import { isUtf8 } from "node:buffer";
import type { Location } from "../core/index.ts";

const LINE_FEED = 10;
const SOURCE_SHOWN = 160;

/** A part of a file that ends with a line end, or with the file. */
export interface Block {
  readonly bytes: Buffer;
  readonly last: boolean;
}

/**
 * Cuts bytes as they arrive into blocks; the reader says how many bytes of a block it took, and the rest leads the next
 * one. A byte order mark is left out.
 * @param most bytes that may be left over
 */
export async function eachBlock(
  bytes: AsyncIterable<Uint8Array>,
  most: number,
  take: (block: Block) => number | undefined,
): Promise<"done" | "stopped" | "too-long"> {
  let rest: Buffer = Buffer.alloc(0);
  let first = true;
  const start = (block: Buffer): Buffer =>
    first && block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? block.subarray(3) : block;
  for await (const chunk of bytes) {
    const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const block = start(rest.length === 0 ? arrived : Buffer.concat([rest, arrived]));
    const end = block.lastIndexOf(LINE_FEED) + 1;
    rest = block;
    if (end > 0) {
      first = false;
      const taken = take({ bytes: block.subarray(0, end), last: false });
      if (taken === undefined) return "stopped";
      rest = block.subarray(taken);
    }
    if (rest.length > most) return "too-long";
  }
  return take({ bytes: start(rest), last: true }) === undefined ? "stopped" : "done";
}

/** The first line that is not UTF-8, counted from 0; undefined: there is none. */
export function notUtf8(bytes: Buffer): number | undefined {
  if (isUtf8(bytes)) return undefined;
  for (let line = 0, from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(LINE_FEED, from);
    const to = end === -1 ? bytes.length : end;
    if (!isUtf8(bytes.subarray(from, to))) return line;
    from = to + 1;
  }
  return 0;
}

/** A place in a line, with its text for the squiggle where that is short. */
export function placeIn(text: string, file: string, line: number, from: number, to: number): Location {
  const [column, length] = [from + 1, Math.max(1, to - from)];
  const shown = column + length <= SOURCE_SHOWN ? { source: text.slice(0, SOURCE_SHOWN), length } : {};
  return { file, line, column, ...shown };
}
