import type { RunRecord, StageRecord } from "../config/index.ts";
import { failedIfAny, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import type { Records } from "../records/index.ts";
import { holdStatIndex, localCache } from "../store/index.ts";
import type { LocalStore, Store } from "../store/index.ts";
import { NO_HOOKS, withHooks } from "./hooks.ts";
import { KeyWorld } from "./inputs.ts";
import { lockWorkspace } from "./lock.ts";
import { PipelineRun } from "./pipeline-run.ts";
import { planRunnable } from "./runnable.ts";
import { amountsOf, tooMuch } from "./resources.ts";
import { openStrict } from "./strict/open.ts";
import type { Strictness } from "./strict/open.ts";
import { inGraphOrder } from "./schedule.ts";
import type { Amounts } from "./schedule.ts";
import type { Pipeline } from "./stage.ts";
import { runRecord } from "./summary.ts";

export interface RunOptions {
  /** The working tree: what is run is what stands there. */
  readonly source: Source;
  readonly pipeline: Pipeline;
  readonly records: Records;
  /** The team's store, asked after the local cache. */
  readonly store: Store;
  /** The same store, which an interruption does not stop; checkpoints of interrupted stages go there. `store` when absent. */
  readonly lastingStore?: Store;
  /** Stages at once; as many as the machine has processors when absent. */
  readonly jobs?: number;
  /** What this machine has of the resources that stages name; one of each, and `cpu` as it is, when absent. */
  readonly resources?: Amounts;
  readonly force?: boolean;
  /** Only this stage and what it needs. */
  readonly stage?: string;
  /** Go on with what does not depend on a failed stage. */
  readonly keepGoing?: boolean;
  /** Hold stages to what they declare that they read. */
  readonly strict?: Strictness;
  readonly trustedOnly?: boolean;
  readonly baseline?: Source;
  /** Commit that the working tree is (null: none); the function is asked only when a stage will run. */
  readonly commit: string | (() => Promise<string | null>);
  /** "all": every output is in place at the end. "needed": cached outputs come only where a stage that runs reads them. */
  readonly restore: "all" | "needed";
  /** Waits these ms before a failed stage is tried again; a timer when absent. */
  readonly wait?: (ms: number) => Promise<void>;
}

export interface RunOutcome {
  readonly run: RunRecord;
  /** Of every stage that ended well or was cached. */
  readonly stages: readonly StageRecord[];
  /** Of the stages that failed, and of those that were seen to read what they do not declare. */
  readonly failures: readonly Failure[];
  /** Where the outputs made here lie. */
  readonly cache: LocalStore;
}

/**
 * Runs what changed, in the working tree, in parallel as the graph allows. A stage that fails is in the outcome; the
 * result is a failure only when nothing could be started (a broken file, a busy workspace).
 */
export async function run(context: Context, options: RunOptions): Promise<Result<RunOutcome>> {
  const lock = await lockWorkspace(context);
  if (!lock.ok) return lock;
  await using _ = lock.value;
  await using __ = await holdStatIndex(context);
  const startedAt = context.now();
  const world = await KeyWorld.open(context, options.pipeline, options.source);
  if (!world.ok) return world;
  const stores = [localCache(context), options.store] as const;
  const amounts = amountsOf(context, options);
  const wanting = failedIfAny(tooMuch(options.pipeline, amounts));
  if (wanting) return wanting;
  const undeclared: Failure[] = [];
  const { strict: how } = options;
  const strict = how === undefined ? ok(undefined) : await openStrict(context, how, (told) => undeclared.push(told));
  if (!strict.ok) return strict;
  const runnable = await planRunnable(context, world.value, options, stores);
  if (!runnable.ok) return runnable;
  const { planned, inPlace } = runnable.value;
  // With nothing to do there is nothing to record, unless the last run was killed before it could.
  const idle = planned.every(({ action }) => action === "cached") && !lock.value.takenOver;
  const commit = typeof options.commit === "string" ? options.commit : idle ? null : await options.commit();
  const running = new PipelineRun(context, options, world.value, stores, commit, amounts, strict.value);
  const about = {
    of: `pipeline "${options.pipeline.name}"`,
    stage: options.pipeline.name,
    env: { LOCKSTEP_PIPELINE: options.pipeline.name },
    signal: context.signal ?? new AbortController().signal,
  };
  const hooks = planned.some(({ action }) => action === "run") ? options.pipeline.hooks : NO_HOOKS;
  if (!idle) context.emit({ type: "run-started", pipeline: options.pipeline.name, stages: planned.length });
  const went = await withHooks(context, hooks, about, "ok", async () => {
    const asked = (): void =>
      context.emit({ type: "note", message: "asked what runs to stop; the same once more kills it" });
    context.signal?.addEventListener("abort", asked);
    await inGraphOrder(
      planned.map((plan) => ({ ...plan, name: plan.stage })),
      (plan) => running.settle(plan),
    );
    context.signal?.removeEventListener("abort", asked);
    return failedIfAny(running.failures) ?? ok();
  });
  if (!idle) context.emit({ type: "run-ended" });
  // Of stages that failed the record tells; a hook before the run has kept them all from starting.
  if (!went.ok && running.failures.length === 0) return went;
  // Stages that ran may have touched what is not theirs.
  if (options.restore === "all") await running.bringAllBack(idle ? inPlace : new Set());
  const record = await runRecord(context, {
    world: world.value,
    commit,
    planned: planned,
    states: running.states,
    startedAt,
  });
  if (!record.ok) return record;
  const stages = [...running.states.values()].flatMap((state) => ("record" in state ? [state.record] : []));
  if (!idle) {
    const saved = await options.records.saveLocal({ stages: [], runs: [record.value] });
    if (!saved.ok) return saved;
    context.emit({ type: "effect", name: "run recorded" });
  }
  const failures = [...running.failures, ...undeclared];
  return ok({ run: record.value, stages, failures, cache: localCache(context) });
}
