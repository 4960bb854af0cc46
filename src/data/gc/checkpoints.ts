import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { listCheckpoints } from "../../store/checkpoints.ts";
import { storeClock } from "../../store/gc-condemned.ts";
import type { Unneeded } from "../../store/gc-sweep.ts";
import type { Store } from "../../store/index.ts";
import type { Root } from "./root.ts";

/** How long a checkpoint waits for its stage to be run again. Its stage writes it anew while it runs. */
const LIFE_MS = 14 * 24 * 3_600_000;

/** What the checkpoints of a store name, and those that nobody came back for. `remove`: by the store's own clock. */
export async function marksOfCheckpoints(
  context: Context,
  { driver }: Store,
  remove: boolean,
): Promise<Result<{ readonly roots: readonly Root[]; readonly stale: readonly Unneeded[] }>> {
  const found = await listCheckpoints(driver);
  if (!found.ok) return found;
  const now = remove && found.value.length > 0 ? await storeClock(driver) : ok(context.now().getTime());
  if (!now.ok) return now;
  const isStale = ({ modified }: { readonly modified: number }): boolean => now.value - modified > LIFE_MS;
  return ok({
    roots: found.value.flatMap((object): Root[] => {
      if (object.checkpoint === undefined || isStale(object)) return [];
      // Anybody who may write to the store may have written it: that it names a tree is not believed, but seen.
      const why = `the checkpoint of key ${object.key.slice("checkpoints/".length).slice(0, 12)}`;
      return [{ kind: "any", digest: object.checkpoint.tree, source: "checkpoints", why }];
    }),
    stale: found.value
      .filter(isStale)
      .map(({ key, size, modified }) => ({ key, size, modified, kind: "checkpoints" as const })),
  });
}
