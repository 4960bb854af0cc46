import { asksForPerformance, servedFile } from "../config/index.ts";
import type { Gate, ModelLock, Performance } from "../config/index.ts";
import { describe } from "../core/index.ts";
import type { Context } from "../core/index.ts";
import type { MeasuredSpeed } from "../evaluate/index.ts";
import { measureSpeed } from "../performance/index.ts";
import type { Store } from "../store/index.ts";
import type { Measured } from "./candidate.ts";
import { productionVersion } from "./models.ts";
import type { Model } from "./models.ts";

/**
 * How fast a candidate is beside production, where a gate asks: measured anew, because what the experiment measured is
 * the word of the change's own job. Undefined: no gate asks.
 */
export async function speedOf(
  context: Context,
  measured: Measured,
  options: {
    readonly model: Model;
    readonly gates: readonly Gate[];
    readonly lock: ModelLock;
    readonly store: Store;
  },
): Promise<MeasuredSpeed | undefined> {
  const { model, gates, lock, store } = options;
  if (!gates.some(asksForPerformance)) return undefined;
  const { candidate } = measured;
  if (lock.versions.some(({ digest: known }) => known === candidate.digest))
    return { kind: "none", why: "it is a version already, and nothing new is judged" };
  const production = productionVersion(lock);
  const { files, serving } = model.config.value;
  const file = servedFile(Object.keys(files), serving);
  const onnx = file === undefined ? undefined : measured.files.get(file);
  const digest = file === undefined ? undefined : candidate.files[file];
  if (onnx === undefined || digest === undefined)
    return { kind: "missing", why: "it is not clear which of the model's files is served" };
  const beside = production === undefined ? undefined : servedFile(Object.keys(production.files), serving);
  const other = beside === undefined ? undefined : production?.files[beside];
  const bytes = other === undefined ? undefined : await store.read(other);
  if (bytes?.ok === false) return { kind: "missing", why: describe(bytes.failures[0]) };
  const speed = await measureSpeed(context, {
    model: model.name,
    candidate: { digest, onnx },
    ...(other === undefined || bytes === undefined
      ? {}
      : { reference: { what: "production", digest: other, onnx: bytes.value } }),
  });
  if (!speed.ok) return { kind: "missing", why: describe(speed.failures[0]) };
  // What the branch promised before is what is in production, so it is also what a rule against `base` means.
  const asBase: Performance[] =
    speed.value.against === null ? [] : [{ ...speed.value, against: { ...speed.value.against, what: "base" } }];
  return { kind: "measured", all: [speed.value, ...asBase] };
}
