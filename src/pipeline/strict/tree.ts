import { cp, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { compareCodeUnits, isSystemError, isWithin } from "../../core/index.ts";
import type { Stage } from "../stage.ts";
import { cutParams } from "./cut-params.ts";
import { ROOMS } from "./room.ts";
import { placesOf } from "./view.ts";
import type { View } from "./view.ts";

/** What of the repository is to be laid over the tree: absolute paths. */
export interface Mounts {
  readonly shown: readonly string[];
  readonly writable: readonly string[];
}

/** Beyond this many things laid over it one by one, setting up takes seconds: the smallest of them are copied. */
const MOST_SHOWN = 400;

/** Makes the tree that stands in the place of the repository: folders to write to, and what cannot be shown as it is. */
export async function growTree(root: string, tree: string, stage: Stage, view: View): Promise<Mounts> {
  for (const folder of [ROOMS, stage.wdir ?? "", ...view.outs.map(({ path }) => dirname(path))]) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  const writable = view.checkpoint === null ? [] : [join(root, view.checkpoint)];
  for (const { path, persist } of view.outs) {
    const there = persist ? await lstat(join(root, path)).catch(() => undefined) : undefined;
    // A program that replaces a file cannot where the file is mounted; a folder is too much to copy.
    if (there?.isDirectory()) writable.push(join(root, path));
    else if (there !== undefined) await copy(join(root, path), join(tree, path));
  }
  const cut = await writeParams(view, root, tree);
  const reads = view.reads.filter((path) => !cut.has(path));
  const few = reads.length <= MOST_SHOWN ? reads : (await largestFirst(root, reads)).slice(0, MOST_SHOWN);
  const shown = new Set(few);
  for (const path of reads) if (!shown.has(path)) await copy(join(root, path), join(tree, path));
  return {
    shown: [...reads.filter((path) => shown.has(path)), ...view.tools].map((path) => join(root, path)),
    writable,
  };
}

/** Writes the parameter files of which a stage declares a part. */
async function writeParams({ params }: View, root: string, tree: string): Promise<Set<string>> {
  const cut = new Set<string>();
  for (const { path, keys } of params) {
    const text = keys && cutParams(path, await readFile(join(root, path), "utf8"), keys);
    if (typeof text !== "string") continue;
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
    cut.add(path);
  }
  return cut;
}

/** Folders count as larger than any file. */
async function largestFirst(root: string, paths: readonly string[]): Promise<string[]> {
  const sized = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(join(root, path));
      return { path, size: found.isDirectory() ? Number.MAX_VALUE : found.size };
    }),
  );
  return sized.sort((a, b) => b.size - a.size).map(({ path }) => path);
}

/** Puts the outputs in place. Gives the files that the stage wrote besides them, in code-unit order. */
export async function harvest(root: string, tree: string, view: View, { writable }: Mounts): Promise<string[]> {
  for (const { path } of view.outs) {
    if (!writable.includes(join(root, path))) await move(join(tree, path), join(root, path));
  }
  const known = placesOf(view);
  const left = await readdir(tree, { recursive: true, withFileTypes: true });
  return left
    .filter((entry) => !entry.isDirectory() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)))
    .filter((path) => !isWithin(known, path))
    .sort(compareCodeUnits);
}

async function copy(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

/** Where the place is on another disk (a linked folder), by copying. Nothing made is no error. */
async function move(from: string, to: string): Promise<void> {
  if ((await lstat(from).catch(() => undefined)) === undefined) return;
  await rm(to, { recursive: true, force: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (!isSystemError(error) || error.code !== "EXDEV") throw error;
    await copy(from, to);
  }
}
