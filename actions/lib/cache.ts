import { createHash } from "node:crypto";
import { join } from "node:path";
import { message, ok } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { git } from "../../src/git/index.ts";

/** What a cache entry holds: the blobs of this working copy, so that a stage's inputs need not come from the store. */
const PATHS = [".lockstep/cache"];
const PREFIX = "lockstep-blobs-1-";

export interface Restored {
  readonly key: string;
  /** True when there was an entry of just this key: entries are immutable, so saving again is no use. */
  readonly exact: boolean;
}

/**
 * Restores the local blob cache. It only saves transfers: every blob is verified when it is read, so that a poisoned
 * or outdated entry costs time and nothing else. What goes wrong is a warning.
 */
export async function restoreBlobs(context: Context): Promise<Restored | undefined> {
  const key = await cacheKey(context);
  if (!key.ok) return warn(context, message(key.failures[0]));
  try {
    const cache = await import("@actions/cache");
    if (!cache.isFeatureAvailable()) return undefined;
    const hit = await cache.restoreCache(absolute(context), key.value, [PREFIX]);
    return { key: key.value, exact: hit === key.value };
  } catch (error) {
    return warn(context, String(error));
  }
}

export async function saveBlobs(context: Context, restored: Restored): Promise<void> {
  if (restored.exact) return;
  try {
    const cache = await import("@actions/cache");
    await cache.saveCache(absolute(context), restored.key);
  } catch (error) {
    warn(context, String(error));
  }
}

/** The client resolves relative paths against its own idea of the workspace. */
function absolute(context: Context): string[] {
  return PATHS.map((path) => join(context.cwd, path));
}

/** Changes with the lockfile and the pipelines: that is when other blobs are needed. */
async function cacheKey(context: Context): Promise<Result<string>> {
  const listed = await git(context, [
    "ls-files",
    "-s",
    "-z",
    "--",
    "data.lock.json",
    "pipelines",
    "dvc.yaml",
    "params.yaml",
  ]);
  if (!listed.ok) return listed;
  return ok(`${PREFIX}${createHash("sha256").update(listed.value).digest("hex").slice(0, 32)}`);
}

function warn(context: Context, problem: string): undefined {
  context.emit({ type: "warning", message: `the Actions cache was not used: ${problem}` });
  return undefined;
}
