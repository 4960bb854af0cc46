import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { foldersOf, isWithin } from "../../core/index.ts";
import type { Context } from "../../core/index.ts";
import { program } from "../functions/run.ts";
import { covers } from "../stage.ts";
import type { Stage } from "../stage.ts";
import { isTemporary, TEMPORARY } from "./bubblewrap.ts";

/** What makes a folder an environment of its own: of venv and virtualenv, of conda. */
const ENVIRONMENT = ["pyvenv.cfg", "conda-meta"];

/** Installed packages and virtual environments in the repository, from its root. */
export async function toolsIn(context: Context, stage: Stage): Promise<string[]> {
  const { cwd } = context;
  const places = [stage.wdir ?? "", ...stage.deps.map(({ path }) => path)];
  const folders = [...new Set(["", ...places.flatMap((path) => [path, ...foldersOf(path)])])];
  const packages = folders.map((path) => join(cwd, path, "node_modules")).filter((path) => existsSync(path));
  const beside = await Promise.all(
    [cwd, join(cwd, stage.wdir ?? "")].map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  );
  const environments = [...beside.flat(), ...onPath(context)].filter((folder) =>
    ENVIRONMENT.some((mark) => existsSync(join(folder, mark))),
  );
  return [...packages, ...environments, ...(stage.run === null ? [] : [ownCode(), ...manifests(cwd, stage.run.module)])]
    .map((folder) => relative(cwd, folder))
    .filter((path) => path !== "" && !path.startsWith(".."));
}

/** Tools that lie where temporary files do: what is on the PATH, this program, and packages above the repository. Absolute. */
export function toolsAmongTemporary(context: Context, root: string): string[] {
  const own = ownCode();
  const packages = [...foldersOf(root), ...foldersOf(own)].map((folder) => join(folder, "node_modules"));
  const meetsRoot = (path: string): boolean => covers(path, root) || covers(root, path);
  return [...new Set([...onPath(context), dirname(dirname(process.execPath)), own, ...packages])].filter(
    (path) => isTemporary(path) && !TEMPORARY.includes(path) && !meetsRoot(path) && existsSync(path),
  );
}

/** Node looks at them to load a module. What counts of them is in the lockfile, which a function's key holds. */
function manifests(cwd: string, module: string): string[] {
  return ["", ...foldersOf(module)]
    .map((folder) => join(cwd, folder, "package.json"))
    .filter((path) => existsSync(path));
}

/** The folder of this program's own code: a function's stage is run by some of it. */
function ownCode(): string {
  const folder = dirname(program());
  return folder.endsWith("/src/pipeline/functions") ? join(folder, "../..") : folder;
}

/** Where machines keep what is installed, and what is no file of anybody's. */
const SYSTEM =
  /^\/(bin|boot|dev|etc|lib\w*|nix|opt|proc|run|sbin|snap|sys|tmp|usr|var)\/|\/(node_modules|site-packages)\//;

/** Whether a file outside of the repository is somebody's, and neither installed nor a program's own setting or cache. */
export function isForeign(context: Context, path: string): boolean {
  const own = ownCode();
  const manifest = foldersOf(own).some((folder) => path === join(folder, "package.json"));
  return !SYSTEM.test(path) && !/\/\./.test(path) && !manifest && !isWithin(new Set([...onPath(context), own]), path);
}

/** Where programs are installed: of /opt/x/bin, /opt/x. */
export function onPath({ env }: Context): string[] {
  return (env["PATH"] ?? "").split(delimiter).map((folder) => dirname(folder));
}
