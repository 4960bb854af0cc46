import type { RunRecord, StageRecord } from "../../config/index.ts";
import { describe, failedIfAny, ok } from "../../core/index.ts";
import type { Context, Failure, Result } from "../../core/index.ts";
import { resolveCommit } from "../../git/index.ts";
import { mapLimited } from "../../store/index.ts";
import { concluded, plain } from "../experiment.ts";
import type { Experiment } from "../experiment.ts";
import { KeyWorld } from "../inputs.ts";
import type { StageState } from "../pipeline-run.ts";
import { pushOutputs } from "../push.ts";
import { runRecord } from "../summary.ts";
import { madeBefore, openCheckout, receivePlan } from "./job.ts";
import type { Checkout, JobOptions, Made } from "./job.ts";
import type { PlanDocument } from "./parcel.ts";

/** Artifacts fetched at once. */
const AT_ONCE = 8;

/**
 * The last job of a compiled workflow, whatever became of the others: puts together the result that one job which ran
 * the whole pipeline would leave. Bytes that came with the records go to the store first.
 */
export async function resultJob(context: Context, options: JobOptions): Promise<Result<Experiment>> {
  const commit = await resolveCommit(context, "HEAD");
  if (!commit.ok) return commit;
  const nothing = (failures: readonly Failure[], told: readonly string[] = []): Result<Experiment> =>
    ok(concluded(commit.value, [], [], [...told, ...failures.map((failure) => plain(describe(failure)))], failures));
  const plan = await receivePlan(context, options);
  if (!plan.ok) return nothing(plan.failures);
  if (plan.value.failures.length > 0) return nothing([], plan.value.failures);
  const checkout = await openCheckout(context, options, commit.value, 0);
  if (!checkout.ok) return nothing(checkout.failures);
  const { pipeline, store } = checkout.value;

  const made = await gather(context, checkout.value, plan.value, options);
  if (!made.ok) return nothing(made.failures);
  const states = statesOf(checkout.value, made.value);
  const told = pipeline.stages.flatMap(({ name }) => made.value.get(name)!.failures);
  const lost = [...states].filter(([, { reason }]) => reason === LOST).map(([name]) => `stage "${name}": ${LOST}`);
  for (const { state, parcel } of made.value.values()) {
    if (parcel === undefined || state === undefined || !("record" in state)) continue;
    const pushed = await pushOutputs(context, pipeline, [state.record], parcel, store);
    if (!pushed.ok) return nothing(pushed.failures, told);
  }
  const run = await recordOf(context, checkout.value, plan.value, states);
  if (!run.ok) return nothing(run.failures, told);
  const stages = new Map<string, StageRecord>();
  for (const state of states.values()) {
    if ("record" in state) stages.set(state.record.key, { ...state.record, provenance: null });
  }
  return ok(concluded(commit.value, [run.value], [...stages.values()], [...told, ...lost], []));
}

async function gather(
  context: Context,
  { pipeline }: Checkout,
  plan: PlanDocument,
  options: JobOptions,
): Promise<Result<ReadonlyMap<string, Made>>> {
  const made = new Map<string, Made>();
  const each = await mapLimited(pipeline.stages, AT_ONCE, async ({ name }) => {
    const one = await madeBefore(context, name, plan, options);
    if (one.ok) made.set(name, one.value);
    return one;
  });
  return failedIfAny(each.flatMap((one) => (one.ok ? [] : one.failures))) ?? ok(made);
}

const LOST = "its job left no result; its log says why";

/** In the pipeline's order. A stage without a word of its own was skipped when one before it did not end well. */
function statesOf({ pipeline }: Checkout, made: ReadonlyMap<string, Made>): ReadonlyMap<string, StageState> {
  const states = new Map<string, StageState>();
  for (const { name, needs } of pipeline.stages) {
    const broken = needs.find((need) => !("record" in states.get(need)!));
    const missing: StageState =
      broken === undefined
        ? { status: "failed", key: null, reason: LOST, ms: 0 }
        : { status: "skipped", key: null, reason: `${broken} did not end well`, ms: 0 };
    states.set(name, made.get(name)!.state ?? missing);
  }
  return states;
}

async function recordOf(
  context: Context,
  { pipeline, source, commit }: Checkout,
  { startedAt }: PlanDocument,
  states: ReadonlyMap<string, StageState>,
): Promise<Result<RunRecord>> {
  const world = await KeyWorld.open(context, pipeline, source);
  if (!world.ok) return world;
  const planned = pipeline.stages.map(({ name, needs }) => ({ stage: name, needs }));
  return runRecord(context, { world: world.value, commit, planned, states, startedAt: new Date(startedAt) });
}
