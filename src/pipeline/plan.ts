import type { StageRecord } from "../config/index.ts";
import { failedIfAny, ok } from "../core/index.ts";
import type { Context, Failure, Result, StageKey } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import type { Records } from "../records/index.ts";
import { KeyWorld } from "./inputs.ts";
import { stageKey } from "./key.ts";
import type { KeyInputs } from "./key.ts";
import { lastInputs } from "./last.ts";
import { reasonOf } from "./reason.ts";
import type { Pipeline, Stage } from "./stage.ts";

/** What is to happen with one stage. */
export interface PlannedStage {
  readonly stage: string;
  /** Null: a stage it needs will run, so its inputs are not known yet. */
  readonly key: StageKey | null;
  /** "run" with a null key may still turn out cached, when what it needs comes out as it was. */
  readonly action: "cached" | "run";
  /** In a person's words. */
  readonly reason: string;
  readonly record?: StageRecord;
  readonly needs: readonly string[];
}

export interface Plan {
  readonly pipeline: string;
  /** Each after what it needs. */
  readonly stages: readonly PlannedStage[];
}

export interface PlanOptions {
  readonly source: Source;
  readonly pipeline: Pipeline;
  readonly records: Records;
  /** Run these stages (or all, with `true`) whatever is known of them. */
  readonly force?: boolean | ReadonlyMap<string, string>;
  /** Only records that a trusted run made: what promotion may use. */
  readonly trustedOnly?: boolean;
  /** A tree to tell the reasons against where this machine has not run the stage: the merge base of a pull request. */
  readonly baseline?: Source;
}

/** Says what would run and why: from a tree and the records alone, no data and no store. */
export async function plan(context: Context, options: PlanOptions): Promise<Result<Plan>> {
  const world = await KeyWorld.open(context, options.pipeline, options.source);
  if (!world.ok) return world;
  const stages = await planIn(context, world.value, options);
  if (!stages.ok) return stages;
  const told = stages.value.map((planned): PlannedStage => {
    const { inputs: _, ...stage } = planned;
    return stage;
  });
  return ok({ pipeline: options.pipeline.name, stages: told });
}

/** A plan that goes on to be run: with the inputs behind each key, and in a world that can learn. */
export interface PlannedWithInputs extends PlannedStage {
  readonly inputs: KeyInputs | undefined;
}

export async function planIn(
  context: Context,
  world: KeyWorld,
  options: PlanOptions,
): Promise<Result<PlannedWithInputs[]>> {
  const planned: PlannedWithInputs[] = [];
  const failures: Failure[] = [];
  const running = new Set<string>();
  for (const stage of world.pipeline.stages) {
    const inputs = await world.inputs(stage);
    if (!inputs.ok) {
      failures.push(...inputs.failures);
      running.add(stage.name);
      continue;
    }
    const waits = stage.needs.filter((name) => running.has(name));
    const decided = await decide(context, stage, inputs.value, waits, options);
    if (!decided.ok) return decided;
    planned.push(decided.value);
    if (decided.value.action === "run") running.add(stage.name);
    else world.learn(stage.name, decided.value.record?.outs ?? []);
  }
  return failedIfAny(failures) ?? ok(planned);
}

async function decide(
  context: Context,
  stage: Stage,
  inputs: KeyInputs | undefined,
  waits: readonly string[],
  options: PlanOptions,
): Promise<Result<PlannedWithInputs>> {
  const shared = { stage: stage.name, needs: stage.needs, inputs };
  const forced = forceReason(stage, options.force);
  if (inputs === undefined) {
    return ok({ ...shared, key: null, action: "run", reason: forced ?? `${someOf(waits)} will run` });
  }
  const key = stageKey(inputs);
  if (forced !== undefined) return ok({ ...shared, key, action: "run", reason: forced });
  const record = await lookUp(stage, key, options);
  if (!record.ok) return record;
  if (record.value !== undefined) {
    return ok({ ...shared, key, action: "cached", reason: "nothing it depends on changed", record: record.value });
  }
  return ok({ ...shared, key, action: "run", reason: await whyRun(context, stage, inputs, options) });
}

const SHOWN = 3;

/** Names in a sentence, the first few of many. */
export function someOf(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.join(" and ");
  return `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`;
}

/** The record of a key, if it says what this stage makes: a record that lacks an output is no use. */
export async function lookUp(
  stage: Stage,
  key: StageKey,
  { records, trustedOnly }: Pick<PlanOptions, "records" | "trustedOnly">,
): Promise<Result<StageRecord | undefined>> {
  const record = await (trustedOnly ? records.trustedStage(key) : records.stage(key));
  if (!record.ok || record.value === undefined) return record;
  const made = new Set<string>(record.value.outs.map(({ path }) => path));
  return ok(stage.outs.every(({ path }) => made.has(path)) ? record.value : undefined);
}

function forceReason(stage: Stage, force: PlanOptions["force"]): string | undefined {
  if (force === true) return "it was asked for (--force)";
  if (typeof force === "object" && force.has(stage.name)) return force.get(stage.name);
  return stage.alwaysChanged ? "it is declared always_changed" : undefined;
}

/** Against the stage's last run here, else against the baseline. */
export async function whyRun(
  context: Context,
  stage: Stage,
  inputs: KeyInputs,
  options: Pick<PlanOptions, "pipeline" | "baseline" | "records" | "trustedOnly">,
): Promise<string> {
  const last = await lastInputs(context, options.pipeline.name, stage.name);
  const before = last ?? (await inputsAt(context, options, stage));
  return before === undefined ? "it has not run yet" : reasonOf(before, inputs);
}

/** The stage's inputs in the baseline tree, as far as they can be known: of what other stages make, the records tell. */
async function inputsAt(
  context: Context,
  options: Parameters<typeof whyRun>[3],
  stage: Stage,
): Promise<KeyInputs | undefined> {
  const { baseline, pipeline } = options;
  if (baseline === undefined) return undefined;
  const { loadPipeline } = await import("./load.ts");
  const old = await loadPipeline(baseline, pipeline.name);
  if (!old.ok) return undefined;
  const world = await KeyWorld.open(context, old.value, baseline);
  if (!world.ok) return undefined;
  for (const other of old.value.stages) {
    const inputs = await world.value.inputs(other);
    if (!inputs.ok || inputs.value === undefined) {
      if (other.name === stage.name) return undefined;
      continue;
    }
    if (other.name === stage.name) return inputs.value;
    const record = await lookUp(other, stageKey(inputs.value), options);
    if (record.ok && record.value !== undefined) world.value.learn(other.name, record.value.outs);
  }
  return undefined;
}
