import { appendFile, copyFile, mkdir, readFile, readdir } from "node:fs/promises";
import { constants } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";

/** What `init` did to each file. */
export interface InitReport {
  readonly written: readonly string[];
  /** Files that were there: left as they are. */
  readonly kept: readonly string[];
}

const IGNORED = [".lockstep/", "build/"];

/** Writes the workflows, the settings and a first pipeline with its model; a file that exists is never changed. */
export async function initialise(root: string, packageRoot: string): Promise<Result<InitReport>> {
  const written: string[] = [];
  const kept: string[] = [];
  try {
    for (const { from, to } of await templates(packageRoot)) {
      await mkdir(dirname(join(root, to)), { recursive: true });
      try {
        await copyFile(from, join(root, to), constants.COPYFILE_EXCL);
        written.push(to);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        kept.push(to);
      }
    }
    ((await ignore(root)) ? written : kept).push(".gitignore");
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return fail({ code: "external", what: "writing the files", problem, cause: error });
  }
  return ok({ written, kept });
}

interface Template {
  readonly from: string;
  readonly to: string;
}

/** The project's own workflows are the templates of the loop, so that what users get is what is run here. */
async function templates(packageRoot: string): Promise<Template[]> {
  const workflows = join(packageRoot, ".github", "workflows");
  const loop = (await readdir(workflows)).filter((file) => /^lockstep-[a-z]+\.yml$/.test(file));
  const first = join(packageRoot, "templates", "first");
  const files = (await readdir(first, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return [
    ...loop.map((file) => ({ from: join(workflows, file), to: `.github/workflows/${file}` })),
    ...files.map((entry) => {
      const from = join(entry.parentPath, entry.name);
      return { from, to: relative(first, from).split(sep).join("/") };
    }),
  ].sort((a, b) => compareCodeUnits(a.to, b.to));
}

/** Appends what git must not see to .gitignore; true when something was missing. */
async function ignore(root: string): Promise<boolean> {
  const file = join(root, ".gitignore");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const there = new Set(text.split("\n").map((line) => line.trim()));
  const missing = IGNORED.filter((entry) => !there.has(entry) && !there.has(`/${entry}`));
  if (missing.length === 0) return false;
  await appendFile(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}${missing.join("\n")}\n`);
  return true;
}
