import { lstat, readdir } from "node:fs/promises";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import { attempt, compareCodeUnits, fail, isSystemError, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { mapLimited } from "./files.ts";

export interface FoundFile {
  /** From the folder that was walked, POSIX; "" when it was a file itself. */
  readonly path: string;
  readonly stat: BigIntStats;
}

/** What a folder holds: every file below it, sorted. Undefined: there is nothing at the path. */
export async function walk(
  root: string,
  label: string,
): Promise<Result<{ kind: "file" | "tree"; files: FoundFile[] } | undefined>> {
  let stat: BigIntStats;
  try {
    stat = await lstat(root, { bigint: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return ok(undefined);
    return fail({ code: "external", what: label, problem: error.message, cause: error });
  }
  if (stat.isFile()) return ok({ kind: "file", files: [{ path: "", stat }] });
  if (!stat.isDirectory()) return fail(odd(label, stat));
  const files: FoundFile[] = [];
  const walked = await attempt(label, () => descend(root, "", files));
  if (!walked.ok) return walked;
  const bad = files.find((file) => !file.stat.isFile());
  if (bad !== undefined) return fail(odd(`${label}/${bad.path}`, bad.stat));
  return ok({ kind: "tree", files: files.sort((a, b) => compareCodeUnits(a.path, b.path)) });
}

async function descend(root: string, folder: string, found: FoundFile[]): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const paths = entries.map((entry) => ({ entry, path: folder === "" ? entry.name : `${folder}/${entry.name}` }));
  const files = paths.filter(({ entry }) => !entry.isDirectory());
  const stats = await mapLimited(files, 16, async ({ path }) => ({
    path,
    stat: await lstat(join(root, path), { bigint: true }),
  }));
  for (const file of stats) found.push(file);
  for (const { entry, path } of paths) if (entry.isDirectory()) await descend(root, path, found);
}

function odd(path: string, stat: BigIntStats): { code: "unsupported"; what: string; hint: string } {
  const what = stat.isSymbolicLink() ? "a symbolic link" : "a special file";
  return {
    code: "unsupported",
    what: `${path}: ${what} in data`,
    hint: "put the file itself there; a link means something else on every machine",
  };
}
