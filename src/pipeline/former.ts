import { hash, randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, fail, isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Output, Stage } from "./stage.ts";
import type { GitFiles } from "./git-files.ts";

const FOLDER = ".lockstep/former";
const FAILED = ".lockstep/failed";
const NOTE = "outs.json";

/**
 * What stood at a stage's outputs before it ran. It waits aside, so that a stage starts without its outputs, and one
 * that does not end well leaves what was there before it. Outputs marked persist are left alone throughout.
 */
export class FormerOutputs {
  readonly #context: Context;
  readonly #folder: string;
  readonly #outs: readonly string[];

  private constructor(context: Context, folder: string, outs: readonly string[]) {
    this.#context = context;
    this.#folder = folder;
    this.#outs = outs;
  }

  /** Moves them aside. An output that git tracks is refused, unless git is to keep it. */
  static async setAside(context: Context, stage: Stage, known: GitFiles): Promise<Result<FormerOutputs>> {
    for (const out of stage.outs) {
      const tracked = out.cache && (await isThere(context, out)) ? await known.in(out.path) : ok("");
      if (!tracked.ok) return tracked;
      if (tracked.value === "") continue;
      return fail({
        code: "file-invalid",
        at: stage.at(out.where),
        problem: `git tracks ${tracked.value}, and an output is deleted before its stage runs`,
        hint: `\`git rm -r --cached ${out.path}\` and ignore it, or say \`cache: false\` to keep it in git`,
      });
    }
    const outs = stage.outs.filter(({ persist }) => !persist).map(({ path }) => path);
    const former = new FormerOutputs(context, join(context.cwd, FOLDER, randomUUID()), outs);
    return attempt(FOLDER, async () => {
      await mkdir(former.#folder, { recursive: true });
      await writeFile(join(former.#folder, NOTE), JSON.stringify(outs));
      for (const [at, path] of outs.entries()) await move(join(context.cwd, path), join(former.#folder, String(at)));
      for (const { path } of stage.outs) await mkdir(dirname(join(context.cwd, path)), { recursive: true });
      context.emit({ type: "effect", name: `outputs of ${stage.name} cleared` });
      return former;
    });
  }

  /** Deletes what a try wrote. */
  async clear(): Promise<Result<void>> {
    return attempt("outputs", async () => {
      for (const path of this.#outs) await rm(join(this.#context.cwd, path), { recursive: true, force: true });
    });
  }

  /** The stage ended well: what is in place now counts. */
  async drop(stage: Stage): Promise<Result<void>> {
    return attempt(FOLDER, async () => {
      await rm(this.#folder, { recursive: true, force: true });
      await rm(join(this.#context.cwd, failedFolder(stage)), { recursive: true, force: true });
    });
  }

  /**
   * Puts them back. What the stage wrote is kept for a look at it in the folder that is given back; undefined where it
   * wrote nothing.
   */
  async putBack(stage: Stage): Promise<Result<string | undefined>> {
    const kept = failedFolder(stage);
    return attempt(FOLDER, async () => {
      const to = join(this.#context.cwd, kept);
      await rm(to, { recursive: true, force: true });
      let found = false;
      for (const path of this.#outs) {
        if (await move(join(this.#context.cwd, path), join(to, path))) found = true;
      }
      await this.#return();
      return found ? kept : undefined;
    });
  }

  /** Does the same for stages that were running when their run was killed; what they wrote is deleted. */
  static async recover(context: Context): Promise<void> {
    const root = join(context.cwd, FOLDER);
    const names = await readdir(root).catch(() => []);
    for (const name of names) {
      const folder = join(root, name);
      // Without a note nothing had been moved yet.
      const outs = JSON.parse(await readFile(join(folder, NOTE), "utf8").catch(() => "[]")) as string[];
      const former = new FormerOutputs(context, folder, outs);
      await former.clear();
      await former.#return();
    }
  }

  async #return(): Promise<void> {
    for (const [at, path] of this.#outs.entries()) {
      await move(join(this.#folder, String(at)), join(this.#context.cwd, path));
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Where a stage's half outputs are kept; a stage's name may hold what a file's cannot. */
function failedFolder({ name }: Stage): string {
  const readable = name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 60);
  return `${FAILED}/${readable}-${hash("sha256", name).slice(0, 8)}`;
}

/** False: there is nothing to move. What lies on another file system cannot be moved, and is deleted. */
async function move(from: string, to: string): Promise<boolean> {
  const there = await lstat(from).catch(() => undefined);
  if (there === undefined) return false;
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (!isSystemError(error) || error.code !== "EXDEV") throw error;
    await rm(from, { recursive: true, force: true });
    return false;
  }
}

async function isThere(context: Context, { path }: Output): Promise<boolean> {
  return lstat(join(context.cwd, path)).then(
    () => true,
    () => false,
  );
}
