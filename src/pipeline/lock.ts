import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, link, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fail, isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { endLeftGroups, startOf } from "./groups.ts";

const LOCK = ".lockstep/run.lock";
const ATTEMPTS = 5;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number; null where the system does not say. */
  readonly start: string | null;
}

/** Held while stages run: two runs in one working tree would delete each other's outputs. */
export interface WorkspaceLock extends AsyncDisposable {
  /** True when the last holder died: it may have left its work half done. */
  readonly takenOver: boolean;
}

/**
 * Takes the lock of the working tree. One whose holder is dead is taken over (and what its commands left running is
 * ended); a living holder is `workspace-busy`.
 */
export async function lockWorkspace(context: Context): Promise<Result<WorkspaceLock>> {
  const path = join(context.cwd, LOCK);
  const mine = `${path}.${randomUUID()}`;
  const holder: Holder = { pid: process.pid, host: hostname(), start: startOf(process.pid) ?? null };
  await mkdir(join(context.cwd, ".lockstep"), { recursive: true });
  await writeFile(mine, JSON.stringify(holder));
  let takenOver = false;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await linked(mine, path)) {
        endLeftGroups(context);
        return ok({ takenOver, [Symbol.asyncDispose]: () => rm(path, { force: true }) });
      }
      const text = await readFile(path, "utf8").catch(() => undefined);
      if (text === undefined) continue; // it was let go between the two calls
      const other = parse(text);
      if (other !== undefined && isAlive(other)) {
        return fail({ code: "workspace-busy", holder: `process ${other.pid} on ${other.host}`, lock: LOCK });
      }
      await removeStale(path, text);
      takenOver = true;
    }
  } finally {
    await rm(mine, { force: true });
  }
  return fail({ code: "workspace-busy", holder: "others that come and go", lock: LOCK });
}

/** A link is made whole or not at all, unlike a file that is created and then written. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Moves the stale lock aside; if another process has put its own there meanwhile, that one is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== stale) await linked(aside, path);
  } catch (error) {
    if (!isSystemError(error) || error.code !== "ENOENT") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** A process of another machine (a shared folder) counts as alive: there is no way to ask. */
function isAlive({ pid, host, start }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return start === null || (startOf(pid) ?? start) === start;
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, host, start } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== "number" || typeof host !== "string") return undefined;
    return { pid, host, start: start ?? null };
  } catch {
    return undefined;
  }
}
