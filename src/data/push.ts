import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { condemned, copyOutputs, hasContent, localCache, snapshot } from "../store/index.ts";
import type { LocalStore, Store } from "../store/index.ts";
import { choose, formerVersions } from "./choose.ts";
import type { NamedDataset } from "./choose.ts";

export interface PushedData {
  readonly name: string;
  /** Objects that the store did not have. */
  readonly blobs: number;
  readonly bytes: number;
}

/** Copies datasets, as the lockfile names them, to a store; all of them when `names` is absent. */
export async function pushData(
  context: Context,
  options: { readonly names?: readonly string[]; readonly to: Store },
): Promise<Result<PushedData[]>> {
  const chosen = await choose(context, options.names);
  if (!chosen.ok) return chosen;
  const doomed = await condemned(options.to);
  if (!doomed.ok) return doomed;
  const cache = localCache(context);
  const pushed: PushedData[] = [];
  for (const { name, dataset } of chosen.value) {
    const bases = await formerVersions(context, name);
    const there = await hasContent(options.to, dataset);
    if (!there.ok) return there;
    const ready = await inCache(context, { name, dataset }, cache);
    // What is nowhere here need not be, as long as the store has it.
    if (!ready.ok && !(there.value && doomed.value.size === 0)) return ready;
    const copied = ready.ok
      ? await copyOutputs(context, cache, options.to, [dataset], {
          bases,
          condemned: doomed.value,
          task: `push ${name}`,
        })
      : ok({ blobs: 0, bytes: 0 });
    if (!copied.ok) return copied;
    pushed.push({ name, ...copied.value });
  }
  return ok(pushed);
}

/** Deleted caches are made again from the working tree, where that is still what the lockfile says. */
async function inCache(context: Context, { name, dataset }: NamedDataset, cache: LocalStore): Promise<Result<void>> {
  const cached = await hasContent(cache, dataset);
  if (!cached.ok) return cached;
  if (cached.value) return ok();
  const taken = await snapshot(context, dataset.path, cache);
  if (taken.ok && taken.value.digest === dataset.digest) return ok();
  if (taken.ok) return fail({ code: "data-changed", dataset: name, path: dataset.path });
  if (taken.failures[0].code !== "file-missing") return taken;
  return fail({ code: "blob-missing", digest: dataset.digest, neededBy: `dataset "${name}"`, store: cache.url });
}
