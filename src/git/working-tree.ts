import { lstatSync } from "node:fs";
import type { Stats } from "node:fs";
import { readFile } from "node:fs/promises";
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
      const found = find(path);
      if (!found.ok) return found;
      if (found.value === undefined || found.value.kind === "folder") return ok(undefined);
      return attempt(path, () => readFile(join(context.cwd, path)));
    },
    async list(folder) {
      const listed = await git(context, [
        "--literal-pathspecs",
        "ls-files",
        "-z",
        "-t",
        "--cached",
        "--deleted",
        "--others",
        "--exclude-standard",
        "--",
        ...(folder === "" ? [] : [folder]),
      ]);
      if (!listed.ok) return listed;
      const paths = new Set<string>();
      for (const line of listed.value.split("\0")) {
        const [tag, path] = [line[0], line.slice(2)];
        if (path === "" || path === folder || isOurs(path)) continue;
        // "R": tracked and deleted, told after it was listed. "S": what a sparse checkout leaves out is not looked for.
        if (tag === "R" || (tag === "S" && look(join(context.cwd, path)) === undefined)) paths.delete(path);
        // A file in the middle of a merge is listed once for each side.
        else paths.add(path);
      }
      return ok([...paths].sort(compareCodeUnits));
    },
    async stat(path) {
      const found = find(path);
      return found.ok ? ok(found.value?.kind) : found;
    },
    async mode(path): Promise<Result<FileMode | undefined>> {
      const found = find(path);
      if (!found.ok) return found;
      return ok(found.value === undefined || found.value.kind === "folder" ? undefined : found.value.mode);
    },
  };
}

function entry(path: string, absolute: string): Result<{ kind: "file" | "folder"; mode: FileMode } | undefined> {
  try {
    const stat = look(absolute);
    if (stat === undefined) return ok(undefined);
    if (stat.isDirectory()) {
      // Git lists nothing of a repository in a repository.
      const apart = path !== "" && look(join(absolute, ".git")) !== undefined;
      if (apart) return fail({ code: "unsupported", what: `${path}: a submodule as input` });
      return ok({ kind: "folder", mode: "755" });
    }
    if (stat.isFile()) return ok({ kind: "file", mode: (stat.mode & 0o100) === 0 ? "644" : "755" });
    return fail({
      code: "unsupported",
      what: `${path}: ${stat.isSymbolicLink() ? "a symbolic link" : "a special file"} as input`,
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return fail({ code: "external", what: path, problem: error.message, cause: error });
  }
}

/** Lockstep's own state is no part of the user's files, whatever .gitignore says. */
function isOurs(path: string): boolean {
  return path.startsWith(".lockstep/");
}

/**
 * Undefined: nothing is there. It is asked of every input of every stage, where a promise would cost ten times the look
 * itself.
 */
function look(absolute: string): Stats | undefined {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error) && ["ENOTDIR", "ENAMETOOLONG"].includes(error.code)) return undefined;
    throw error;
  }
}
