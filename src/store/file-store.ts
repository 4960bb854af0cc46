import { link, open, opendir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, fail, isDigest, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { digestOf, digestOfHandle, WHOLE } from "./digest.ts";
import { createTemporary, inFolder } from "./files.ts";
import type { Store, StoredBlob } from "./store.ts";

export interface FileStoreOptions {
  readonly url: string;
  /** Absolute. */
  readonly folder: string;
  /**
   * True: bytes are on the disk before they are published, so that after a power cut a blob is whole or not there.
   * A cache does without: its reads verify.
   */
  readonly durable: boolean;
}

/**
 * Blobs as files, `v1/blobs/sha256/<2 digits>/<62 digits>`. A blob is written under `v1/tmp` of the same file system
 * and hashed on its way, then published by a hard link, which never replaces what is there.
 */
export function fileStore(context: Context, { url, folder, durable }: FileStoreOptions): Store {
  const blobs = join(folder, "v1", "blobs", "sha256");
  const temporary = join(folder, "v1", "tmp");
  const pathOf = (digest: Digest): string => join(blobs, digest.slice(7, 9), digest.slice(9));
  const missing = (digest: Digest): Failure => ({ code: "blob-missing", digest, neededBy: "this command", store: url });

  /** Gives a finished temporary file its name. A blob of the right size stays; one cut short is replaced. */
  const publish = async (from: string, { digest, size }: StoredBlob): Promise<void> => {
    const to = pathOf(digest);
    try {
      await inFolder(dirname(to), () => link(from, to));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const present = await sizeOf(to);
      if (present === size) return;
      // Either a damaged blob, or a file system without hard links. A rename is atomic on both.
      await rename(from, to);
    }
    context.emit({ type: "effect", name: "blob stored" });
  };

  const store = async (write: (file: FileHandle) => Promise<StoredBlob>): Promise<StoredBlob> => {
    const { path, file } = await createTemporary(temporary, { mode: 0o444 });
    try {
      const blob = await write(file);
      if (durable) await file.sync();
      await file.close();
      await publish(path, blob);
      return blob;
    } finally {
      await file.close().catch(() => {});
      await rm(path, { force: true });
    }
  };

  /** Bytes that are in memory are hashed before anything is written. */
  const putBytes = async (bytes: Uint8Array): Promise<StoredBlob> => {
    const blob = { digest: digestOf(bytes), size: bytes.length };
    if ((await sizeOf(pathOf(blob.digest))) === blob.size) return blob;
    return store(async (file) => {
      await file.writeFile(bytes);
      return blob;
    });
  };

  /** Opens a blob; a failure when it is not there. */
  const opened = async <T>(digest: Digest, use: (file: FileHandle) => Promise<Result<T>>): Promise<Result<T>> => {
    try {
      await using file = await open(pathOf(digest), "r");
      return await use(file);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code === "ENOENT") return fail(missing(digest));
      return fail({ code: "external", what: url, problem: error.message, cause: error });
    }
  };
  const verified = (digest: Digest, actual: Digest): Result<void> =>
    actual === digest ? ok() : fail({ code: "blob-corrupt", digest, actual, where: pathOf(digest) });

  return {
    url,
    has: (digest) => attempt(url, async () => (await sizeOf(pathOf(digest))) !== undefined),
    read: (digest, options = {}) =>
      opened(digest, async (file) => {
        const { size } = await file.stat();
        if (size > (options.maxBytes ?? Number.POSITIVE_INFINITY)) {
          return fail({
            code: "external",
            what: digest,
            problem: `${size} bytes, at most ${options.maxBytes} expected`,
          });
        }
        const bytes = await file.readFile();
        const check = verified(digest, digestOf(bytes));
        return check.ok ? ok(bytes) : check;
      }),
    toFile: (digest, absolute) =>
      opened(digest, async (from) => {
        const { path, file } = await createTemporary(dirname(absolute), { prefix: ".lockstep-" });
        let published = false;
        try {
          const check = verified(digest, (await digestOfHandle(from, file)).digest);
          if (!check.ok) return check;
          await file.close();
          await rename(path, absolute);
          published = true;
          return ok();
        } finally {
          if (!published) {
            await file.close().catch(() => {});
            await rm(path, { force: true });
          }
        }
      }),
    put: (bytes) => attempt(url, async () => (await putBytes(bytes)).digest),
    putFile: (absolute) =>
      attempt(`${absolute} -> ${url}`, async () => {
        await using from = await open(absolute, "r");
        const { size } = await from.stat();
        if (size <= WHOLE) return await putBytes(await from.readFile());
        return await store((file) => digestOfHandle(from, file));
      }),
    async *list() {
      for await (const prefix of entriesOf(blobs)) {
        if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
        for await (const rest of entriesOf(join(blobs, prefix))) {
          const digest = `sha256:${prefix}${rest}`;
          if (!isDigest(digest)) continue;
          const size = await sizeOf(pathOf(digest));
          if (size !== undefined) yield { digest, size };
        }
      }
    },
    delete: (digest) => attempt(url, () => rm(pathOf(digest), { force: true })),
  };
}

/** Undefined: there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Names in a folder; none when it is not there (yet, or any more). */
async function* entriesOf(folder: string): AsyncIterable<string> {
  try {
    for await (const entry of await opendir(folder)) yield entry.name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
