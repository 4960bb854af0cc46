import { modelLockSchema, modelSchema, parseConfig } from "../config/index.ts";
import type { ModelConfig, ModelLock, ModelVersion, Positioned } from "../config/index.ts";
import { all, fail, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Result } from "../core/index.ts";
import { evaluationFailures } from "../metrics/index.ts";
import type { Source } from "../git/index.ts";

/** A folder of `models/` with its `model.yaml`. */
export interface Model {
  readonly name: string;
  /** `models/<name>` */
  readonly folder: string;
  readonly config: Positioned<ModelConfig>;
}

const MODEL_FILE = /^models\/([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\/model\.yaml$/;

/** Every model of a tree, by name in code-unit order; all problems of all files at once. */
export async function loadModels(source: Source): Promise<Result<Model[]>> {
  const paths = await source.list("models");
  if (!paths.ok) return paths;
  const models = paths.value.flatMap((path) => {
    const name = MODEL_FILE.exec(path)?.[1];
    return name === undefined ? [] : [loadModel(source, name, path)];
  });
  return all(await Promise.all(models));
}

async function loadModel(source: Source, name: string, path: string): Promise<Result<Model>> {
  const bytes = await source.read(path);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return fail({ code: "file-missing", path });
  const config = parseConfig(path, bytes.value.toString(), modelSchema);
  if (!config.ok) return config;
  const { value, at } = config.value;
  const formulas = evaluationFailures(value.evaluation, (path, which) => at(["evaluation", ...path], which));
  return failedIfAny(formulas) ?? ok({ name, folder: `models/${name}`, config: config.value });
}

/** Path of a model's lockfile. */
export function lockPath(name: string): string {
  return `models/${name}/lock.json`;
}

/** A model's versions and aliases; those of a model that was never promoted when there is no file. */
export async function loadModelLock(source: Source, name: string): Promise<Result<ModelLock>> {
  const path = lockPath(name);
  const bytes = await source.read(path);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return ok({ lockfileVersion: 1, model: name, versions: [], aliases: {} });
  const parsed = parseConfig(path, bytes.value.toString(), modelLockSchema);
  if (!parsed.ok) return parsed;
  const { value: lock, at } = parsed.value;
  if (lock.model !== name) {
    const problem = `the file is of model "${lock.model}"`;
    return fail({ code: "file-invalid", at: at(["model"]), problem });
  }
  const problem = inconsistency(lock);
  return problem === undefined ? ok(lock) : fail({ code: "file-invalid", at: at(problem.path), problem: problem.text });
}

/** What a merge of two branches can leave: the schema holds for each entry, but not for the list. */
function inconsistency(lock: ModelLock): { path: PropertyKey[]; text: string } | undefined {
  const seen = new Set<number>();
  for (const [index, { version }] of lock.versions.entries()) {
    if (seen.has(version)) return { path: ["versions", index, "version"], text: `version ${version} is there twice` };
    seen.add(version);
  }
  for (const [alias, version] of Object.entries(lock.aliases)) {
    if (version === null || seen.has(version)) continue;
    return { path: ["aliases", alias], text: `alias "${alias}" is version ${version}, which is not in the file` };
  }
  return undefined;
}

/** The version that the alias `production` (or another) names. */
export function productionVersion(lock: ModelLock, alias = "production"): ModelVersion | undefined {
  const version = lock.aliases[alias];
  return lock.versions.find((entry) => entry.version === version);
}

/** A model with a version in production. */
export interface Live {
  readonly model: Model;
  readonly version: ModelVersion;
}

/** The models (of these names, or all) that have a version in production. A name that no model has is a failure. */
export async function liveModels(source: Source, names?: readonly string[]): Promise<Result<Live[]>> {
  const models = await chooseModels(source, names);
  if (!models.ok) return models;
  const live: Live[] = [];
  for (const model of models.value) {
    const lock = await loadModelLock(source, model.name);
    if (!lock.ok) return lock;
    const version = productionVersion(lock.value);
    if (version !== undefined) live.push({ model, version });
  }
  return ok(live);
}

/** The models of these names, or all. */
export async function chooseModels(source: Source, names?: readonly string[]): Promise<Result<Model[]>> {
  const models = await loadModels(source);
  if (!models.ok || names === undefined) return models;
  const known = models.value.map((model) => model.name);
  const unknown = names.filter((name) => !known.includes(name));
  return (
    failedIfAny(unknown.map((name): Failure => ({ code: "unknown-name", what: "model", name, known }))) ??
    ok(models.value.filter((model) => names.includes(model.name)))
  );
}
