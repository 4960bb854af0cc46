import { createHash, randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { attempt, isSystemError } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { prepareTemporaryFolder } from "../store/files.ts";

/** A folder in which nothing was written for so long has no worker any more: one that lives gives up a stall earlier. */
const ABANDONED_MS = 120_000;

/** A folder of one's own for what is being imported. */
export interface ImportPlace {
  /** Absolute. */
  readonly folder: string;
  /** `keep`: what has come so far serves the next import of the same URL. */
  release(keep: boolean): Promise<void>;
}

/**
 * Takes the folder in which an import of this URL was cut short, or a new one. Taking is a rename, so of two imports
 * of one URL each has its own.
 */
export async function takePlace(context: Context, url: string): Promise<Result<ImportPlace>> {
  return attempt(".lockstep/tmp", async () => {
    const temporary = await prepareTemporaryFolder(context);
    const shelf = join(temporary, `import-${createHash("sha256").update(url).digest("hex").slice(0, 32)}`);
    const folder = `${shelf}.${randomUUID()}`;
    const left = [shelf, ...(await abandoned(context, shelf))];
    let taken = false;
    for (const from of left) if (!taken) taken = await moved(from, folder);
    if (!taken) await mkdir(folder);
    return {
      folder,
      release: async (keep) => {
        if (!keep || !(await moved(folder, shelf))) await rm(folder, { recursive: true, force: true });
      },
    };
  });
}

/** False: another one was first. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error) && ["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code)) return false;
    throw error;
  }
}

/** Folders of imports that were killed. */
async function abandoned(context: Context, shelf: string): Promise<string[]> {
  const parent = dirname(shelf);
  const names = (await readdir(parent)).filter((name) => name.startsWith(`${basename(shelf)}.`));
  const now = context.now().getTime();
  const found: string[] = [];
  for (const name of names) {
    const folder = join(parent, name);
    const files = [folder, ...(await readdir(folder).catch(() => [])).map((file) => join(folder, file))];
    const times = await Promise.all(
      files.map(async (file) =>
        lstat(file).then(
          (stat) => stat.mtimeMs,
          () => now,
        ),
      ),
    );
    if (Math.max(...times) < now - ABANDONED_MS) found.push(folder);
  }
  return found;
}
