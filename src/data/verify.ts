import { failedIfAny, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { verifyRoot } from "../store/index.ts";
import type { Checked, Store } from "../store/index.ts";
import { choose } from "./choose.ts";

export interface VerifiedData {
  readonly name: string;
  /** Objects that were read and are what they are called. */
  readonly blobs: number;
}

/** Reads every object of every dataset in a store and checks it. All that is missing or damaged comes back at once. */
export async function verifyData(
  context: Context,
  options: { readonly names?: readonly string[]; readonly store: Store },
): Promise<Result<VerifiedData[]>> {
  const chosen = await choose(context, options.names);
  if (!chosen.ok) return chosen;
  const failures: Failure[] = [];
  const verified: VerifiedData[] = [];
  const checked: Checked = new Map();
  for (const [at, { name, dataset }] of chosen.value.entries()) {
    const found = await verifyRoot(options.store, dataset, dataset.path, checked);
    if (!found.ok) return found;
    failures.push(
      ...found.value.failures.map((failure) =>
        failure.code === "blob-missing" ? { ...failure, neededBy: `dataset "${name}"` } : failure,
      ),
    );
    verified.push({ name, blobs: found.value.objects });
    context.emit({ type: "progress", task: "verify", unit: "files", done: at + 1, total: chosen.value.length });
  }
  return failedIfAny(failures) ?? ok(verified);
}
