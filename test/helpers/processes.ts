import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** Waits for something another process does; the test's own limit ends a wait for what never comes. */
export async function until<T>(look: () => T | undefined | false | 0 | ""): Promise<T> {
  for (;;) {
    const found = look();
    if (found) return found;
    await wait(5);
  }
}

/** A process that was ended but not yet collected by its parent counts as dead. Linux only, as /proc is. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return false;
  }
}
