import type { RecordedOutput, StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { ContentDigest, Context, Result } from "../core/index.ts";
import { hasContent, restore, snapshot } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { covers } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** True when the working tree holds exactly this output. Costs one look at each file's state, no reading. */
export async function isInPlace(
  context: Context,
  output: Pick<RecordedOutput, "path" | "kind"> & { readonly digest: ContentDigest; readonly mode?: "755" | undefined },
): Promise<Result<boolean>> {
  const there = await snapshot(context, output.path);
  if (there.ok) {
    const { kind, digest, mode } = there.value;
    return ok(kind === output.kind && digest === output.digest && mode === output.mode);
  }
  return there.failures[0].code === "file-missing" ? ok(false) : there;
}

/** True when one of the stores has the output, with all that it needs. */
export async function isStored(
  output: Pick<RecordedOutput, "kind" | "digest">,
  stores: readonly Store[],
): Promise<Result<boolean>> {
  for (const store of stores) {
    const has = await hasContent(store, output);
    if (!has.ok || has.value) return has;
  }
  return ok(false);
}

/** The recorded outputs of a stage that `reader` depends on; all of them without a reader. */
export function outputsFor(record: StageRecord, reader?: Stage): RecordedOutput[] {
  if (reader === undefined) return record.outs;
  const deps = [...reader.deps, ...reader.env.files];
  return record.outs.filter(({ path }) => deps.some((dep) => covers(path, dep.path) || covers(dep.path, path)));
}

/**
 * The first output that is neither in place nor to be had; outputs that git keeps are never in a store.
 * @param inPlace learns the paths of those that are.
 */
export async function lostOutput(
  context: Context,
  stage: Stage,
  outputs: readonly RecordedOutput[],
  stores: readonly Store[],
  inPlace?: Set<string>,
): Promise<Result<RecordedOutput | undefined>> {
  for (const output of outputs) {
    const there = await isInPlace(context, output);
    if (!there.ok) return there;
    if (there.value) {
      inPlace?.add(output.path);
      continue;
    }
    const cached = stage.outs.find(({ path }) => path === output.path)?.cache ?? true;
    const stored = cached ? await isStored(output, stores) : ok(false);
    if (!stored.ok) return stored;
    if (!stored.value) return ok(output);
  }
  return ok(undefined);
}

/** Why a stage runs again although its inputs are known. */
export function lostReason(path: string): string {
  return `its output ${path} is in no store any more`;
}

/** The first output whose bytes no store has; what git keeps is not asked for. */
export async function unstoredOutput(
  stage: Stage,
  outputs: readonly RecordedOutput[],
  stores: readonly Store[],
): Promise<Result<RecordedOutput | undefined>> {
  for (const output of outputs) {
    if (stage.outs.some(({ path, cache }) => path === output.path && !cache)) continue;
    const stored = await isStored(output, stores);
    if (!stored.ok) return stored;
    if (!stored.value) return ok(output);
  }
  return ok(undefined);
}

/** Puts outputs into place, from the first store that has them; what is in place already costs one look. */
export async function bringBack(
  context: Context,
  stage: string,
  outputs: readonly RecordedOutput[],
  stores: readonly Store[],
): Promise<Result<void>> {
  for (const output of outputs) {
    // Before any store is asked: what is in place may be nowhere else.
    const there = await isInPlace(context, output);
    if (!there.ok) return there;
    if (there.value) continue;
    const restored = await restore(context, output, stores);
    if (restored.ok) continue;
    const [first, ...rest] = restored.failures.map((failure) =>
      failure.code === "blob-missing" ? { ...failure, neededBy: `${output.path} of stage "${stage}"` } : failure,
    );
    if (first !== undefined) return fail(first, ...rest);
  }
  return ok();
}
