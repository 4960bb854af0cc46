import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { attempt, fail, isDigest, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";

/** `state.json`: what runs in one environment of one model on this machine. */
const stateSchema = z.strictObject({
  stateVersion: z.literal(1),
  model: z.string(),
  version: z.number().int().min(1),
  digest: z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "not a digest"),
  pid: z.number().int().min(2),
  /** Header `lockstep-instance` of the process: a pid may have passed to another program since. */
  instance: z.string(),
  /** Where it answers. */
  url: z.string(),
  port: z.number().int(),
  startedAt: z.iso.datetime(),
  /** Of GitHub; null when it was deployed from a terminal. */
  deployment: z.number().int().nullable(),
});
export type RunningState = z.infer<typeof stateSchema>;

/** Where all deployments of this machine keep their state: below LOCKSTEP_HOME, or ~/.lockstep. */
export function deploymentsRoot({ cwd, env }: Context): string {
  const { LOCKSTEP_HOME: home, HOME: user } = env;
  const root = home !== undefined && home !== "" ? resolve(cwd, home) : join(user ?? cwd, ".lockstep");
  return join(root, "deployments");
}

/** The folder of one environment: outside of any checkout, which the next job would clean. */
export function deploymentFolder(
  context: Context,
  repository: string | undefined,
  model: string,
  environment: string,
): string {
  const [owner, name] = repository?.split("/") ?? ["local", basename(context.cwd)];
  return join(deploymentsRoot(context), owner ?? "local", name ?? "local", model, environment);
}

/** Undefined when nothing was deployed, or when the file is not ours to understand (then a new one replaces it). */
export async function readState(folder: string): Promise<RunningState | undefined> {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(await readFile(join(folder, "state.json"), "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (isSystemError(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function writeState(folder: string, state: RunningState | undefined): Promise<Result<void>> {
  const path = join(folder, "state.json");
  return attempt(path, async () => {
    if (state === undefined) return rm(path, { force: true });
    const temporary = `${path}.${randomUUID()}`;
    await writeFile(temporary, `${JSON.stringify(state, null, 2)}\n`);
    return rename(temporary, path);
  });
}

/** Does the work while no other process works on the folder. A lock whose owner is gone is taken over. */
export async function exclusively<T>(folder: string, work: () => Promise<Result<T>>): Promise<Result<T>> {
  const lock = join(folder, "lock");
  const taken = await attempt(lock, async () => {
    await mkdir(dirname(lock), { recursive: true });
    for (let attempts = 0; attempts < 2; attempts++) {
      try {
        await using file = await open(lock, "wx");
        await file.writeFile(String(process.pid));
        return undefined;
      } catch (error) {
        if (!isSystemError(error) || error.code !== "EEXIST") throw error;
        const holder = Number(await readFile(lock, "utf8").catch(() => ""));
        // A lock without a pid is a moment old: its owner is between the two calls above.
        if (holder === 0 || isAlive(holder)) return holder;
        await rm(lock, { force: true });
      }
    }
    return 0;
  });
  if (!taken.ok) return taken;
  if (taken.value !== undefined) return fail({ code: "workspace-busy", holder: `process ${taken.value}`, lock });
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error) && error.code === "EPERM";
  }
}

/** `file:` stores relative to the repository become absolute: whoever is started stands somewhere else. */
export function absoluteStore(context: Context, url: string): Result<string> {
  if (!url.startsWith("file:") || url.startsWith("file:/")) return ok(url);
  return ok(`file:${resolve(context.cwd, url.slice("file:".length))}`);
}
