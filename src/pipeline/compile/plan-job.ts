import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe, fail, ok } from "../../core/index.ts";
import type { Context, Digest, Result } from "../../core/index.ts";
import { atRevision, resolveCommit } from "../../git/index.ts";
import { localCache } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import { plain } from "../experiment.ts";
import { KeyWorld } from "../inputs.ts";
import type { PlannedWithInputs } from "../plan.ts";
import { pushOutputs } from "../push.ts";
import { planRunnable } from "../runnable.ts";
import { openCheckout } from "./job.ts";
import type { Checkout, JobOptions } from "./job.ts";
import { graphDigest, jobsOf } from "./jobs.ts";
import { LIMITS } from "./limits.ts";
import { PLAN_PARCEL, sendDocument } from "./parcel.ts";

export interface PlanJobOptions extends JobOptions {
  /** What the workflow file says it was made from. */
  readonly graph: string;
  readonly force: boolean;
}

/** Id of a job -> the stages that it need not run; a job that has nothing to run is not in it. */
export type JobsToRun = Readonly<Record<string, readonly { readonly stage: string }[]>>;

/**
 * The first job of a compiled workflow: plans as `run` does, and tells the other jobs. A workflow of another graph than
 * the pipeline's is a failure: its jobs would run stages before what they need, or not at all.
 */
export async function planJob(context: Context, options: PlanJobOptions): Promise<Result<JobsToRun>> {
  const startedAt = context.now().toISOString();
  const commit = await resolveCommit(context, "HEAD");
  if (!commit.ok) return commit;
  const checkout = await openCheckout(context, options, commit.value, "all");
  const planned = checkout.ok ? await planOf(context, checkout.value, options) : checkout;
  const sent = await sendDocument(options.parcels, PLAN_PARCEL, join(options.temp, PLAN_PARCEL), {
    documentVersion: 1,
    commit: commit.value,
    pipeline: options.pipeline,
    startedAt,
    mark: checkout.ok ? await markStore(context, checkout.value.store) : null,
    stages: planned.ok
      ? planned.value.map(({ stage, key, action, reason, record }) => ({ stage, key, action, reason, record }))
      : [],
    failures: planned.ok ? [] : planned.failures.map((failure) => plain(describe(failure))),
  });
  if (!planned.ok) return planned;
  if (!sent.ok) return sent;
  return checkout.ok ? ok(jobsToRun(context, checkout.value, planned.value)) : checkout;
}

async function planOf(
  context: Context,
  { source, records, store, pipeline, commit }: Checkout,
  { graph, force }: PlanJobOptions,
): Promise<Result<PlannedWithInputs[]>> {
  if (graphDigest(jobsOf(pipeline)) !== graph) {
    const message = `the workflow of pipeline "${pipeline.name}" was compiled from other stages than these`;
    return fail({ code: "usage", message, hint: `\`lockstep compile ${pipeline.name}\`, and commit what it writes` });
  }
  const world = await KeyWorld.open(context, pipeline, source);
  if (!world.ok) return world;
  const baseline = await atRevision(context, "HEAD^1");
  const base = baseline.ok ? { baseline: baseline.value } : {};
  const run = { source, records, store, pipeline, commit, force, restore: "needed", ...base } as const;
  const runnable = await planRunnable(context, world.value, run, [localCache(context), store]);
  if (!runnable.ok) return runnable;
  const { planned } = runnable.value;
  // What dvc.lock named is in this machine's cache alone.
  const adopted = planned.flatMap(({ adopt, record }) => (adopt === true && record !== undefined ? [record] : []));
  const pushed = await pushOutputs(context, pipeline, adopted, localCache(context), store);
  return pushed.ok ? ok([...planned]) : pushed;
}

/** A folder may be another one on each machine; other stores are one place, and need no mark. */
async function markStore(context: Context, store: Store): Promise<Digest | null> {
  if (!store.url.startsWith("file:")) return null;
  const put = await store.put(Buffer.from(`a run of a compiled workflow: ${randomUUID()}\n`));
  if (put.ok) return put.value;
  context.emit({ type: "warning", message: `the store cannot be written: ${describe(put.failures[0])}` });
  return null;
}

function jobsToRun(context: Context, { pipeline }: Checkout, planned: readonly PlannedWithInputs[]): JobsToRun {
  const runs = new Set(planned.filter(({ action }) => action === "run").map(({ stage }) => stage));
  const jobs = jobsOf(pipeline).filter(({ stages }) => stages.some(({ name }) => runs.has(name)));
  // GitHub may take names that differ in their case for one, so what is left out must not look like what is to run.
  const alike = new Set([...runs].map((name) => name.toLowerCase()));
  const wanted = jobs.map(({ id, stages }) => [
    id,
    stages.flatMap(({ name }) => (alike.has(name.toLowerCase()) ? [] : [{ stage: name }])),
  ]);
  const told = Object.fromEntries(wanted) as JobsToRun;
  if (JSON.stringify(told).length <= LIMITS.outputs) return told;
  context.emit({ type: "note", message: "too many stages to leave out the cached ones: their jobs start and end" });
  return Object.fromEntries(jobs.map(({ id }) => [id, []]));
}
