import { fail } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { digestBytes } from "./digest-table.ts";
import { bodyOf } from "./driver.ts";
import { Layout, LayoutBuilder } from "./layout.ts";
import type { Materialized } from "./materialize.ts";
import { readPart } from "./parts.ts";
import { putLayout } from "./snapshot.ts";
import type { LocalStore, Store } from "./store.ts";

/**
 * Replaces parts that are damaged in the cache by what another store has: each becomes a blob of its own there, and the
 * layout says so from then on. Fails with the damage itself when no store has a good copy.
 */
export async function mend(
  context: Context,
  { root, path, entries, layout }: Materialized,
  damaged: readonly Digest[],
  cache: LocalStore,
  remotes: readonly Store[],
): Promise<Result<Layout>> {
  const builder = new LayoutBuilder();
  const labels = new Map(entries.map((entry) => [entry.digest, `${path}/${entry.path}`]));
  for (const part of damaged) {
    const label = labels.get(part) ?? path;
    const local = await readPart(cache, layout, part, label);
    let failure: Failure | undefined = local.ok ? undefined : local.failures[0];
    let length = local.ok ? local.value.length : 0;
    for (const remote of local.ok ? [] : remotes) {
      const there = await remote.layout(root);
      const bytes = there.ok ? await readPart(remote, there.value, part, label) : there;
      if (!bytes.ok) continue;
      const stored = await cache.driver.put(blobKey(part), bodyOf(bytes.value, part), { replace: true });
      if (!stored.ok) return stored;
      failure = undefined;
      ({ length } = bytes.value);
      context.emit({
        type: "warning",
        message: `${label} was damaged in ${cache.url}; fetched again from ${remote.url}`,
      });
      break;
    }
    if (failure !== undefined) return fail(failure);
    const lie = entries.find(({ digest, size }) => digest === part && size !== length);
    if (lie !== undefined) {
      const problem = `it says that ${path}/${lie.path} has ${lie.size} bytes; it has ${length}`;
      return fail({ code: "tree-invalid", tree: root, problem });
    }
    if (local.ok) continue; // its place is right
    builder.add(digestBytes(part), 0, { offset: 0, length });
  }
  builder.takeAll(layout);
  const placed = await putLayout(cache, root, builder);
  return placed.ok ? Layout.parse(root, builder.encode()) : placed;
}
