import { createHash } from "node:crypto";
import { z } from "zod";

export const splitParams = z.strictObject({
  seed: z.number().int(),
  test_share: z.number().gt(0).lt(1),
  validation_share: z.number().gt(0).lt(1),
});
export type SplitParams = z.infer<typeof splitParams>;

export const SPLITS = ["train", "validation", "test"] as const;
export type Split = (typeof SPLITS)[number];

/**
 * Where an example belongs. It follows from the example's id alone, so that no example moves when others are added or
 * taken away. What comes after `--` is not looked at: `uci-0001--scan-2`, another picture of `uci-0001`, goes where that
 * one goes, and a model is never tested on an image whose twin it has learnt.
 */
export function splitOf(id: string, params: SplitParams): Split {
  const group = id.split("--", 1)[0] ?? id;
  const hash = createHash("sha256").update(`${params.seed}/${group}`).digest();
  const share = hash.readUIntBE(0, 6) / 2 ** 48;
  if (share < params.test_share) return "test";
  return share < params.test_share + params.validation_share ? "validation" : "train";
}
