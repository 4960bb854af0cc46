import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, compareCodeUnits, fail, isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { git } from "./command.ts";
import type { FileMode, Source } from "./source.ts";

/**
 * The files as they are on disk now. `list` asks git what it tracks or would track; the other questions go to the
 * file system alone, ignored files included, and cost no process.
 */
export function workingTree(context: Context): Source {
  const find = (path: string): ReturnType<typeof entry> => entry(path, join(context.cwd, path));
  return {
    label: "the working tree",
    commit: null,
    async read(path) {
      const found = await find(path);
      if (!found.ok) return found;
      if (found.value === undefined || found.value.kind === "folder") return ok(undefined);
      return attempt(path, () => readFile(join(context.cwd, path)));
    },
    async list(folder) {
      const listed = await git(context, [
        "--literal-pathspecs",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        ...(folder === "" ? [] : [folder]),
      ]);
      if (!listed.ok) return listed;
      // A file in the middle of a merge is listed once for each side.
      const paths = new Set(listed.value.split("\0").filter((path) => path !== "" && path !== folder && !isOurs(path)));
      const present = await Promise.all([...paths].map(async (path) => ((await exists(context, path)) ? [path] : [])));
      return ok(present.flat().sort(compareCodeUnits));
    },
    async stat(path) {
      const found = await find(path);
      return found.ok ? ok(found.value?.kind) : found;
    },
    async mode(path): Promise<Result<FileMode | undefined>> {
      const found = await find(path);
      if (!found.ok) return found;
      return ok(found.value === undefined || found.value.kind === "folder" ? undefined : found.value.mode);
    },
  };
}

async function entry(
  path: string,
  absolute: string,
): Promise<Result<{ kind: "file" | "folder"; mode: FileMode } | undefined>> {
  try {
    const stat = await lstat(absolute);
    if (stat.isDirectory()) return ok({ kind: "folder", mode: "755" });
    if (stat.isFile()) return ok({ kind: "file", mode: (stat.mode & 0o100) === 0 ? "644" : "755" });
    return fail({
      code: "unsupported",
      what: `${path}: ${stat.isSymbolicLink() ? "a symbolic link" : "a special file"} as input`,
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code)) return ok(undefined);
    return fail({ code: "external", what: path, problem: error.message, cause: error });
  }
}

/** Lockstep's own state is no part of the user's files, whatever .gitignore says. */
function isOurs(path: string): boolean {
  return path.startsWith(".lockstep/");
}

/** A tracked file may have been deleted; a link that leads nowhere is there all the same. */
async function exists(context: Context, path: string): Promise<boolean> {
  return lstat(join(context.cwd, path)).then(
    () => true,
    () => false,
  );
}
