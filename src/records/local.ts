import { readFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { attempt, fail, fileJson, isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { writeFileAtomically } from "../store/index.ts";
import { runPath, stagePath } from "./paths.ts";
import type { Published } from "./records.ts";

/** The records of this machine. */
function folderOf(context: Context): string {
  return join(context.cwd, ".lockstep", "records");
}

/** Undefined: there is no such record. */
export async function readLocal(context: Context, path: string): Promise<Result<Buffer | undefined>> {
  try {
    // Asked for every stage of a plan: a promise would cost many times the reading of a kilobyte.
    return ok(readFileSync(join(folderOf(context), path)));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOENT") return ok(undefined);
    return fail({ code: "external", what: path, problem: error.message, cause: error });
  }
}

/** The runs that are recorded here. A record that is written again is another file, so its number changes. */
export async function listLocalRuns(context: Context): Promise<Result<{ path: string; id: string }[]>> {
  return attempt(".lockstep/records", async () => {
    const folders = await namesIn(join(folderOf(context), "runs"));
    const files = await Promise.all(
      folders.map(async (folder) => {
        const names = (await namesIn(join(folderOf(context), "runs", folder))).filter((name) => name.endsWith(".json"));
        return Promise.all(
          names.map(async (name) => {
            const path = `runs/${folder}/${name}`;
            const { ino, mtimeNs, size } = await lstat(join(folderOf(context), path), { bigint: true });
            return { path, id: `${ino}.${mtimeNs}.${size}` };
          }),
        );
      }),
    );
    return files.flat();
  });
}

/** Stages before runs: a run that is there has all its stages. */
export async function saveLocal(context: Context, { stages, runs }: Published): Promise<Result<void>> {
  const files = [
    ...stages.map((record) => [stagePath(record.key), record] as const),
    ...runs.map((record) => [runPath(record.commit, record.pipeline), record] as const),
  ];
  for (const [path, record] of files) {
    const written = await writeFileAtomically(context, join(folderOf(context), path), fileJson(record));
    if (!written.ok) return written;
  }
  context.emit({ type: "effect", name: "records saved" });
  return ok();
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error) && ["ENOENT", "ENOTDIR"].includes(error.code)) return [];
    throw error;
  }
}
