import { createHash, randomUUID } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, fail, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, Failed, Failure, Result } from "../core/index.ts";
import { digestOf, digestOfFile } from "./digest.ts";
import { bodyOf } from "./driver.ts";
import type { Driver, Key } from "./driver.ts";
import { createTemporary, prepareTemporaryFolder } from "./files.ts";
import { Layout, LAYOUT_LIMITS } from "./layout.ts";
import type { Store } from "./store.ts";

type Sink = (chunk: Uint8Array) => void | Promise<void>;

export function blobKey(digest: Digest): Key {
  return `blobs/${digest.slice("sha256:".length)}`;
}

export function layoutKey(root: Digest): Key {
  return `layouts/${root.slice("sha256:".length)}`;
}

/** The bytes of a file from an offset on, for a driver to send. */
export function fileBody(path: string, size: number, digest: Digest): Parameters<Driver["put"]>[1] {
  return {
    size,
    digest,
    async *read(offset, length) {
      await using file = await open(path, "r");
      for (let at = offset; at < offset + length;) {
        const chunk = Buffer.allocUnsafe(Math.min(1024 * 1024, offset + length - at));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
        at += bytesRead;
      }
    },
  };
}

class TooLarge extends Error {}

/** Takes no more than so many bytes. */
function upTo(maxBytes: number, sink: Sink): Sink {
  let size = 0;
  return (chunk) => {
    size += chunk.length;
    if (size > maxBytes) throw new TooLarge();
    return sink(chunk);
  };
}

function tooLarge(digest: Digest, maxBytes: number): Failed {
  return fail({ code: "external", what: digest, problem: `more than the ${maxBytes} bytes that were expected` });
}

/** A store on a driver: names, verification, and large files put together from their chunks. */
export function blobStore<D extends Driver>(context: Context, driver: D): Store & { readonly driver: D } {
  const { url } = driver;
  const missing = (digest: Digest): Failure => ({ code: "blob-missing", digest, neededBy: "this command", store: url });

  const layout: Store["layout"] = async (root) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      const got = await driver.get(layoutKey(root), (chunk) => {
        size += chunk.length;
        if (size > LAYOUT_LIMITS.bytes) throw new TooLarge();
        chunks.push(Uint8Array.from(chunk));
      });
      if (!got.ok) return got;
      return got.value ? Layout.parse(root, Buffer.concat(chunks)) : ok(undefined);
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      const problem = `it has more than ${LAYOUT_LIMITS.bytes} bytes`;
      return fail({ code: "tree-invalid", tree: `layout of ${root}`, problem });
    }
  };

  /** Hands over the bytes that go by this name, whole or by chunks, not verified; false: there is nothing. */
  const stream = async (digest: Digest, sink: Sink): Promise<Result<boolean>> => {
    const whole = await driver.get(blobKey(digest), sink);
    if (!whole.ok || whole.value) return whole;
    const found = await layout(digest);
    if (!found.ok) return found;
    const chunks = found.value?.chunksOf(digest);
    for (const chunk of chunks ?? []) {
      const place = found.value!.find(chunk)!;
      const { pack, offset, length } = place;
      if (pack !== undefined && length === 0) continue;
      const range = pack === undefined ? undefined : { offset, length };
      const got = await driver.get(blobKey(pack ?? chunk), sink, range);
      if (!got.ok) return got;
      if (!got.value) return fail(missing(pack ?? chunk));
    }
    return ok(chunks !== undefined);
  };

  /** Where the blob is a file here, if it is there whole. */
  const pathOf = (digest: Digest): string | undefined =>
    "pathOf" in driver ? (driver.pathOf as (key: Key) => string)(blobKey(digest)) : undefined;

  const verified = (digest: Digest, actual: string): Result<void> =>
    actual === digest ? ok() : fail({ code: "blob-corrupt", digest, actual, where: pathOf(digest) ?? url });

  const toFile: Store["toFile"] = async (digest, absolute, { maxBytes = Number.POSITIVE_INFINITY } = {}) => {
    const written = await attempt(absolute, async (): Promise<Result<void>> => {
      const { path, file } = await createTemporary(dirname(absolute), { prefix: ".lockstep-" });
      try {
        const hash = createHash("sha256");
        const got = await stream(
          digest,
          upTo(maxBytes, async (chunk) => {
            hash.update(chunk);
            await file.writeFile(chunk);
          }),
        );
        if (!got.ok) return got;
        if (!got.value) return fail(missing(digest));
        const check = verified(digest, `sha256:${hash.digest("hex")}`);
        if (!check.ok) return check;
        await file.close();
        await rename(path, absolute);
        return ok();
      } catch (error) {
        if (!(error instanceof TooLarge)) throw error;
        return tooLarge(digest, maxBytes);
      } finally {
        await file.close().catch(() => {});
        await rm(path, { force: true });
      }
    });
    return written.ok ? written.value : written;
  };

  return {
    url,
    driver,
    layout,
    async has(digest) {
      for (const key of [blobKey(digest), layoutKey(digest)]) {
        const found = await driver.stat(key);
        if (!found.ok) return found;
        if (found.value !== undefined) return ok(true);
      }
      return ok(false);
    },
    async read(digest, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const chunks: Uint8Array[] = [];
      try {
        const got = await stream(
          digest,
          upTo(maxBytes, (chunk) => void chunks.push(chunk)),
        );
        if (!got.ok) return got;
        if (!got.value) return fail(missing(digest));
      } catch (error) {
        if (!(error instanceof TooLarge)) throw error;
        return tooLarge(digest, maxBytes);
      }
      const bytes = Buffer.concat(chunks);
      const check = verified(digest, digestOf(bytes));
      return check.ok ? ok(bytes) : check;
    },
    toFile,
    async hold(digest, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const own = pathOf(digest);
      const size = own === undefined ? undefined : await sizeOf(own);
      if (own !== undefined && size !== undefined) {
        if (size > maxBytes) return tooLarge(digest, maxBytes);
        const blob = await digestOfFile(own);
        if (!blob.ok) return blob;
        const check = verified(digest, blob.value.digest);
        return check.ok ? ok({ digest, path: own, [Symbol.asyncDispose]: async () => {} }) : check;
      }
      const folder = await attempt("a temporary file", async () => prepareTemporaryFolder(context));
      if (!folder.ok) return folder;
      const path = join(folder.value, randomUUID());
      const written = await toFile(digest, path, { maxBytes });
      return written.ok ? ok({ digest, path, [Symbol.asyncDispose]: async () => rm(path, { force: true }) }) : written;
    },
    async put(bytes) {
      const digest = digestOf(bytes);
      const stored = await driver.put(blobKey(digest), bodyOf(bytes, digest));
      return stored.ok ? ok(digest) : stored;
    },
    async putFile(absolute) {
      const blob = await digestOfFile(absolute);
      if (!blob.ok) return blob;
      const { digest, size } = blob.value;
      const stored = await driver.put(blobKey(digest), fileBody(absolute, size, digest));
      return stored.ok ? blob : stored;
    },
  };
}

/** Undefined: there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
}
