import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { isSystemError } from "./attempt.ts";

const ATTEMPTS = 5;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number; null where the system does not say. */
  readonly start: string | null;
}

export interface ProcessLock extends AsyncDisposable {
  /** True when the last holder died: it may have left its work half done. */
  readonly takenOver: boolean;
}

/**
 * Takes a lock that is a file (absolute) and goes with its process: one whose holder is dead is taken over. Text: who
 * holds it. Throws what the file system refuses.
 */
export async function takeLock(path: string): Promise<ProcessLock | string> {
  const mine = `${path}.${randomUUID()}`;
  const holder: Holder = { pid: process.pid, host: hostname(), start: startOf(process.pid) ?? null };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(mine, JSON.stringify(holder));
  let takenOver = false;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await linked(mine, path)) return { takenOver, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
      const text = await readFile(path, "utf8").catch(() => undefined);
      if (text === undefined) continue; // it was let go between the two calls
      const other = parse(text);
      if (other !== undefined && isAlive(other)) return `process ${other.pid} on ${other.host}`;
      await removeStale(path, text);
      takenOver = true;
    }
  } finally {
    await rm(mine, { force: true });
  }
  return "others that come and go";
}

/** When a process started, in the kernel's ticks; undefined when there is no such process, or no /proc to ask. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses and may hold anything; the start is the 22nd field.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
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
