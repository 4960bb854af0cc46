import type { Digest } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { loadModels } from "../registry/index.ts";
import { readTree } from "../store/index.ts";
import type { Store } from "../store/index.ts";
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

/**
 * A side without what is held out, under whatever path the same bytes lie, in folders too: nothing of a report can open
 * it. Of a folder that the stores do not have, nothing is read anyway.
 */
export async function withoutHeldOut<T extends Side | undefined>(
  side: T,
  paths: ReadonlySet<string>,
  stores: readonly Store[],
): Promise<T> {
  if (side === undefined || paths.size === 0) return side;
  const files: { readonly path: string; readonly digest: Digest }[] = [...side.outputs.values()];
  for (const { path: out, kind, digest } of side.outputs.values()) {
    if (kind !== "tree") continue;
    // oxlint-disable-next-line no-await-in-loop -- a few folders
    const entries = await readTree(digest, stores, out);
    if (entries.ok) files.push(...entries.value.map((one) => ({ ...one, path: `${out}/${one.path}` })));
  }
  const digests = new Set(files.filter(({ path }) => paths.has(path)).map(({ digest }) => digest));
  const copies = files.filter(({ digest }) => digests.has(digest)).map(({ path }) => path);
  const hidden = new Set<string>([...paths, ...digests, ...copies]);
  const outputs = new Map([...side.outputs].filter(([path]) => !hidden.has(path)));
  return { ...side, outputs, hidden };
}

/** Why there are no predictions, where there are none. */
export function missingPredictions({ hidden }: Side, path: string): string {
  return hidden?.has(path) === true
    ? `${path} is held out for promotion, or a copy of what is: no report opens it, so there are numbers only.`
    : `No stage made ${path}, so there are numbers only.`;
}
