import { join } from "node:path";
import type { StageRecord } from "../../config/index.ts";
import { describe, fail, failedIfAny, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import { atRevision } from "../../git/index.ts";
import { copyOutputs, holdStatIndex, localCache, snapshot } from "../../store/index.ts";
import type { LocalStore, Store } from "../../store/index.ts";
import { plain } from "../experiment.ts";
import { KeyWorld } from "../inputs.ts";
import { lockWorkspace } from "../lock.ts";
import { PipelineRun } from "../pipeline-run.ts";
import type { StageState } from "../pipeline-run.ts";
import { bringBack } from "../outputs.ts";
import { pushOutputs } from "../push.ts";
import { amountsOf, tooMuch } from "../resources.ts";
import type { Stage } from "../stage.ts";
import { madeBefore, openCheckout, receivePlan } from "./job.ts";
import type { Checkout, JobOptions } from "./job.ts";
import { parcelStore, sendDocument, stageParcel } from "./parcel.ts";
import type { PlanDocument, StageDocument } from "./parcel.ts";

export interface StageJobOptions extends JobOptions {
  readonly stage: string;
  readonly force: boolean;
}

/**
 * The job of one stage: takes from the jobs before it what their stages made, runs the stage as `run` does, sends its
 * outputs to the store and its record to the jobs that follow. What the store cannot bring to them goes along.
 * Undefined: the plan found the stage cached, and there was nothing to do.
 */
export async function stageJob(context: Context, options: StageJobOptions): Promise<Result<StageDocument | undefined>> {
  const plan = await receivePlan(context, options);
  if (!plan.ok) return plan;
  const checkout = await openCheckout(context, options, plan.value.commit, 1);
  if (!checkout.ok) return checkout;
  const { stages } = checkout.value.pipeline;
  const stage = stages.find(({ name }) => name === options.stage);
  const planned = plan.value.stages.find((entry) => entry.stage === options.stage);
  if (stage === undefined || planned === undefined) {
    return fail({ code: "unknown-name", what: "stage", name: options.stage, known: stages.map(({ name }) => name) });
  }
  if (planned.action === "cached") return ok(undefined);
  const ended = await runStage(context, stage, checkout.value, plan.value, options);
  const { state, stores } = ended.ok ? ended.value : { state: FAILED, stores: [] };
  const folder = join(options.temp, stageParcel(stage.name));
  const handed =
    "record" in state
      ? await handOver(context, stage, state.record, stores, checkout.value, plan.value, folder)
      : ok([]);
  const failures = [ended, handed].flatMap((result) => (result.ok ? [] : result.failures));
  if (ended.ok) failures.unshift(...ended.value.failures);
  const record = "record" in state && handed.ok ? state.record : undefined;
  const document: StageDocument = {
    documentVersion: 1,
    commit: plan.value.commit,
    stage: stage.name,
    status: handed.ok ? state.status : "failed",
    key: "record" in state ? state.record.key : state.key,
    reason: state.reason,
    ms: state.ms,
    record,
    carried: handed.ok ? handed.value : [],
    failures: failures.map((failure) => plain(describe(failure))),
  };
  const sent = await sendDocument(options.parcels, stageParcel(stage.name), folder, document);
  return failedIfAny(failures) ?? (sent.ok ? ok(document) : sent);
}

const FAILED: StageState = { status: "failed", key: null, reason: "it could not be started", ms: 0 };

interface Ended {
  readonly state: StageState;
  readonly stores: readonly Store[];
  readonly failures: readonly Failure[];
}

/** The stage alone, in a run in which all it needs is as the jobs before it say. */
async function runStage(
  context: Context,
  stage: Stage,
  checkout: Checkout,
  plan: PlanDocument,
  options: StageJobOptions,
): Promise<Result<Ended>> {
  const { source, records, store, lastingStore, pipeline, commit } = checkout;
  const amounts = amountsOf(context, { pipeline });
  const wanting = failedIfAny(tooMuch({ ...pipeline, stages: [stage] }, amounts));
  if (wanting) return wanting;
  const world = await KeyWorld.open(context, pipeline, source);
  if (!world.ok) return world;
  const lock = await lockWorkspace(context);
  if (!lock.ok) return lock;
  await using _ = lock.value;
  await using __ = await holdStatIndex(context);
  const baseline = await atRevision(context, "HEAD^1");
  const base = baseline.ok ? { baseline: baseline.value } : {};
  const where = { source, records, store, lastingStore, ...base };
  const run = { ...where, pipeline, commit, force: options.force, restore: "needed" } as const;
  const stores: [LocalStore, ...Store[]] = [localCache(context), store];
  const running = new PipelineRun(context, run, world.value, stores, commit, amounts, undefined);
  for (const need of stage.needs) {
    const made = await madeBefore(context, need, plan, options);
    if (!made.ok) return made;
    const { state, parcel } = made.value;
    if (parcel !== undefined) stores.push(parcel);
    if (state === undefined || !("record" in state)) continue;
    // Not made in this job, so its outputs are brought like those of any cached stage.
    running.states.set(need, { ...state, status: "cached" });
    world.value.learn(need, state.record.outs);
  }
  const { key, action, reason } = plan.stages.find((entry) => entry.stage === stage.name)!;
  await running.settle({ stage: stage.name, key, action, reason, needs: stage.needs, inputs: undefined });
  return ok({ state: running.states.get(stage.name)!, stores, failures: running.failures });
}

/**
 * Brings a stage's outputs to where the next jobs find them.
 * @returns paths of the outputs that go with the record, because no store does it: all where the machines share none
 * or it takes nothing, else those that only git keeps
 */
async function handOver(
  context: Context,
  stage: Stage,
  record: StageRecord,
  stores: readonly Store[],
  { pipeline, store }: Checkout,
  { mark }: PlanDocument,
  folder: string,
): Promise<Result<StageDocument["carried"]>> {
  const cache = localCache(context);
  const shared = store.url.startsWith("file:") ? (mark === null ? ok(false) : await store.has(mark)) : ok(true);
  const pushed = shared.ok && shared.value ? await pushOutputs(context, pipeline, [record], cache, store) : undefined;
  const inStore = pushed?.ok === true;
  const why = pushed?.ok === false ? describe(pushed.failures[0]) : "it is not one folder for all jobs";
  const way = inStore ? `the store ${store.url}` : `an artifact; not through ${store.url}: ${why}`;
  context.emit({ type: "note", message: `${stage.name}: the next jobs get the outputs through ${way}` });
  const inGit = stage.outs.filter((out) => !out.cache).map(({ path }) => path);
  const carried = record.outs.filter(({ path }) => !inStore || inGit.includes(path));
  const there = await bringBack(context, stage.name, carried, stores);
  if (!there.ok) return there;
  for (const { path } of carried) {
    const taken = await snapshot(context, path, cache);
    if (!taken.ok) return taken;
  }
  const profile = inStore || record.profile === null ? [] : [{ kind: "file" as const, digest: record.profile }];
  const parcel = parcelStore(context, folder);
  const copied = await copyOutputs(context, cache, parcel, [...carried, ...profile], { condemned: new Set() });
  return copied.ok ? ok(carried.map(({ path }) => path)) : copied;
}
