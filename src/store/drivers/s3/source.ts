import { createHash } from "node:crypto";
import { isSystemError } from "../../../core/index.ts";
import type { Body } from "../../driver.ts";

/** A body that could not be read, or is not what was announced: no other try helps. */
export class SourceError extends Error {}

/**
 * The bytes of a body from start to end. The last of them come only when all of them had the size and the digest that
 * were announced, so that a wrong body can never be sent to its end. @throws SourceError
 */
export async function* checkedBytes(body: Body): AsyncGenerator<Uint8Array, void> {
  const hash = createHash("sha256");
  let size = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of readable(body)) {
    if (chunk.length === 0) continue;
    size += chunk.length;
    if (size > body.size) break;
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  const digest = `sha256:${hash.digest("hex")}`;
  if (size !== body.size || digest !== body.digest) {
    const came = size > body.size ? "more bytes" : `${size} bytes ${digest}`;
    throw new SourceError(`${came} came, not the ${body.size} bytes ${body.digest} that were announced`);
  }
  if (held !== undefined) yield held;
}

/** The bytes of a body, in pieces of `size` and a last one that is smaller. A piece is a buffer of its own. */
export async function* pieces(bytes: AsyncIterable<Uint8Array>, size: number, total: number): AsyncGenerator<Buffer> {
  let left = total;
  let piece = Buffer.allocUnsafeSlow(Math.min(size, left));
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + piece.length - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < piece.length) continue;
      yield piece;
      left -= filled;
      piece = Buffer.allocUnsafeSlow(Math.min(size, left));
      filled = 0;
    }
  }
}

/** A buffer in parts that a slow line sends within the time limit. */
export async function* slices(buffer: Buffer): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < buffer.length; at += SLICE) yield buffer.subarray(at, at + SLICE);
}

const SLICE = 256 * 1024;

async function* readable(body: Body): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body.read(0, body.size);
  } catch (error) {
    throw isSystemError(error) ? new SourceError(error.message, { cause: error }) : error;
  }
}
