import { join } from "node:path";
import { fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { resolveCommit } from "../../git/index.ts";
import type { LocalStore } from "../../store/index.ts";
import { refreshRecords } from "../experiment.ts";
import { loadPipeline } from "../load.ts";
import type { StageState } from "../pipeline-run.ts";
import type { Pipeline } from "../stage.ts";
import { openWorkspace } from "../workspace.ts";
import type { Workspace } from "../workspace.ts";
import { PLAN_PARCEL, parcelStore, planDocumentSchema, receiveDocument } from "./parcel.ts";
import { stageDocumentSchema, stageParcel } from "./parcel.ts";
import type { Parcels, PlanDocument } from "./parcel.ts";

/** What each job of a compiled workflow is given. */
export interface JobOptions {
  readonly pipeline: string;
  readonly parcels: Parcels;
  /** Folder that is emptied after the job. */
  readonly temp: string;
  /** For git's talk with the remote: its environment may hold a token, which stages never see. */
  readonly forGit: Context;
}

/** A checkout with its pipeline. */
export interface Checkout extends Workspace {
  readonly commit: string;
  readonly pipeline: Pipeline;
}

/** Opens the job's checkout, and fetches the records where it will look some up: of all stages, one or none. */
export async function openCheckout(
  context: Context,
  options: JobOptions,
  commit: string,
  lookUps: "all" | 0 | 1,
): Promise<Result<Checkout>> {
  const workspace = await openWorkspace(options.forGit);
  if (!workspace.ok) return workspace;
  const pipeline = await loadPipeline(workspace.value.source, options.pipeline);
  if (!pipeline.ok) return pipeline;
  const { stages } = pipeline.value;
  if (lookUps !== 0) await refreshRecords(context, workspace.value, lookUps === "all" ? stages.length : lookUps);
  return ok({ ...workspace.value, commit, pipeline: pipeline.value });
}

/** The plan that the first job made of this commit. */
export async function receivePlan(context: Context, options: JobOptions): Promise<Result<PlanDocument>> {
  const commit = await resolveCommit(context, "HEAD");
  if (!commit.ok) return commit;
  const folder = join(options.temp, PLAN_PARCEL);
  const plan = await receiveDocument(options.parcels, PLAN_PARCEL, folder, planDocumentSchema);
  if (!plan.ok) return plan;
  const what = `the job "plan" of pipeline "${options.pipeline}"`;
  if (plan.value === undefined) return fail({ code: "external", what, problem: "left no plan; its log says why" });
  if (plan.value.commit !== commit.value || plan.value.pipeline !== options.pipeline) {
    return fail({
      code: "external",
      what,
      problem: `planned commit ${plan.value.commit}, and this is ${commit.value}`,
    });
  }
  return ok(plan.value);
}

/** What became of a stage in the jobs before this one. */
export interface Made {
  /** Undefined: its job left nothing, because it did not run or did not get that far. */
  readonly state: StageState | undefined;
  readonly failures: readonly string[];
  /** Has the bytes of outputs, where they came with the record. */
  readonly parcel?: LocalStore;
}

/** Asks the plan, and for what was to run the parcel of its job. One of another commit counts as none. */
export async function madeBefore(
  context: Context,
  stage: string,
  plan: PlanDocument,
  options: JobOptions,
): Promise<Result<Made>> {
  const planned = plan.stages.find((entry) => entry.stage === stage);
  if (planned?.action === "cached" && planned.record !== undefined) {
    const { record, reason } = planned;
    return ok({ state: { status: "cached", record, reason, ms: 0 }, failures: [] });
  }
  const name = stageParcel(stage);
  const folder = join(options.temp, name);
  const received = await receiveDocument(options.parcels, name, folder, stageDocumentSchema);
  if (!received.ok) return received;
  if (received.value?.commit !== plan.commit) return ok({ state: undefined, failures: [] });
  const { status, record, key, reason, ms, failures, carried } = received.value;
  const parcel = carried.length === 0 ? {} : { parcel: parcelStore(context, folder) };
  if (status === "failed" || status === "skipped") return ok({ state: { status, key, reason, ms }, failures });
  return record === undefined
    ? ok({ state: undefined, failures })
    : ok({ state: { status, record, reason, ms }, failures, ...parcel });
}
