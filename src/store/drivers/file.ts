import { link, open, opendir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createHash } from "node:crypto";
import { attempt, fail, isSystemError, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Driver, Key, ObjectInfo } from "../driver.ts";
import { createTemporary, inFolder } from "../files.ts";

export interface FileDriverOptions {
  readonly url: string;
  /** Absolute. */
  readonly folder: string;
  /**
   * True: bytes are on the disk before they are published, so that after a power cut an object is whole or not there.
   * A cache does without: its reads verify.
   */
  readonly durable: boolean;
}

/** A driver whose objects are files of this machine, which may be read in place and written in one pass. */
export interface FileDriver extends Driver {
  pathOf(key: Key): string;
  /** A new file on the same file system, to be published or removed. */
  temporary(): Promise<{ path: string; file: FileHandle }>;
  /** Gives a finished temporary file its name. An object of that size stays as it is, unless it is to be replaced. */
  publish(path: string, key: Key, size: number, options?: { readonly replace?: boolean }): Promise<void>;
}

const READ = 1024 * 1024;

/**
 * Objects as files: `v1/blobs/sha256/<2 digits>/<62 digits>`, the same below `v1/layouts` and `v1/checkpoints`, and `v1/gc/<word>`. An object
 * is written under `v1/tmp` of the same file system, then published by a hard link, which never replaces what is
 * there, or by a rename. No lock is taken, so a network file system will do.
 */
export function fileDriver(context: Context, { url, folder, durable }: FileDriverOptions): FileDriver {
  const root = join(folder, "v1");
  const pathOf = (key: Key): string => {
    const [kind, name = ""] = key.split("/");
    return kind === "gc" ? join(root, "gc", name) : join(root, kind!, "sha256", name.slice(0, 2), name.slice(2));
  };
  const temporary: FileDriver["temporary"] = async () => createTemporary(join(root, "tmp"), { mode: 0o444 });

  const publish: FileDriver["publish"] = async (from, key, size, { replace = false } = {}) => {
    const to = pathOf(key);
    try {
      if (replace) await inFolder(dirname(to), async () => rename(from, to));
      else await inFolder(dirname(to), async () => link(from, to));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const present = await infoOf(to);
      if (present?.size === size) return;
      // Either a damaged object, or a file system without hard links. A rename is atomic on both.
      await rename(from, to);
    }
    context.emit({ type: "effect", name: `${key.slice(0, key.indexOf("/") - 1)} stored` });
  };

  return {
    url,
    width: 8,
    pathOf,
    temporary,
    publish,
    stat: async (key) => attempt(`${key} in ${url}`, async () => infoOf(pathOf(key))),
    async get(key, sink, range) {
      // What the sink throws is thrown on, even where it is the system's word: it is not about this store.
      const thrown: { error?: unknown } = {};
      const done = attempt<Result<boolean>>(`${key} in ${url}`, async () => {
        let file: FileHandle;
        try {
          file = await open(pathOf(key), "r");
        } catch (error) {
          if (isSystemError(error) && error.code === "ENOENT") return ok(false);
          throw error;
        }
        await using _ = file;
        const { size } = await file.stat();
        const end = range === undefined ? size : range.offset + range.length;
        if (end > size) throw new OutOfRange(size);
        let at = range?.offset ?? 0;
        while (at < end) {
          if (context.signal?.aborted) return fail({ code: "interrupted" });
          const chunk = Buffer.allocUnsafe(Math.min(READ, end - at));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          if (bytesRead === 0) throw new OutOfRange(at);
          try {
            await sink(chunk.subarray(0, bytesRead));
          } catch (error) {
            thrown.error = error;
            throw error;
          }
          at += bytesRead;
        }
        return ok(true);
      });
      try {
        const result = await done;
        if ("error" in thrown) throw thrown.error;
        return result.ok ? result.value : result;
      } catch (error) {
        if (!(error instanceof OutOfRange)) throw error;
        return fail({ code: "external", what: `${key} in ${url}`, problem: `it ends after ${error.size} bytes` });
      }
    },
    async put(key, body, { replace = false } = {}) {
      return attempt<Result<void>>(`${key} in ${url}`, async () => {
        if (!replace && (await infoOf(pathOf(key)))?.size === body.size) return ok();
        const { path, file } = await temporary();
        try {
          const hash = createHash("sha256");
          let size = 0;
          for await (const chunk of body.read(0, body.size)) {
            if (context.signal?.aborted) return fail({ code: "interrupted" });
            hash.update(chunk);
            size += chunk.length;
            await file.writeFile(chunk);
          }
          const digest = `sha256:${hash.digest("hex")}`;
          if (size !== body.size || digest !== body.digest) {
            const problem = `${size} bytes ${digest} came, not the ${body.size} bytes ${body.digest} that were announced`;
            return fail({ code: "external", what: `${key} in ${url}`, problem });
          }
          if (durable) await file.sync();
          await file.close();
          await publish(path, key, body.size, { replace });
          return ok();
        } finally {
          await file.close().catch(() => {});
          await rm(path, { force: true });
        }
      }).then((result) => (result.ok ? result.value : result));
    },
    async *list(kind) {
      for (const name of kind === "gc" ? await namesIn(join(root, "gc")) : await hexNames(join(root, kind, "sha256"))) {
        const key: Key = `${kind}/${name}`;
        const info = await infoOf(pathOf(key));
        if (info !== undefined) yield { key, ...info };
      }
    },
    delete: async (key) => attempt(`${key} in ${url}`, async () => rm(pathOf(key), { force: true })),
  };
}

class OutOfRange extends Error {
  readonly size: number;
  constructor(size: number) {
    super("out of range");
    this.size = size;
  }
}

/** Undefined: there is no such file. */
async function infoOf(path: string): Promise<ObjectInfo | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { size: found.size, modified: found.mtimeMs } : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function hexNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const prefix of await namesIn(folder)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const rest of await namesIn(join(folder, prefix))) {
      if (/^[0-9a-f]{62}$/.test(rest)) names.push(prefix + rest);
    }
  }
  return names;
}

/** Names in a folder, sorted; none when it is not there (yet, or any more). */
async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) names.push(entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return names.sort();
}
