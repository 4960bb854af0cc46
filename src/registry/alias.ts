import type { ModelLock, ModelVersion } from "../config/index.ts";
import { fail, fileJson, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { swapBranch } from "../git/index.ts";
import type { Identity, Source } from "../git/index.ts";
import { renderCard } from "./card.ts";
import { chooseModels, loadModelLock, lockPath, productionVersion } from "./models.ts";

export interface MoveAliasOptions {
  readonly remote: string;
  /** Default branch. */
  readonly branch: string;
  readonly author: Identity;
  readonly model: string;
  /** `production` when absent. */
  readonly alias?: string;
  /** A version's number; "previous" is the newest one before that which the alias names. */
  readonly to: number | "previous";
}

export interface AliasMoved {
  readonly model: string;
  readonly alias: string;
  readonly version: number;
  /** False: it was there already. */
  readonly changed: boolean;
  readonly commit: string;
}

/**
 * Moves an alias by one commit on the default branch, computed from the branch as it stands. Promotion leaves such a
 * choice alone: a version that was taken back stays so until the sources change or somebody moves the alias again.
 */
export async function moveAlias(context: Context, options: MoveAliasOptions): Promise<Result<AliasMoved>> {
  const { model: name, alias = "production", branch } = options;
  let target: ModelVersion | undefined;
  const swapped = await swapBranch(context, {
    remote: options.remote,
    branch,
    author: options.author,
    change: async (current) => {
      if (current === undefined) return fail({ code: "unknown-name", what: "branch", name: branch, known: [] });
      const lock = await loadModelLock(current, name);
      if (!lock.ok) return lock;
      const version = pick(lock.value, alias, options.to);
      if (!version.ok) return version;
      target = version.value;
      if (lock.value.aliases[alias] === target.version) return ok(undefined);
      return commitFor(current, lock.value, alias, target);
    },
  });
  if (!swapped.ok) return swapped;
  if (target === undefined) throw new Error("the branch was not looked at");
  const { changed, commit } = swapped.value;
  if (changed) context.emit({ type: "effect", name: `${name} alias moved` });
  return ok({ model: name, alias, version: target.version, changed, commit });
}

function pick(lock: ModelLock, alias: string, to: number | "previous"): Result<ModelVersion> {
  const current = productionVersion(lock, alias);
  const version =
    to === "previous"
      ? lock.versions.findLast((entry) => current !== undefined && entry.version < current.version)
      : lock.versions.find((entry) => entry.version === to);
  if (version !== undefined) return ok(version);
  const known = lock.versions.map((entry) => String(entry.version));
  return fail({ code: "unknown-name", what: `version of model "${lock.model}"`, name: String(to), known });
}

async function commitFor(
  current: Source,
  lock: ModelLock,
  alias: string,
  version: ModelVersion,
): Promise<Result<{ message: string; files: Map<string, Buffer> }>> {
  const models = await chooseModels(current, [lock.model]);
  if (!models.ok) return models;
  const next = { ...lock, aliases: { ...lock.aliases, [alias]: version.version } };
  const files = new Map([[lockPath(lock.model), Buffer.from(fileJson(next))]]);
  const [model] = models.value;
  const live = productionVersion(next);
  if (model !== undefined && live !== undefined) {
    files.set(`${model.folder}/CARD.md`, Buffer.from(renderCard(model.name, model.config.value, live)));
  }
  return ok({ message: `${lock.model}: ${alias} is version ${version.version}\n\n${version.digest}\n`, files });
}
