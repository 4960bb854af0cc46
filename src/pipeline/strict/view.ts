import { lstat, readdir } from "node:fs/promises";
import { join, posix } from "node:path";
import { attempt, compareCodeUnits, foldersOf, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { git } from "../../git/index.ts";
import type { Reads } from "../deps.ts";
import { covers } from "../stage.ts";
import type { Output, ParamsFrom, Stage } from "../stage.ts";
import { toolsIn } from "./tools.ts";

/** What a stage may see of the repository: paths from its root, in code-unit order, none inside of another. */
export interface View {
  /** Files and whole folders that its key tells of. */
  readonly reads: readonly string[];
  /** Those of them that are parameter files, where only some parameters are declared. */
  readonly params: readonly ParamsFrom[];
  /** Installed packages and virtual environments: not in the key, as little as /usr is. */
  readonly tools: readonly string[];
  /** The folder it goes on from, and writes to. */
  readonly checkpoint: string | null;
  /** What it writes. */
  readonly outs: readonly Output[];
}

export async function viewOf(context: Context, stage: Stage, reads: Reads): Promise<Result<View>> {
  const source = await withoutIgnored(context, reads.source);
  if (!source.ok) return source;
  const params = stage.params.filter(
    ({ path, keys }) => keys !== null && ![...reads.whole, ...source.value].some((dep) => covers(dep, path)),
  );
  const seen = [...reads.whole, ...source.value, ...stage.params.map(({ path }) => path)];
  const outs = stage.outs.filter(
    ({ path }) => !stage.outs.some((other) => other.path !== path && covers(other.path, path)),
  );
  const found = await attempt("installed packages", () => toolsIn(context, stage));
  if (!found.ok) return found;
  const tools = found.value.filter((tool) => !outs.some(({ path }) => meet(path, tool)));
  return ok({
    reads: outermost(seen),
    params,
    checkpoint: stage.checkpoint?.path ?? null,
    tools: outermost(tools),
    outs,
  });
}

/** All that a view tells of, and what is ours. */
export function placesOf({ reads, tools, checkpoint, outs }: View): ReadonlySet<string> {
  return new Set([
    ...reads,
    ...tools,
    ...(checkpoint === null ? [] : [checkpoint]),
    ...outs.map(({ path }) => path),
    ".lockstep",
  ]);
}

function meet(a: string, b: string): boolean {
  return covers(a, b) || covers(b, a);
}

function outermost(paths: readonly string[]): string[] {
  const all = new Set(paths);
  return [...all].filter((path) => !foldersOf(path).some((folder) => all.has(folder))).sort(compareCodeUnits);
}

/** A folder of the repository counts with what git sees in it: one that holds more is given piece by piece. */
async function withoutIgnored(context: Context, paths: readonly string[]): Promise<Result<string[]>> {
  const kinds = await attempt("the stage's deps", () =>
    Promise.all(paths.map((path) => lstat(join(context.cwd, path)))),
  );
  if (!kinds.ok) return kinds;
  const folders = paths.filter((_, at) => kinds.value[at]!.isDirectory());
  if (folders.length === 0) return ok([...paths]);
  const options = ["--others", "--ignored", "--exclude-standard", "--directory", "-z"];
  const listed = await git(context, ["--literal-pathspecs", "ls-files", ...options, "--", ...folders]);
  if (!listed.ok) return listed;
  const ignored = new Set(
    listed.value
      .split("\0")
      .filter((path) => path !== "")
      .map((path) => path.replace(/\/$/, "")),
  );
  const mixed = new Set([...ignored].flatMap(foldersOf));
  const pieces = async (path: string): Promise<string[]> => {
    if (ignored.has(path)) return [];
    if (!mixed.has(path)) return [path];
    const names = await readdir(join(context.cwd, path));
    return (await Promise.all(names.map((name) => pieces(posix.join(path, name))))).flat();
  };
  return attempt("the stage's deps", async () => (await Promise.all(paths.map(pieces))).flat());
}
