import { existsSync, mkdirSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { fail, ok, spawn, type Location, type Result } from "../../core/index.ts";
import { gitBytes, resolveObject } from "../repository/git.ts";
import type { World } from "../world.ts";

/** Actions of GitHub's that the sandbox has its own version of, at any ref. */
const PROVIDED = ["checkout", "setup-node", "setup-python", "upload-artifact", "download-artifact", "cache"];
const PROVIDED_FOLDER = join(import.meta.dirname, "provided");

/** Folders that stand for action repositories, by `owner/name`. */
export type ActionFolders = ReadonlyMap<string, string>;

/** The repositories that the sandbox serves from this machine's disk, whatever the ref. */
export function actionFolders(projectRoot: string): Map<string, string> {
  const provided = PROVIDED.map((name): [string, string] => [`actions/${name}`, join(PROVIDED_FOLDER, name)]);
  return new Map([...provided, ["lockstep-ml/lockstep", projectRoot]]);
}

export interface ResolvedAction {
  /** Absolute folder with its `action.yml`. */
  readonly folder: string;
  /** How messages name the folder. */
  readonly label: string;
  /** `owner/name` and ref; "" for a local action. */
  readonly repository: string;
  readonly ref: string;
}

export interface ResolveOptions {
  readonly world: World;
  readonly folders: ActionFolders;
  readonly workspace: string;
  /** Where actions of repositories in the sandbox are unpacked. */
  readonly cache: string;
  readonly at: Location;
}

/** Finds the folder that a step's `uses:` means. */
export async function resolveAction(uses: string, options: ResolveOptions): Promise<Result<ResolvedAction>> {
  const { world, folders, workspace, cache, at } = options;
  if (uses.startsWith("./")) {
    const folder = resolve(workspace, uses);
    if (folder !== workspace && !folder.startsWith(workspace + sep)) {
      return fail({ code: "file-invalid", at, problem: `\`${uses}\` leads out of the workspace` });
    }
    return ok({ folder, label: uses.replace(/\/$/u, ""), repository: "", ref: "" });
  }
  const [path = "", ref = ""] = uses.split("@", 2);
  const [owner = "", name = "", ...rest] = path.split("/");
  const repository = `${owner}/${name}`;
  const found = (root: string): Result<ResolvedAction> =>
    ok({ folder: join(root, ...rest), label: path, repository, ref });
  const served = folders.get(repository);
  if (served !== undefined) return found(served);
  const hosted = world.repositories.get(repository);
  const commit = hosted === undefined ? undefined : await resolveObject(hosted, ref);
  if (hosted === undefined || commit === undefined) {
    const problem = `unable to resolve action \`${uses}\`: ${hosted === undefined ? "repository" : "version"} not found`;
    const hint = `this sandbox has ${[...folders.keys()].join(", ")}, and the repositories it hosts`;
    return fail({ code: "file-invalid", at, problem, hint });
  }
  const unpacked = join(cache, owner, name, commit);
  if (!existsSync(unpacked)) {
    mkdirSync(unpacked, { recursive: true });
    const archive = await gitBytes(hosted, ["archive", "--format=tar", commit]);
    const tar = await spawn("tar", ["-x", "-C", unpacked], { input: archive });
    if (tar.exitCode !== 0) return fail({ code: "external", what: `unpacking ${uses}`, problem: tar.stderr.trim() });
  }
  return found(unpacked);
}
