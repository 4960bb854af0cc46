import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Failed, Result, StageKey } from "../core/index.ts";
import type { LocalStore, Store } from "../store/index.ts";
import { Checkpoint } from "./checkpoint.ts";
import { FormerOutputs } from "./former.ts";
import { runFunction } from "./functions/run.ts";
import { withHooks } from "./hooks.ts";
import type { KeyInputs } from "./key.ts";
import { runCommand, shell } from "./process.ts";
import { takeResults } from "./results.ts";
import type { Pipeline, Stage } from "./stage.ts";
import type { Room } from "./strict/room.ts";
import type { GitFiles } from "./git-files.ts";

/** A stage that is to run now: its inputs are in place and its key is known. */
export interface Execution {
  readonly pipeline: Pipeline;
  readonly stage: Stage;
  readonly key: StageKey;
  readonly inputs: KeyInputs;
  /** Where the outputs go. */
  readonly cache: LocalStore;
  readonly tracked: GitFiles;
  /** The team's store, which an interruption does not stop: for the checkpoint. */
  readonly lastingStore: Store;
  /** False: it starts from the beginning, whatever checkpoint is there. */
  readonly resume: boolean;
  /** Commit whose tree is run, where it is one. */
  readonly commit: string | null;
  readonly signal: AbortSignal;
  /** Waits before a failed stage is tried again, in ms; an abort of the signal ends it. A timer when absent. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined;
  /** Makes the room that the commands run in; without it they run in the workspace. */
  readonly enter?: (() => Promise<Result<Room>>) | undefined;
  /** Why the inputs are no longer those of the key; undefined when they are. */
  readonly changed: () => Promise<Result<Changed | undefined>>;
  /** Records the result: what was there before the stage is let go after it. */
  readonly keep: (record: StageRecord) => Promise<Result<void>>;
}

/** What happened to a stage's inputs while it ran. */
export interface Changed {
  /** "in.txt changed" */
  readonly what: string;
  readonly hint: string;
}

/** With what is put away around it. */
interface Prepared extends Execution {
  readonly former: FormerOutputs;
  readonly checkpoint: Checkpoint | undefined;
}

/** The first pause before another try, in ms; each next one is twice as long, up to the longest. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Runs a stage's commands, takes its outputs into the cache and has the result recorded. One that does not end well
 * leaves its outputs as they were before it, and no record.
 */
export async function execute(context: Context, execution: Execution): Promise<Result<StageRecord>> {
  const { pipeline, stage, key, signal } = execution;
  const env = { LOCKSTEP_PIPELINE: pipeline.name, LOCKSTEP_STAGE: stage.name, LOCKSTEP_KEY: key };
  const about = { of: `stage "${stage.name}"`, stage: stage.name, env, signal };
  return withHooks(context, stage.hooks, about, "run", () => withCheckpoint(context, execution));
}

async function withCheckpoint(context: Context, execution: Execution): Promise<Result<StageRecord>> {
  const { stage, key, tracked, lastingStore: store, resume } = execution;
  const opened = await Checkpoint.open(context, { stage, key, tracked, store, fresh: !resume });
  if (!opened.ok) return opened;
  const checkpoint = opened.value;
  const recorded = await makeAndKeep(context, execution, checkpoint);
  await checkpoint?.end(recorded.ok);
  return recorded;
}

async function makeAndKeep(
  context: Context,
  execution: Execution,
  checkpoint: Checkpoint | undefined,
): Promise<Result<StageRecord>> {
  const { stage } = execution;
  const former = await FormerOutputs.setAside(context, stage, execution.tracked);
  if (!former.ok) return former;
  const made = await make(context, { ...execution, former: former.value, checkpoint });
  const kept = made.ok ? await execution.keep(made.value) : made;
  if (kept.ok && made.ok) {
    const dropped = await former.value.drop(stage);
    return dropped.ok ? made : dropped;
  }
  const back = await former.value.putBack(stage);
  if (!back.ok || kept.ok) return back.ok ? made : back;
  return back.value === undefined ? kept : withHint(kept, `what it wrote lies in ${back.value}`);
}

