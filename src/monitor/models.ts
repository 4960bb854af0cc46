import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { loadModels } from "../registry/index.ts";
import type { Model } from "../registry/index.ts";

/** The model with a name, or the failure that says which there are. */
export async function findModel(source: Source, name: string): Promise<Result<Model>> {
  const models = await loadModels(source);
  if (!models.ok) return models;
  const model = models.value.find((entry) => entry.name === name);
  if (model !== undefined) return ok(model);
  return fail({ code: "unknown-name", what: "model", name, known: models.value.map((entry) => entry.name) });
}
