import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, isSystemError } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";

/** Where half-made things of the working tree live until one rename publishes them; ignored by git. */
function temporaryFolder(context: Context): string {
  return join(context.cwd, ".lockstep", "tmp");
}

/** Makes that folder, and has git ignore all of `.lockstep` when it is new, whatever the user's .gitignore says. */
export async function prepareTemporaryFolder(context: Context): Promise<string> {
  const folder = temporaryFolder(context);
  const created = await mkdir(folder, { recursive: true });
  if (created !== undefined) await writeFile(join(context.cwd, ".lockstep", ".gitignore"), "*\n");
  return folder;
}

/** Opens a new file of a name nobody else has; its folder is made when it is not there. */
export async function createTemporary(
  folder: string,
  { prefix = "", mode = 0o666 }: { readonly prefix?: string; readonly mode?: number } = {},
): Promise<{ path: string; file: FileHandle }> {
  const path = join(folder, prefix + randomUUID());
  return { path, file: await inFolder(folder, () => open(path, "wx", mode)) };
}

/** Does work that needs a folder, and makes the folder only if the work did not find it: it is there nearly always. */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
    await mkdir(folder, { recursive: true });
    return work();
  }
}

/**
 * Replaces a file as a whole: whoever reads it, and whenever the writer is killed, sees the old bytes or the new.
 * What is only a cache is written with `durable: false`: a power cut may empty it.
 */
export async function writeFileAtomically(
  context: Context,
  absolute: string,
  bytes: string | Uint8Array,
  { durable = true }: { readonly durable?: boolean } = {},
): Promise<Result<void>> {
  return attempt(absolute, async () => {
    const { path, file } = await createTemporary(await prepareTemporaryFolder(context));
    try {
      await file.writeFile(bytes);
      if (durable) await file.sync();
      await file.close();
      await mkdir(dirname(absolute), { recursive: true });
      await rename(path, absolute);
    } catch (error) {
      await file.close().catch(() => {});
      await rm(path, { force: true });
      throw error;
    }
  });
}

/** Does `work` for every item, at most `width` at a time; the results stand in the order of the items. */
export async function mapLimited<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
