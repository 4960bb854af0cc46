import { failedIfAny, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { DatasetSource } from "../config/index.ts";
import { workingTree } from "../git/index.ts";
import { mapLimited } from "../store/files.ts";
import { openOrigin } from "./import-origin.ts";
import type { TransferOptions } from "./import-origin.ts";
import { differences } from "./import-pin.ts";
import { loadDataLock } from "./lock.ts";

/** How a source stands to what was imported from it. */
export type SourceState = "same" | "changed" | "gone" | "unknown";

export interface CheckedSource {
  readonly name: string;
  readonly url: string;
  readonly state: SourceState;
  /** In words; "" for a source that is the same. */
  readonly detail: string;
  /** Where a permanent redirect leads. */
  readonly movedTo?: string;
}

const WIDTH = 8;

/** Asks the sources of imported datasets (all when `names` is absent) whether they still have what was imported. */
export async function checkSources(
  context: Context,
  options: { readonly names?: readonly string[]; readonly transfer?: TransferOptions } = {},
): Promise<Result<CheckedSource[]>> {
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const imported = new Map(
    Object.entries(lock.value.datasets).flatMap(([name, { source }]) => (source === undefined ? [] : [[name, source]])),
  );
  const known = [...imported.keys()];
  const unknown = (options.names ?? []).filter((name) => !imported.has(name));
  const bad = failedIfAny(unknown.map((name) => ({ code: "unknown-name", what: "imported dataset", name, known })));
  if (bad) return bad;
  const names = [...new Set(options.names ?? known)];
  const checked = await mapLimited(names, WIDTH, async (name) =>
    check(context, name, imported.get(name)!, options.transfer),
  );
  const failed = failedIfAny(checked.flatMap((result) => (result.ok ? [] : result.failures)));
  return failed ?? ok(checked.flatMap((result) => (result.ok ? [result.value] : [])));
}

async function check(
  context: Context,
  name: string,
  source: DatasetSource,
  transfer: TransferOptions | undefined,
): Promise<Result<CheckedSource>> {
  const origin = await openOrigin(context, source.url, transfer);
  if (!origin.ok) return origin;
  const look = await origin.value.look();
  if (!look.ok) return look;
  const about = { name, url: source.url };
  if ("gone" in look.value) return ok({ ...about, state: "gone", detail: look.value.gone });
  const { pin, movedTo } = look.value;
  const found = differences(source, pin);
  const moved = movedTo === undefined ? {} : { movedTo };
  if (found === undefined) return ok({ ...about, ...moved, state: "unknown", detail: "it says nothing to compare by" });
  return ok({ ...about, ...moved, state: found.length === 0 ? "same" : "changed", detail: found.join(", ") });
}
