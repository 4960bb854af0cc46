import type { ModelLock, ModelVersion } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { chooseModels, loadModelLock } from "./models.ts";
import type { Model } from "./models.ts";

/** One version of a model, found by what a person types. */
export interface Found {
  readonly model: Model;
  readonly lock: ModelLock;
  readonly version: ModelVersion;
}

/** The version that `digits` (in production), `digits@staging`, `digits@3` or `digits@v3` names. */
export async function findVersion(source: Source, reference: string): Promise<Result<Found>> {
  const [name = "", at = "production"] = reference.split("@");
  const models = await chooseModels(source, [name]);
  if (!models.ok) return models;
  const [model] = models.value;
  if (model === undefined) throw new Error(`model ${name} is neither there nor missing`);
  const lock = await loadModelLock(source, name);
  if (!lock.ok) return lock;
  const digits = /^v?(\d+)$/.exec(at)?.[1];
  const number = digits === at ? Number(at) : (lock.value.aliases[at] ?? Number(digits));
  const version = lock.value.versions.find((entry) => entry.version === number);
  if (version !== undefined) return ok({ model, lock: lock.value, version });
  const known = [...Object.keys(lock.value.aliases), ...lock.value.versions.map((entry) => String(entry.version))];
  return fail({ code: "unknown-name", what: `version or alias of model "${name}"`, name: at, known });
}
