import type { Looks } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { testSetOf } from "../metrics/index.ts";
import type { Predictions } from "../metrics/index.ts";
import type { Made } from "./candidate.ts";

/** Counts that a promotion judged these predictions, of its own run: before anything that follows from it is written. */
export async function countLook({ records, run }: Made, predictions: Predictions): Promise<Result<Looks>> {
  const look = { testSet: testSetOf(predictions), predictions: predictions.digest, run };
  const published = await records.publish({ stages: [], runs: [], looks: [look] });
  if (!published.ok) return published;
  const [looks] = published.value.looks;
  if (looks === undefined) throw new Error("a look that was counted has no counter");
  return ok(looks);
}
