import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Context } from "../core/index.ts";
import type { KeyInputs } from "./key.ts";

/**
 * What each stage's key was made of when it last ran or was found cached here. Reasons are told from
 * it, and a frozen stage's last result is found by it: it may be deleted, and a damaged one counts as none.
 */
function fileOf(context: Context, pipeline: string, stage: string): string {
  // A stage's name may hold what a file's cannot.
  return join(context.cwd, ".lockstep", "last", `${hash("sha256", `${pipeline}\0${stage}`)}.json`);
}

/** Undefined: the stage has not run or been found cached on this machine. */
export function lastInputs(context: Context, pipeline: string, stage: string): KeyInputs | undefined {
  try {
    const { lastVersion, inputs } = JSON.parse(read(fileOf(context, pipeline, stage)));
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
  if (read(file) === text) return;
  const next = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(next, text);
  await rename(next, file);
}

/** Empty when there is none. In a run with nothing to do it is most of the work, and a promise would be most of that. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
