import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startOf } from "../core/index.ts";
import type { Context } from "../core/index.ts";

/**
 * The process groups of running stages, noted on disk: a run that is killed outright leaves its commands alive, and
 * the next run ends them before they write into its outputs.
 */
const FOLDER = ".lockstep/running";
/** Set for a command and inherited by all it starts: finds also what has left its process group (a daemon). */
export const MARK = "LOCKSTEP_PROCESS";
const POLL_MS = 20;

const living = new Set<number>();
let watching = false;

/** Notes a group that was just started, by its leader. It does not outlive this process, however that ends by itself. */
export function noteGroup(context: Context, pid: number, mark: string): void {
  if (!watching) process.on("exit", () => living.forEach((group) => signalGroup(group, "SIGKILL")));
  watching = true;
  living.add(pid);
  const folder = join(context.cwd, FOLDER);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, String(pid)), `${startOf(pid) ?? ""}\n${mark}`);
}

/** The group is gone. */
export function forgetGroup(context: Context, pid: number): void {
  living.delete(pid);
  rmSync(join(context.cwd, FOLDER, String(pid)), { force: true });
}

/** Ends what an earlier run left behind. Only under the workspace lock: nobody else's commands are there then. */
export function endLeftGroups(context: Context): void {
  const folder = join(context.cwd, FOLDER);
  for (const name of namesIn(folder).filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    const [noted = "", mark = ""] = readFileSync(join(folder, name), "utf8").split("\n");
    const now = startOf(pid);
    const told = (message: string): void => context.emit({ type: "warning", message });
    // A number is not given out again while a group has it; a leader that started at another time is a stranger.
    if (noted !== "" && (now === undefined || now === noted) && signalGroup(pid, "SIGKILL"))
      told(`ended a command (process group ${pid}) that an earlier run left running`);
    const left = endMarked(mark);
    if (left.length > 0) told(`ended what an earlier run left running (process ${left.join(", ")})`);
    rmSync(join(folder, name), { force: true });
  }
}

/** False: nothing of the group is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // ESRCH: nothing of the group is left. EPERM: macOS says so of a group of zombies.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return false;
  }
}

/** Waits until nothing of a group runs any more, at most this long. */
export async function groupEnded(pid: number, ms: number): Promise<void> {
  for (let waited = 0; waited < ms && isGroupAlive(pid); waited += POLL_MS) await wait(POLL_MS);
}

function isGroupAlive(pid: number): boolean {
  if (!signalGroup(pid, 0)) return false;
  const all = processes();
  // Where nobody collects orphans (a container without an init), a group of zombies stays for ever.
  return all.length === 0 || all.some((name) => isMember(name, pid));
}

function isMember(name: string, group: number): boolean {
  const stat = read(`/proc/${name}/stat`);
  const [state, , member] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return member === String(group) && state !== "Z" && state !== "X";
}

/** Every process there is, by its number; none where the system has no /proc. */
export function processes(): string[] {
  return namesIn("/proc").filter((name) => /^\d+$/.test(name));
}

/**
 * Ends every process that carries the mark, in whatever session: those that came since `before` was listed. Linux only:
 * elsewhere there is no way to see what a process was started with.
 */
export function endMarked(mark: string, before: ReadonlySet<string> = new Set()): number[] {
  if (mark === "") return [];
  const ended: number[] = [];
  // One that is met while it forks leaves a child for the next round.
  for (let round = 0; round < 5; round++) {
    const found = processes().filter((name) => !before.has(name) && isMarked(name, mark));
    if (found.length === 0) break;
    for (const name of found) {
      try {
        process.kill(Number(name), "SIGKILL");
        ended.push(Number(name));
      } catch {
        // it ended by itself
      }
    }
  }
  return [...new Set(ended)];
}

function isMarked(name: string, mark: string): boolean {
  return read(`/proc/${name}/environ`).split("\0").includes(`${MARK}=${mark}`);
}

/** Empty for what is gone, or is none of ours to read. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing ever ran here, or the system has no such folder
  }
}
