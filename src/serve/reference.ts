import type { ModelConfig, ModelVersion, Positioned } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { loadModelLock, loadModels } from "../registry/index.ts";
import type { PackageSource } from "./package.ts";

export interface ResolvedModel extends PackageSource {
  readonly config: Positioned<ModelConfig>;
}

/** `digits`, `digits@staging` or `digits@3` as model.yaml and lock.json of a source tell it. */
export async function resolveModel(source: Source, reference: string): Promise<Result<ResolvedModel>> {
  const [name = "", at = "production"] = reference.split("@");
  const models = await loadModels(source);
  if (!models.ok) return models;
  const model = models.value.find((entry) => entry.name === name);
  if (model === undefined) {
    return fail({ code: "unknown-name", what: "model", name, known: models.value.map((entry) => entry.name) });
  }
  const lock = await loadModelLock(source, name);
  if (!lock.ok) return lock;
  const number = /^\d+$/.test(at) ? Number(at) : lock.value.aliases[at];
  const version = lock.value.versions.find((entry): entry is ModelVersion => entry.version === number);
  if (version === undefined) {
    const known = [...Object.keys(lock.value.aliases), ...lock.value.versions.map((entry) => String(entry.version))];
    return fail({ code: "unknown-name", what: `version or alias of model "${name}"`, name: at, known });
  }
  const { serving } = model.config.value;
  if (serving === undefined) {
    const problem = `model "${name}" has no "serving": its input and output tensors are not known`;
    return fail({ code: "file-invalid", at: model.config.at([]), problem });
  }
  return ok({ name, version, serving, config: model.config });
}
