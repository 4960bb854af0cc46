import type { Source } from "../git/index.ts";
import { loadModels } from "../registry/index.ts";
import type { Side } from "./side.ts";

/**
 * What models hold out for promotion, by path: as any of these trees says, so that a change can neither open what the
 * base holds out nor show what it begins to hold out. Models that cannot be read say nothing: nothing is judged by them.
 */
export async function heldOutPaths(...sources: readonly Source[]): Promise<ReadonlySet<string>> {
  const loaded = await Promise.all(sources.map(async (source) => loadModels(source)));
  const models = loaded.flatMap((one) => (one.ok ? one.value : []));
  return new Set(models.flatMap(({ config }) => config.value.evaluation.held_out?.predictions ?? []));
}

/** A side without what is held out, under whatever path the same bytes lie: nothing of a report can open it. */
export function withoutHeldOut<T extends Side | undefined>(side: T, paths: ReadonlySet<string>): T {
  if (side === undefined || paths.size === 0) return side;
  const hidden = new Set<string>(paths);
  for (const path of paths) {
    const out = side.outputs.get(path);
    if (out !== undefined) hidden.add(out.digest);
  }
  const outputs = new Map(side.outputs);
  for (const [path, { digest }] of side.outputs) {
    if (!hidden.has(path) && !hidden.has(digest)) continue;
    hidden.add(path);
    outputs.delete(path);
  }
  return { ...side, outputs, hidden };
}

/** Why there are no predictions, where there are none. */
export function missingPredictions({ hidden }: Side, path: string): string {
  return hidden?.has(path) === true
    ? `${path} is held out for promotion, or a copy of what is: no report opens it, so there are numbers only.`
    : `No stage made ${path}, so there are numbers only.`;
}
