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

/** A response with a blob's bytes, or with the one range of them that a `Range` header asks for. */
export async function sendBlob(
  world: World,
  blob: string,
  headers: Readonly<Record<string, string>>,
  range?: string | null,
): Promise<Response> {
  const path = world.blobPath(blob);
  const { size } = await stat(path);
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(last === undefined || last === "" ? size : Number(last) + 1, size); // exclusive
  if (first !== undefined && start >= end) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${size}` } });
  }
  const bytes = createReadStream(path, { start, end: Math.max(start, end - 1) });
  return new Response(Readable.toWeb(bytes) as ReadableStream<Uint8Array>, {
    status: first === undefined ? 200 : 206,
    headers: {
      "accept-ranges": "bytes",
      "content-length": String(end - start),
      ...(first === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` }),
      ...headers,
    },
  });
}
