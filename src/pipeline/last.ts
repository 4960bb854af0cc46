import { hash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Context } from "../core/index.ts";
import type { KeyInputs } from "./key.ts";

/**
 * What each stage's key was made of when it last ran or was found cached here. Only reasons are told from it: it may
 * be deleted, and a damaged one counts as none.
 */
function fileOf(context: Context, pipeline: string, stage: string): string {
  // A stage's name may hold what a file's cannot.
  return join(context.cwd, ".lockstep", "last", `${hash("sha256", `${pipeline}\0${stage}`)}.json`);
}

/** Undefined: the stage has not run or been found cached on this machine. */
export async function lastInputs(context: Context, pipeline: string, stage: string): Promise<KeyInputs | undefined> {
  try {
    const { lastVersion, inputs } = JSON.parse(await readFile(fileOf(context, pipeline, stage), "utf8"));
    return lastVersion === 1 ? (inputs as KeyInputs) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes only when something changed. */
export async function rememberInputs(
  context: Context,
  pipeline: string,
  stage: string,
  inputs: KeyInputs,
): Promise<void> {
  const file = fileOf(context, pipeline, stage);
  const text = JSON.stringify({ lastVersion: 1, inputs });
  if ((await readFile(file, "utf8").catch(() => "")) === text) return;
  const next = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(next, text);
  await rename(next, file);
}
