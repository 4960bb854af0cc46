import { access, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { attempt, isSystemError } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { digestOf, parseTree, writeFileAtomically } from "../store/index.ts";
import type { TreeEntry } from "../store/index.ts";

function fileOf(context: Context, name: string): string {
  return join(context.cwd, ".lockstep", "partial", name);
}

/** Notes that the working tree has only some files of this version of a dataset, on purpose, by keeping its manifest. */
export async function markPartial(context: Context, name: string, manifest: Buffer): Promise<Result<void>> {
  return writeFileAtomically(context, fileOf(context, name), manifest, { durable: false });
}

export async function clearPartial(context: Context, name: string): Promise<Result<void>> {
  return attempt(".lockstep/partial", async () => rm(fileOf(context, name), { force: true }));
}

/** True when only some files of a dataset were fetched, of whatever version, and the rest has not come since. */
export async function isPartial(context: Context, name: string): Promise<boolean> {
  return access(fileOf(context, name)).then(
    () => true,
    () => false,
  );
}

/** The whole tree when some files of this very version were fetched, and not the rest; else undefined. */
export async function partialTree(context: Context, name: string, digest: Digest): Promise<TreeEntry[] | undefined> {
  try {
    const manifest = await readFile(fileOf(context, name));
    if (digestOf(manifest) !== digest) return undefined;
    const tree = parseTree(name, manifest);
    return tree.ok ? tree.value : undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}
