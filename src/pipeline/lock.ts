import { join } from "node:path";
import { fail, ok, takeLock } from "../core/index.ts";
import type { Context, ProcessLock, Result } from "../core/index.ts";
import { FormerOutputs } from "./former.ts";
import { endLeftGroups } from "./groups.ts";

const LOCK = ".lockstep/run.lock";

/**
 * Takes the lock of the working tree, held while stages run: two runs in one would delete each other's outputs. One
 * whose holder is dead is taken over (what its commands left running is ended, and their half outputs go); a living holder is
 * `workspace-busy`.
 */
export async function lockWorkspace(context: Context): Promise<Result<ProcessLock>> {
  const lock = await takeLock(join(context.cwd, LOCK));
  if (typeof lock === "string") return fail({ code: "workspace-busy", holder: lock, lock: LOCK });
  endLeftGroups(context);
  await FormerOutputs.recover(context);
  return ok(lock);
}
