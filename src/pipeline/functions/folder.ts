import { readFile, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { compareCodeUnits, isRelativePath } from "../../core/index.ts";
import { coded, kindOf, wrong } from "./coded.ts";
import type { Coded } from "./coded.ts";

/** The files of a folder and of those in it, by their path in the folder, in code-unit order. */
export async function readFolder(folder: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort(compareCodeUnits);
  const files: [string, Buffer][] = [];
  for (const path of paths) files.push([path, await readFile(join(folder, path))]);
  return Object.fromEntries(files);
}

/** The same, to be written: path in the folder -> bytes. */
export function toFolder(value: unknown): Coded<[path: string, bytes: Uint8Array][]> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    return wrong(`is ${kindOf(value)}; a folder is an object of bytes by their paths`);
  const files = Object.entries(value);
  for (const [path, bytes] of files) {
    if (!isRelativePath(path)) return wrong(`has "${path}", which is no path inside of a folder`);
    if (!(bytes instanceof Uint8Array)) return wrong(`has ${kindOf(bytes)} at "${path}", not bytes`);
    const within = files.find(([other]) => path.startsWith(`${other}/`));
    if (within !== undefined) return wrong(`has "${within[0]}" both as a file and as a folder`);
  }
  return files.length === 0 ? wrong("has no files, and a folder without files is none") : coded(files);
}
