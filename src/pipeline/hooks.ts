import { join } from "node:path";
import type { PipelineConfig, StageConfig } from "../config/index.ts";
import { describe, fail, ok } from "../core/index.ts";
import type { Context, Location, RelativePath, Result } from "../core/index.ts";
import { runCommand, shell } from "./process.ts";

/** A command beside the work: never part of a key, and never run for what is cached. */
export interface Hook {
  /** As the file calls it: `before`, `after_run`, ... */
  readonly name: string;
  readonly command: string;
  /** Where it runs; null for the root. */
  readonly folder: RelativePath | null;
  readonly at: Location;
}

export interface Hooks {
  readonly before: readonly Hook[];
  readonly after: readonly Hook[];
}

export const NO_HOOKS: Hooks = { before: [], after: [] };

/** What a file's hooks are written beside. */
interface HookPlace {
  readonly folder: RelativePath | null;
  readonly at: (where: readonly PropertyKey[]) => Location;
}

/** The hooks of a file that go around each run of its pipeline, and around each of its stages. */
export function fileHooks(
  config: NonNullable<PipelineConfig["hooks"]> | undefined,
  place: HookPlace,
): { readonly run: Hooks; readonly stage: Hooks } {
  const named = (name: keyof NonNullable<PipelineConfig["hooks"]>): Hook[] =>
    toHooks(config?.[name], name, place, ["hooks", name]);
  return {
    run: { before: named("before_run"), after: named("after_run") },
    stage: { before: named("before_stage"), after: named("after_stage") },
  };
}

/** A stage's own hooks, inside of those of its file. */
export function stageHooks(
  config: StageConfig["hooks"],
  place: HookPlace & { readonly where: readonly PropertyKey[] },
  around: Hooks,
): Hooks {
  const named = (name: "before" | "after"): Hook[] =>
    toHooks(config?.[name], name, place, [...place.where, "hooks", name]);
  return { before: [...around.before, ...named("before")], after: [...named("after"), ...around.after] };
}

function toHooks(
  commands: string | readonly string[] | undefined,
  name: string,
  { folder, at }: HookPlace,
  where: readonly PropertyKey[],
): Hook[] {
  const list = typeof commands === "string" ? [commands] : (commands ?? []);
  return list.map((command) => ({ name, command, folder, at: at(where) }));
}

interface HookRun {
  /** Whose hooks they are, as in `stage "train"`. */
  readonly of: string;
  /** Whose output it is told as. */
  readonly stage: string;
  /** Variables that tell a hook what it is run for. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** How long a hook has that runs after an interruption, in ms. */
const LAST_MS = 5000;

/**
 * Does some work with its hooks around it. It is not begun when one before it fails. Those after it are run however it
 * ended, and know how (`well`, `failed` or `interrupted`); what it was is settled then, and one that fails is a warning.
 */
export async function withHooks<T>(
  context: Context,
  hooks: Hooks,
  about: HookRun,
  well: string,
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const before = await runHooks(context, hooks.before, about);
  const done = before.ok ? await work() : before;
  const late = !done.ok && done.failures.some(({ code }) => code === "interrupted");
  const signal = late ? new AbortController().signal : about.signal;
  const env = { ...about.env, LOCKSTEP_STATUS: done.ok ? well : late ? "interrupted" : "failed" };
  const after = await runHooks(context, hooks.after, { ...about, signal, env }, late ? LAST_MS : null);
  if (!after.ok) context.emit({ type: "warning", message: describe(after.failures[0]) });
  return done;
}

/** Runs hooks in turn, until one fails. */
async function runHooks(
  context: Context,
  hooks: readonly Hook[],
  { of, stage, env, signal }: HookRun,
  timeoutMs: number | null = null,
): Promise<Result<void>> {
  for (const { name, command, folder, at } of hooks) {
    const options = { stage, folder: join(context.cwd, folder ?? ""), timeoutMs, signal, env };
    const end = await runCommand(context, shell(command), options);
    if (end.how === "interrupted") return fail({ code: "interrupted" });
    if (end.how !== "ok") return fail({ code: "hook-failed", at, hook: name, of, reason: end.reason, tail: end.tail });
  }
  return ok();
}
