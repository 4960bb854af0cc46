import type { ZodType } from "zod";
import { runRecordSchema, stageRecordSchema } from "../config/index.ts";
import type { RunRecord, StageRecord } from "../config/index.ts";
import type { Context } from "../core/index.ts";

/** No record is as large; what is was not written by us. */
const LARGEST = 16 * 1024 * 1024;

/** Reads a stage's record; what is none, or another key's, is a warning and undefined. */
export function parseStage(context: Context, where: string, bytes: Buffer, key: string): StageRecord | undefined {
  const record = checked(stageRecordSchema, bytes);
  if (record?.key === key) return record;
  warnOfDamaged(context, where);
  return undefined;
}

/** Reads a run's record; what is none, or another pipeline's or commit's, is a warning and undefined. */
export function parseRun(
  context: Context,
  where: string,
  bytes: Buffer,
  commit: string | null,
  pipeline: string,
): RunRecord | undefined {
  const record = checked(runRecordSchema, bytes);
  if (record?.commit === commit && record.pipeline === pipeline) return record;
  warnOfDamaged(context, where);
  return undefined;
}

/** Undefined: it is none. */
export function checked<T>(schema: ZodType<T>, bytes: Buffer): T | undefined {
  if (bytes.length > LARGEST) return undefined;
  try {
    return schema.safeParse(JSON.parse(bytes.toString())).data;
  } catch (error) {
    // Nested deeper than the stack is high: no parameters are.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

export function warnOfDamaged(context: Context, where: string): void {
  context.emit({ type: "warning", message: `${where} is damaged and counts as not there` });
}
