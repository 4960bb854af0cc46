import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { canonicalJson, fail, isRelativePath, isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Dataset, DatasetSource } from "../config/index.ts";
import { git, workingTree } from "../git/index.ts";
import { localCache, snapshot, writeFileAtomically } from "../store/index.ts";
import { changeDataLock, loadDataLock, saveDataLock } from "./lock.ts";
import { isPartial } from "./partial.ts";

export interface AddedData {
  readonly name: string;
  readonly dataset: Dataset;
  /** False when the lockfile said so already. */
  readonly changed: boolean;
  /** True when a line was added to .gitignore. */
  readonly ignored: boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/**
 * Tracks a file or folder as a dataset: stores its bytes in the local cache, then writes `data.lock.json`, then has git
 * ignore the path unless git tracks it. A dataset keeps its name when its content changes (and loses its source, which
 * it is no longer a copy of); a new one is named after its path's last part, without its extension.
 */
export async function addData(
  context: Context,
  options: { readonly path: string; readonly name?: string; readonly source?: DatasetSource },
): Promise<Result<AddedData>> {
  const path = posix.normalize(options.path).replace(/\/$/, "");
  if (!isRelativePath(path) || path.split("/").some((part) => part === ".git" || part === ".lockstep")) {
    return fail({ code: "usage", message: `${options.path} is not a path of data inside the repository` });
  }
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const { datasets } = lock.value;
  const known = Object.keys(datasets).find((name) => datasets[name]?.path === path);
  const name = options.name ?? known ?? posix.basename(path).replace(/(.)\.[^.]*$/, "$1");
  const clash = clashOf(name, path, datasets, known);
  if (clash !== undefined) return fail({ code: "usage", ...clash });

  if (known !== undefined && (await isPartial(context, known))) {
    const message = `only some files of dataset "${known}" are here, so its new version cannot be taken from them`;
    return fail({ code: "usage", message, hint: `\`lockstep data pull ${known}\` brings the rest` });
  }
  const former = known === undefined ? [] : [datasets[known]!.digest];
  const taken = await snapshot(context, path, localCache(context), former);
  if (!taken.ok) return taken;
  const dataset: Dataset = {
    path,
    ...taken.value,
    ...(options.source === undefined ? {} : { source: options.source }),
  };
  return changeDataLock(context, async () => record(context, name, dataset));
}

/** Enters a dataset in the lockfile as it is now (another process may have changed it meanwhile) and in .gitignore. */
async function record(context: Context, name: string, dataset: Dataset): Promise<Result<AddedData>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const { datasets } = lock.value;
  const { path, source } = dataset;
  const known = Object.keys(datasets).find((other) => datasets[other]?.path === path);
  const clash = clashOf(name, path, datasets, known);
  if (clash !== undefined) return fail({ code: "usage", ...clash });
  const before = known === undefined ? undefined : datasets[known];
  const moved = source !== undefined && canonicalJson(source) !== canonicalJson(before?.source ?? null);
  const changed = known !== name || before?.digest !== dataset.digest || before.mode !== dataset.mode || moved;
  if (changed) {
    const others = Object.fromEntries(Object.entries(datasets).filter(([other]) => other !== known));
    const saved = await saveDataLock(context, { lockfileVersion: 1, datasets: { ...others, [name]: dataset } });
    if (!saved.ok) return saved;
  }
  const ignored = await ignore(context, path);
  return ignored.ok ? ok({ name, dataset, changed, ignored: ignored.value }) : ignored;
}

/** Why a dataset cannot have this name and path. */
export function clashOf(
  name: string,
  path: string,
  datasets: Readonly<Record<string, Dataset>>,
  known: string | undefined,
): { message: string; hint: string } | undefined {
  if (!NAME.test(name)) {
    return { message: `"${name}" cannot be a dataset's name`, hint: "--name with letters, digits, _ . -" };
  }
  if (name !== known && Object.hasOwn(datasets, name)) {
    const message = `there is a dataset "${name}" already, at ${datasets[name]?.path}`;
    return { message, hint: "--name gives this one another name" };
  }
  for (const [other, dataset] of Object.entries(datasets)) {
    if (dataset.path === path) continue;
    if (!dataset.path.startsWith(`${path}/`) && !path.startsWith(`${dataset.path}/`)) continue;
    const message = `${path} and dataset "${other}" (${dataset.path}) lie in one another`;
    return { message, hint: "track the outer folder, or its parts one by one" };
  }
  return undefined;
}

/** Adds a path to .gitignore when git neither tracks nor ignores it. True: a line was added. */
async function ignore(context: Context, path: string): Promise<Result<boolean>> {
  const tracked = await git(context, ["--literal-pathspecs", "ls-files", "-z", "--", path]);
  if (!tracked.ok) return tracked;
  if (tracked.value !== "") return ok(false);
  const checked = await git(context, ["check-ignore", "--quiet", "--", path]);
  if (checked.ok) return ok(false);
  const [failure] = checked.failures;
  if (failure.code !== "git" || failure.exitCode !== 1) return checked;
  const file = join(context.cwd, ".gitignore");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (isSystemError(error) && error.code === "ENOENT") return "";
    throw error;
  });
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  const written = await writeFileAtomically(context, file, `${text}${gap}/${pattern(path)}\n`);
  return written.ok ? ok(true) : written;
}

/** A path as a .gitignore pattern that means it alone. */
function pattern(path: string): string {
  return path.replace(/[\\*?[]/g, "\\$&").replace(/ $/, "\\ ");
}
