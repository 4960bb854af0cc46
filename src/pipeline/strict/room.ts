import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "../../core/index.ts";
import type { Reads } from "../deps.ts";
import type { Argv } from "../process.ts";
import type { Stage } from "../stage.ts";

/** Rooms of running stages, in the workspace so that outputs need no copying; nobody else's while it is locked. */
export const ROOMS = ".lockstep/strict";

/** Where a stage's commands run. What it holds on disk goes with it. */
export interface Room extends AsyncDisposable {
  /** What to start in the place of a command. */
  readonly wrap: (command: Argv) => Argv;
  /** After the commands: takes their outputs into the workspace and judges what they read; once. */
  readonly leave: (ended: Result<void>) => Promise<Result<void>>;
}

/** Makes a room for one attempt at a stage. */
export type Enter = (stage: Stage, reads: Reads) => Promise<Result<Room>>;

/**
 * Deletes a room. What its commands started is ended, but the last of it may still be writing; and they may have left
 * folders in which nothing may be deleted.
 */
export async function removeRoom(place: string): Promise<void> {
  const remove = (): Promise<void> => rm(place, { recursive: true, force: true, maxRetries: 5 });
  await remove().catch(() => unlock(place).then(remove));
}

/** The attempt that failed may still be at work in other folders. */
async function unlock(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => {});
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await unlock(join(folder, entry.name));
  }
}
