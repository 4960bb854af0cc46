import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { findVersion, loadModels } from "../registry/index.ts";
import type { Found } from "../registry/index.ts";

/** A side of a comparison as a person names it. */
export type Named =
  /** A commit by any of its names, or the working tree. */
  | { readonly kind: "tree"; readonly label: string; readonly source: Source }
  /** A version in a model's lockfile: `churn@v3`, `churn@production`. */
  | { readonly kind: "version"; readonly label: string; readonly found: Found };

/**
 * What a name means: a version where the part before its `@` is a model of the working tree, else a revision. A tag of
 * the same form is still there as `refs/tags/churn@v3`.
 */
export async function findNamed(context: Context, name: string): Promise<Result<Named>> {
  const [model, version] = name.split("@");
  if (version !== undefined && version !== "" && !version.startsWith("{")) {
    const here = workingTree(context);
    const models = await loadModels(here);
    if (!models.ok) return models;
    if (models.value.some((one) => one.name === model)) {
      const found = await findVersion(here, name);
      return found.ok ? ok({ kind: "version", label: labelOf(found.value), found: found.value }) : found;
    }
  }
  const source = await atRevision(context, name);
  return source.ok ? ok({ kind: "tree", label: name, source: source.value }) : source;
}

function labelOf({ model, version }: Found): string {
  return `${model.name}@v${version.version}`;
}
