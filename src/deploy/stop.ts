import { readdir } from "node:fs/promises";
import { relative, sep } from "node:path";
import { isSystemError, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { stopContainer } from "./container.ts";
import { deploymentFolder, deploymentsRoot, exclusively, readState, writeState } from "./home.ts";
import { stopProcess } from "./process.ts";

export interface StopOptions {
  readonly model: string;
  readonly environment: string;
  /** `owner/name`; absent: this folder alone. */
  readonly repository?: string;
}

/** Ends what `deploy` started on this machine for one environment; false when nothing was running. */
export async function stopDeployment(context: Context, options: StopOptions): Promise<Result<boolean>> {
  return stopFolder(context, deploymentFolder(context, options.repository, options.model, options.environment));
}

/** Ends every deployment of this machine (under LOCKSTEP_HOME); what was running, as `owner/name/model/environment`. */
export async function stopAllDeployments(context: Context): Promise<Result<readonly string[]>> {
  const root = deploymentsRoot(context);
  const stopped: string[] = [];
  for (const folder of await environmentsBelow(root)) {
    // oxlint-disable-next-line no-await-in-loop -- a handful; each waits for its requests to end
    const result = await stopFolder(context, folder);
    if (!result.ok) return result;
    if (result.value) stopped.push(relative(root, folder).split(sep).join("/"));
  }
  return ok(stopped);
}

async function stopFolder(context: Context, folder: string): Promise<Result<boolean>> {
  return exclusively(folder, async () => {
    const state = await readState(folder);
    const container = await stopContainer(context, folder);
    if (state === undefined) return ok(container);
    const stopped = await stopProcess(context, state);
    const written = await writeState(folder, undefined);
    return written.ok ? ok(stopped || container) : written;
  });
}

async function environmentsBelow(root: string): Promise<string[]> {
  try {
    const found = await readdir(root, { recursive: true, withFileTypes: true });
    const folders = found
      .filter((entry) => entry.isFile() && (entry.name === "state.json" || entry.name === "container.json"))
      .map((entry) => entry.parentPath);
    return [...new Set(folders)].sort();
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return [];
    throw error;
  }
}
