import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import type { World } from "./world.ts";

export interface StoredBlob {
  readonly blob: string;
  readonly size: number;
  /** `sha256:<hex>`. */
  readonly digest: string;
}

/** Streams bytes into a new file of the world; what arrives only in part is not kept. */
export async function storeBlob(world: World, source: AsyncIterable<Uint8Array> | Readable): Promise<StoredBlob> {
  const blob = randomUUID();
  const temporary = world.blobPath(`.${blob}`);
  const hash = createHash("sha256");
  let size = 0;
  const measure = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(source, measure, createWriteStream(temporary));
    await rename(temporary, world.blobPath(blob));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { blob, size, digest: `sha256:${hash.digest("hex")}` };
}

/** The body of a request as a stream of Node. */
export function requestBody(request: Request): Readable {
  return request.body === null ? Readable.from([]) : Readable.fromWeb(request.body as NodeReadableStream<Uint8Array>);
}

/** A response with a blob's bytes and its length. */
export async function sendBlob(
  world: World,
  blob: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const path = world.blobPath(blob);
  const { size } = await stat(path);
  const stream = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
  return new Response(stream, { status: 200, headers: { "content-length": String(size), ...headers } });
}
