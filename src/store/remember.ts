import { lstat } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import type { Context } from "../core/index.ts";
import { digestBytes, DIGEST_BYTES } from "./digest-table.ts";
import { folderIndex } from "./folder-index.ts";
import type { Restorable } from "./restore.ts";
import { filesOf, scanFolder, sizeAt } from "./scan.ts";
import { statIndex } from "./stat-index.ts";
import type { TreeEntry } from "./tree.ts";
import { STATS } from "./work/look.ts";
import { Pool } from "./work/pool.ts";
import { BACK_SECONDS } from "./work/write-group.ts";

/** Less than this between a file's change and its modification time: it was touched since it was written here. */
const TOUCHED_MS = (BACK_SECONDS * 1000) / 2;

/**
 * Notes a file that was put into place, so that the next look need not read it. No mark is needed: it was given a time
 * in the past, which no later write gives it again.
 */
export async function rememberFile(context: Context, { path, digest }: Restorable): Promise<void> {
  const index = await statIndex(context);
  const seen: BigIntStats | undefined = await lstat(join(context.cwd, path), { bigint: true }).catch(() => undefined);
  if (seen === undefined || Number(seen.ctimeNs - seen.mtimeNs) / 1e6 < TOUCHED_MS) return;
  index.remember(path, seen, digest, seen.ctimeNs + 1n);
  await index.save();
}

/** The same of a folder: `entries` in the order of a tree, as they were put there. */
export async function rememberFolder(
  context: Context,
  { path, digest }: Pick<Restorable, "path" | "digest">,
  entries: readonly TreeEntry[],
): Promise<void> {
  const index = await folderIndex(context);
  await using pool = new Pool();
  const scan = await scanFolder(context, path, index, pool);
  // A folder that cannot be looked at is looked at again by whoever needs it, and refused there.
  if (!scan.ok) return;
  let number = 0;
  let size = 0;
  for (const spot of filesOf(scan.value)) {
    const entry = entries[number++];
    const row = spot.at * STATS;
    const seen = sizeAt(spot);
    if (entry?.path !== spot.path || entry.size !== seen.size) return;
    size += entry.size;
    if (seen.known) continue;
    digestBytes(entry.digest).copy(spot.folder.digests, spot.at * DIGEST_BYTES);
    const { stats } = spot.folder;
    if (stats[row + 2]! - stats[row + 1]! >= TOUCHED_MS) stats[row] = seen.size;
  }
  if (number !== entries.length) return;
  index.remember(path, scan.value.folders, { digest, size, files: entries.length });
  await index.save();
}
