import type { StageRecord } from "../config/index.ts";
import { all, describe, failedIfAny, ok } from "../core/index.ts";
import type { Context, Failure, Result, StageKey } from "../core/index.ts";
import { keepNames } from "../dvc/index.ts";
import type { Source } from "../git/index.ts";
import { frozenKey, nothingStands, standing } from "./frozen.ts";
import { KeyWorld } from "./inputs.ts";
import { stageKey } from "./key.ts";
import type { KeyInputs } from "./key.ts";
import { lastInputs } from "./last.ts";
import { lookUp } from "./look-up.ts";
import type { LookUpOptions } from "./look-up.ts";
import { reasonOf } from "./reason.ts";
import { inGraphOrder } from "./schedule.ts";
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
  /** Absent of a stage that runs, and of a frozen one whose result is known by DVC's name alone. */
  readonly record?: StageRecord;
  readonly needs: readonly string[];
}

export interface Plan {
  readonly pipeline: string;
  /** Each after what it needs. */
  readonly stages: readonly PlannedStage[];
}

export interface PlanOptions extends LookUpOptions {
  readonly source: Source;
  readonly pipeline: Pipeline;
  /** Run these stages (or all, with `true`) whatever is known of them. */
  readonly force?: boolean | ReadonlyMap<string, string>;
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
    const { inputs: _, adopt: __, ...stage } = planned;
    return stage;
  });
  return ok({ pipeline: options.pipeline.name, stages: told });
}

/** A plan that goes on to be run: with the inputs behind each key, and in a world that can learn. */
export interface PlannedWithInputs extends PlannedStage {
  readonly inputs: KeyInputs | undefined;
  /** The record is to be taken over before it is used: it is nobody's yet. */
  readonly adopt?: true;
}

export async function planIn(
  context: Context,
  world: KeyWorld,
  options: PlanOptions,
): Promise<Result<PlannedWithInputs[]>> {
  const planned = new Map<string, Result<PlannedWithInputs>>();
  const running = new Set<string>();
  const decideOn = async (stage: Stage): Promise<Result<PlannedWithInputs>> => {
    if (stage.frozen) return frozen(context, world, stage, options);
    const inputs = await world.inputs(stage);
    if (!inputs.ok) return inputs;
    const waits = stage.needs.filter((name) => running.has(name));
    return decide(context, world, stage, inputs.value, waits, options);
  };
  await world.look(world.pipeline.stages.filter((stage) => !stage.frozen));
  await inGraphOrder(world.pipeline.stages, async (stage) => {
    const decided = await decideOn(stage);
    planned.set(stage.name, decided);
    if (!decided.ok || decided.value.action === "run") running.add(stage.name);
    // Of a frozen stage its outputs are known, under whatever name.
    else if (!stage.frozen) world.learn(stage.name, decided.value.record?.outs ?? []);
  });
  await keepNames(context);
  const decided = all(world.pipeline.stages.map(({ name }) => planned.get(name)!));
  // A parameter file that many stages read is broken once.
  return decided.ok ? decided : (failedIfAny(distinct(decided.failures)) ?? decided);
}

/** A frozen stage does not run: it is what it stands for, or a failure. */
async function frozen(
  context: Context,
  world: KeyWorld,
  stage: Stage,
  options: LookUpOptions,
): Promise<Result<PlannedWithInputs>> {
  const found = await standing(context, world, stage, options);
  if (!found.ok) return found;
  if (found.value === undefined) return nothingStands(stage);
  const { outs, record, reason } = found.value;
  world.learn(stage.name, outs);
  const shared = { stage: stage.name, needs: stage.needs, inputs: undefined, action: "cached" as const };
  const key = frozenKey(stage, outs);
  if (record === undefined) return ok({ ...shared, key, reason });
  return ok({ ...shared, key, reason, record, ...(record.origin === undefined ? {} : { adopt: true }) });
}

async function decide(
  context: Context,
  world: KeyWorld,
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
  const known = await resultOf(world, stage, inputs, key, options);
  if (!known.ok) return known;
  const { record, adopt, why } = known.value;
  if (record === undefined) {
    return ok({ ...shared, key, action: "run", reason: await whyRun(context, stage, inputs, options, why) });
  }
  if (adopt === true) return ok({ ...shared, key, action: "cached", reason: "dvc.lock has it", record, adopt });
  return ok({ ...shared, key, action: "cached", reason: "nothing it depends on changed", record });
}

