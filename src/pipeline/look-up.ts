import type { StageRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Result, StageKey } from "../core/index.ts";
import type { Records } from "../records/index.ts";
import type { Stage } from "./stage.ts";

export interface LookUpOptions {
  readonly records: Records;
  /** Only records that a trusted run made: what promotion may use. */
  readonly trustedOnly?: boolean;
}

/** The record of a key, if it says what this stage makes: a record that lacks an output is no use. */
export async function lookUp(
  stage: Stage,
  key: StageKey,
  { records, trustedOnly }: LookUpOptions,
): Promise<Result<StageRecord | undefined>> {
  const record = await (trustedOnly ? records.trustedStage(key) : records.stage(key));
  if (!record.ok || record.value === undefined) return record;
  const made = new Set<string>(record.value.outs.map(({ path }) => path));
  return ok(stage.outs.every(({ path }) => made.has(path)) ? record.value : undefined);
}
