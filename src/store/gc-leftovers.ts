import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, isSystemError } from "../core/index.ts";
import type { Result } from "../core/index.ts";

/** A half-made file or folder whose maker was killed. */
export interface Leftover {
  /** Absolute. */
  readonly path: string;
  /** Bytes, of all files in it. */
  readonly bytes: number;
}

/**
 * What lies in a folder for temporary things and was not written to for the grace period, by the clock of its own file
 * system. A folder that is not there holds none.
 */
export async function findLeftovers(folder: string, graceMs: number): Promise<Result<Leftover[]>> {
  return attempt(folder, async () => {
    const names = await namesIn(folder);
    if (names.length === 0) return [];
    const now = await clockOf(folder);
    const found = await Promise.all(names.map(async (name) => measure(join(folder, name))));
    return found.flatMap(({ path, bytes, modified }) => (now - modified >= graceMs ? [{ path, bytes }] : []));
  });
}

/** Deletes leftovers; what somebody else deleted first is fine. */
export async function deleteLeftovers(leftovers: readonly Leftover[]): Promise<Result<void>> {
  return attempt("a leftover", async () => {
    for (const { path } of leftovers) await rm(path, { recursive: true, force: true });
  });
}

async function clockOf(folder: string): Promise<number> {
  const path = join(folder, randomUUID());
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(path, "", { flag: "wx" });
    return (await lstat(path)).mtimeMs;
  } finally {
    await rm(path, { force: true });
  }
}

/** Newest time and bytes of a file, or of all that a folder holds; what vanishes meanwhile was just at work. */
async function measure(path: string): Promise<{ path: string; bytes: number; modified: number }> {
  try {
    const stat = await lstat(path);
    if (!stat.isDirectory()) return { path, bytes: stat.size, modified: stat.mtimeMs };
    const inside = await Promise.all((await readdir(path)).map(async (name) => measure(join(path, name))));
    return {
      path,
      bytes: inside.reduce((sum, { bytes }) => sum + bytes, 0),
      modified: Math.max(stat.mtimeMs, ...inside.map(({ modified }) => modified)),
    };
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return { path, bytes: 0, modified: Number.POSITIVE_INFINITY };
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return [];
    throw error;
  }
}