async function make(context: Context, prepared: Prepared): Promise<Result<StageRecord>> {
  const { pipeline, stage, key, inputs, cache, commit } = prepared;
  const startedAt = context.now();
  const ran = await runWithRetry(context, prepared);
  if (!ran.ok) return ran;
  const ms = Math.max(0, context.now().getTime() - startedAt.getTime());
  const changed = await prepared.changed();
  if (!changed.ok) return changed;
  if (changed.value !== undefined) {
    const { what, hint } = changed.value;
    return failed(stage, `cannot be recorded: while it ran, ${what}`, { hint });
  }
  const results = await takeResults(context, stage, cache);
  if (!results.ok) return results;
  return ok({
    recordVersion: 1,
    key,
    pipeline: pipeline.name,
    stage: stage.name,
    ...results.value,
    ...(stage.env.vars.length === 0 ? {} : { vars: { ...inputs.env.vars } }),
    startedAt: startedAt.toISOString(),
    ms,
    commit,
    provenance: null,
  });
}

async function runWithRetry(context: Context, prepared: Prepared): Promise<Result<void>> {
  const { stage, signal, former } = prepared;
  const wait = prepared.wait ?? (async (ms: number) => pause(ms, undefined, { signal }).catch(() => {} /* an abort */));
  for (let failures = 0; ; failures++) {
    const ran = await runCommands(context, prepared);
    const [failure] = ran.ok ? [] : ran.failures;
    if (failure?.code !== "stage-failed" || failures >= stage.retry) return ran;
    const ms = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** failures);
    context.emit({
      type: "note",
      message: `${stage.name} ${failure.reason}; try ${failures + 2} of ${stage.retry + 1} in ${ms / 1000} s`,
    });
    await wait(ms);
    if (signal.aborted) return fail({ code: "interrupted" });
    const cleared = await former.clear();
    if (!cleared.ok) return cleared;
  }
}

async function runCommands(context: Context, prepared: Prepared): Promise<Result<void>> {
  const { stage } = prepared;
  const folder = join(context.cwd, stage.wdir ?? "");
  const there = await lstat(folder).catch(() => undefined);
  if (!there?.isDirectory()) return failed(stage, `has no wdir ${stage.wdir}: it is no folder`, { field: "wdir" });
  const entered = prepared.enter === undefined ? ok(undefined) : await prepared.enter();
  if (!entered.ok) return entered;
  await using room = entered.value;
  const ended =
    stage.run === null
      ? await runInTurn(context, prepared, folder, room)
      : await runFunction(context, stage.run, { ...prepared, room });
  const left = room === undefined ? ended : await room.leave(ended);
  if (left.ok) context.emit({ type: "effect", name: `commands of ${stage.name} ended` });
  return left;
}

async function runInTurn(
  context: Context,
  { stage, signal, checkpoint }: Prepared,
  folder: string,
  room: Room | undefined,
): Promise<Result<void>> {
  for (const command of stage.cmd) {
    const argv = shell(command);
    const end = await runCommand(context, room === undefined ? argv : room.wrap(argv), {
      stage: stage.name,
      folder,
      timeoutMs: stage.timeoutMs,
      signal,
      ...checkpoint?.care,
    });
    if (end.how === "interrupted") return fail({ code: "interrupted" });
    const field = end.how === "timeout" ? "timeout" : "cmd";
    if (end.how !== "ok") return failed(stage, end.reason, { field, tail: end.tail });
  }
  return ok();
}

function failed(
  stage: Stage,
  reason: string,
  { field = "cmd", tail = "", hint }: { readonly field?: string; readonly tail?: string; readonly hint?: string },
): Failed {
  const at = stage.at([...stage.where, field]);
  return fail({
    code: "stage-failed",
    at,
    stage: stage.name,
    reason,
    tail,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The failures with a hint where the first has none. */
function withHint({ failures: [first, ...others] }: Failed, hint: string): Failed {
  if (first.code === "interrupted" || first.hint !== undefined) return fail(first, ...others);
  return fail({ ...first, hint }, ...others);
}
