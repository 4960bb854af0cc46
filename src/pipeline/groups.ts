import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startOf } from "../core/index.ts";
import type { Context } from "../core/index.ts";

/**
 * The process groups of running stages, noted on disk: a run that is killed outright leaves its commands alive, and
 * the next run ends them before they write into its outputs.
 */
const FOLDER = ".lockstep/running";

/** Notes a group that was just started, by its leader. */
export function noteGroup(context: Context, pid: number): void {
  const folder = join(context.cwd, FOLDER);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, String(pid)), startOf(pid) ?? "");
}

/** The group is gone. */
export function forgetGroup(context: Context, pid: number): void {
  rmSync(join(context.cwd, FOLDER, String(pid)), { force: true });
}

/** Ends what an earlier run left behind. Only under the workspace lock: nobody else's commands are there then. */
export function endLeftGroups(context: Context): void {
  const folder = join(context.cwd, FOLDER);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // nothing ever ran here
  }
  for (const name of names.filter((entry) => /^\d+$/.test(entry))) {
    const pid = Number(name);
    const noted = readFileSync(join(folder, name), "utf8");
    const now = startOf(pid);
    // A number is not given out again while a group has it; a leader that started at another time is a stranger.
    if (noted !== "" && (now === undefined || now === noted)) {
      try {
        process.kill(-pid, "SIGKILL");
        context.emit({
          type: "warning",
          message: `ended a command (process group ${pid}) that an earlier run left running`,
        });
      } catch {
        // it is gone
      }
    }
    rmSync(join(folder, name), { force: true });
  }
}
