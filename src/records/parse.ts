import { runRecordSchema, stageRecordSchema } from "../config/index.ts";
import type { RunRecord, StageRecord } from "../config/index.ts";
import type { Context } from "../core/index.ts";

/** No record is as large; what is was not written by us. */
const LARGEST = 16 * 1024 * 1024;

/** Reads a stage's record; what is none, or another key's, is a warning and undefined. */
export function parseStage(context: Context, where: string, bytes: Buffer, key: string): StageRecord | undefined {
  const parsed = stageRecordSchema.safeParse(json(bytes));
  if (parsed.success && parsed.data.key === key) return parsed.data;
  warn(context, where);
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
  const parsed = runRecordSchema.safeParse(json(bytes));
  if (parsed.success && parsed.data.commit === commit && parsed.data.pipeline === pipeline) return parsed.data;
  warn(context, where);
  return undefined;
}

function json(bytes: Buffer): unknown {
  if (bytes.length > LARGEST) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function warn(context: Context, where: string): void {
  context.emit({ type: "warning", message: `${where} is damaged and counts as not there` });
}
