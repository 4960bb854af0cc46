import type { StageRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { condemned, copyOutputs } from "../store/index.ts";
import type { LocalStore, Store } from "../store/index.ts";
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
  const stored = records.map((record) => ({ ...record, outs: record.outs.filter(({ path }) => !inGit.has(path)) }));
  return sendOutputs(context, stored, cache, store);
}

/** The same, of records whose outputs are all the store's. */
export async function sendOutputs(
  context: Context,
  records: readonly Pick<StageRecord, "outs" | "profile" | "stage">[],
  cache: LocalStore,
  store: Store,
): Promise<Result<void>> {
  const outputs = records.flatMap(({ outs, profile, stage }) => [
    ...outs,
    ...(profile === null ? [] : [{ path: `profile of ${stage}`, kind: "file" as const, digest: profile }]),
  ]);
  const doomed = outputs.length === 0 ? ok(new Set<never>()) : await condemned(store);
  if (!doomed.ok) return doomed;
  for (const output of outputs) {
    const copied = await copyOutputs(context, cache, store, [output], {
      condemned: doomed.value,
      task: `push ${output.path}`,
    });
    if (!copied.ok) return copied;
    const { bytes } = copied.value;
    if (bytes === 0) continue;
    context.emit({ type: "transfer", direction: "push", what: output.path, bytes, total: bytes });
  }
  return ok();
}
