import type { RecordedOutput } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { readTree } from "./closure.ts";
import type { Store } from "./store.ts";
import type { TreeEntry } from "./tree.ts";

/** A file among outputs. */
export interface FileIn {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The output that it is, or that it lies in: how `readContent` finds its bytes. */
  readonly root: Digest;
  /** Where it lies in a folder. */
  readonly entry?: TreeEntry;
}

/** The file at a path: an output of its own, or in a folder that is one. Undefined: none of these made it. */
export async function fileIn(
  outs: Iterable<RecordedOutput>,
  path: string,
  stores: readonly Store[],
): Promise<Result<FileIn | undefined>> {
  for (const { path: out, kind, digest, size } of outs) {
    if (kind === "file" && out === path) return ok({ digest, size, root: digest });
    if (kind !== "tree" || !path.startsWith(`${out}/`)) continue;
    // oxlint-disable-next-line no-await-in-loop -- outputs do not overlap: it is the one
    const entries = await readTree(digest, stores, out);
    if (!entries.ok) return entries;
    const entry = entries.value.find((one) => `${out}/${one.path}` === path);
    if (entry !== undefined) return ok({ digest: entry.digest, size: entry.size, root: digest, entry });
  }
  return ok(undefined);
}
