import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { attempt, fail, fileJson, ok, takeLock } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { dataLockSchema, parseConfig } from "../config/index.ts";
import type { DataLock } from "../config/index.ts";
import type { Source } from "../git/index.ts";
import { writeFileAtomically } from "../store/index.ts";

export const DATA_LOCK = "data.lock.json";

/** The datasets as a source has them; none when it has no lockfile. Every problem of the file at once, with places. */
export async function loadDataLock(source: Source): Promise<Result<DataLock>> {
  const text = await source.read(DATA_LOCK);
  if (!text.ok) return text;
  if (text.value === undefined) return ok({ lockfileVersion: 1, datasets: {} });
  const parsed = parseConfig(DATA_LOCK, text.value.toString(), dataLockSchema);
  return parsed.ok ? ok(parsed.value.value) : parsed;
}

/** Where a change of the lockfile is marked, and how often (20 ms apart) one waits for another's to end. */
const CHANGING = ".lockstep/data.lock";
const TRIES = 1500;

/**
 * Does work that reads the lockfile and writes it, while no other process does: of two at once, each sees what the
 * other wrote. The work should take no longer than that; a process that died in it is not waited for.
 */
export async function changeDataLock<T>(context: Context, work: () => Promise<Result<T>>): Promise<Result<T>> {
  let holder = "";
  for (let at = 0; at < TRIES; at++) {
    const taken = await attempt(CHANGING, async () => takeLock(join(context.cwd, CHANGING)));
    if (!taken.ok) return taken;
    if (typeof taken.value !== "string") {
      await using _ = taken.value;
      return await work();
    }
    if (context.signal?.aborted) return fail({ code: "interrupted" });
    holder = taken.value;
    await wait(20);
  }
  return fail({ code: "workspace-busy", holder, lock: CHANGING });
}

/** Writes the lockfile of the working tree, as a whole or not at all. */
export async function saveDataLock(context: Context, lock: DataLock): Promise<Result<void>> {
  const written = await writeFileAtomically(context, join(context.cwd, DATA_LOCK), fileJson(lock));
  if (written.ok) context.emit({ type: "effect", name: "data lock written" });
  return written;
}
