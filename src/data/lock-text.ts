import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { dataLockSchema, parseConfig } from "../config/index.ts";
import type { DataLock } from "../config/index.ts";

/** A lockfile's text. Lockstep writes plain JSON, which is read fast; the slow reader knows the places of problems. */
export function parseDataLock(file: string, text: string): Result<DataLock> {
  try {
    const parsed = dataLockSchema.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const slow = parseConfig(file, text, dataLockSchema);
  return slow.ok ? ok(slow.value.value) : slow;
}
