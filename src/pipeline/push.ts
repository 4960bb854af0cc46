import type { StageRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { copyOutputs } from "../store/index.ts";
import type { LocalStore, Store } from "../store/index.ts";
import { isStored } from "./outputs.ts";
import type { Pipeline } from "./stage.ts";

/** Sends to the store what the records name and the store lacks: every file of a tree before the tree. */
export async function pushOutputs(
  context: Context,
  pipeline: Pipeline,
  records: readonly StageRecord[],
  cache: LocalStore,
  store: Store,
): Promise<Result<void>> {
  const inGit = new Set(
    pipeline.stages.flatMap(({ outs }) => outs.filter((out) => !out.cache).map(({ path }) => path)),
  );
  const outputs = records.flatMap(({ outs, profile, stage }) => [
    ...outs.filter(({ path }) => !inGit.has(path)),
    ...(profile === null ? [] : [{ path: `profile of ${stage}`, kind: "file" as const, digest: profile }]),
  ]);
  for (const output of outputs) {
    const there = await isStored(output, [store]);
    if (!there.ok) return there;
    if (there.value) continue;
    const copied = await copyOutputs(context, cache, store, [output]);
    if (!copied.ok) return copied;
    const { bytes } = copied.value;
    context.emit({ type: "transfer", direction: "push", what: output.path, bytes, total: bytes });
  }
  return ok();
}