/** What is known of a key: its record, else what `dvc.lock` names, if that is of the same content; `why` says what not. */
export async function resultOf(
  world: KeyWorld,
  stage: Stage,
  inputs: KeyInputs,
  key: StageKey,
  options: LookUpOptions,
): Promise<Result<{ record?: StageRecord; adopt?: true; why?: string }>> {
  const record = await lookUp(stage, key, options);
  if (!record.ok) return record;
  if (record.value !== undefined) return ok({ record: record.value });
  // Nobody vouches for what a lockfile says.
  if (options.trustedOnly === true) return ok({});
  const seed = await world.seeds.find(stage, inputs, key);
  if (!seed.ok) return seed;
  return ok(seed.value !== undefined && "record" in seed.value ? { ...seed.value, adopt: true } : (seed.value ?? {}));
}

function distinct(failures: readonly Failure[]): Failure[] {
  return [...new Map(failures.map((failure) => [describe(failure), failure])).values()];
}

const SHOWN = 3;

/** Names in a sentence, the first few of many. */
export function someOf(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.join(" and ");
  return `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`;
}

function forceReason(stage: Stage, force: PlanOptions["force"]): string | undefined {
  if (force === true) return "it was asked for (--force)";
  if (typeof force === "object" && force.has(stage.name)) return force.get(stage.name);
  return stage.alwaysChanged ? "it is declared always_changed" : undefined;
}

/** Against the stage's last run here, else against dvc.lock (`why`), else against the baseline. */
export async function whyRun(
  context: Context,
  stage: Stage,
  inputs: KeyInputs,
  options: Pick<PlanOptions, "pipeline" | "baseline" | "records" | "trustedOnly">,
  why?: string,
): Promise<string> {
  const last = lastInputs(context, options.pipeline.name, stage.name);
  if (last === undefined && why !== undefined) return why;
  const before = last ?? (await baselineInputs(context, options)).get(stage.name);
  return before === undefined ? "it has not run yet" : reasonOf(before, inputs);
}

type Inputs = ReadonlyMap<string, KeyInputs>;
/** By baseline and pipeline: a revision does not change, and every stage that runs asks. */
const baselines = new WeakMap<Source, Map<string, Promise<Inputs>>>();

function baselineInputs(context: Context, options: Parameters<typeof whyRun>[3]): Promise<Inputs> {
  const { baseline, pipeline } = options;
  if (baseline === undefined) return Promise.resolve(new Map());
  const known = baselines.get(baseline) ?? new Map<string, Promise<Inputs>>();
  baselines.set(baseline, known);
  const inputs = known.get(pipeline.name) ?? inputsAt(context, baseline, options);
  known.set(pipeline.name, inputs);
  return inputs;
}

/** The inputs of a baseline tree's stages, as far as they can be known: of what other stages make, the records tell. */
async function inputsAt(context: Context, baseline: Source, options: Parameters<typeof whyRun>[3]): Promise<Inputs> {
  const known = new Map<string, KeyInputs>();
  const { loadPipeline } = await import("./load.ts");
  const old = await loadPipeline(baseline, options.pipeline.name);
  if (!old.ok) return known;
  const world = await KeyWorld.open(context, old.value, baseline);
  if (!world.ok) return known;
  await world.value.look(old.value.stages.filter(({ frozen: still }) => !still));
  for (const stage of old.value.stages) {
    if (stage.frozen) {
      const stands = await standing(context, world.value, stage, options);
      if (stands.ok && stands.value !== undefined) world.value.learn(stage.name, stands.value.outs);
      continue;
    }
    const inputs = await world.value.inputs(stage);
    if (!inputs.ok || inputs.value === undefined) continue;
    known.set(stage.name, inputs.value);
    const record = await lookUp(stage, stageKey(inputs.value), options);
    if (record.ok && record.value !== undefined) world.value.learn(stage.name, record.value.outs);
  }
  return known;
}
