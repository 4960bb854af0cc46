import type { RunRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Json, Result } from "../core/index.ts";
import type { KeyWorld } from "./inputs.ts";
import { stageParams } from "./params.ts";
import type { PlannedWithInputs } from "./plan.ts";
import type { StageState } from "./pipeline-run.ts";
import type { Stage } from "./stage.ts";

interface SummaryOptions {
  readonly world: KeyWorld;
  readonly commit: string | null;
  readonly planned: readonly Pick<PlannedWithInputs, "stage" | "needs">[];
  readonly states: ReadonlyMap<string, StageState>;
  readonly startedAt: Date;
}

/** The run as a record: what each stage did, and the params, metrics and data of the pipeline as a whole. */
export async function runRecord(context: Context, options: SummaryOptions): Promise<Result<RunRecord>> {
  const { world, commit, planned, states, startedAt } = options;
  const chosen = world.pipeline.stages.filter(({ name }) => states.has(name));
  const inputs = await inputsOf(world, chosen);
  if (!inputs.ok) return inputs;
  const records = [...states.values()].flatMap((state) => ("record" in state ? [state.record] : []));
  return ok({
    recordVersion: 1,
    pipeline: world.pipeline.name,
    commit,
    startedAt: startedAt.toISOString(),
    ms: Math.max(0, context.now().getTime() - startedAt.getTime()),
    ok: [...states.values()].every((state) => "record" in state),
    stages: planned.map(({ stage, needs }) => {
      const state = states.get(stage) as StageState;
      const key = "record" in state ? state.record.key : state.key;
      return { stage, key, status: state.status, ms: state.ms, reason: state.reason, needs: [...needs] };
    }),
    ...inputs.value,
    metrics: Object.assign({}, ...records.map(({ metrics }) => metrics)) as RunRecord["metrics"],
    provenance: null,
  });
}

/** Parameters and datasets of some stages of a tree, together. */
export async function inputsOf(
  world: KeyWorld,
  stages: readonly Stage[],
): Promise<Result<Pick<RunRecord, "params" | "data">>> {
  const params: Record<string, Record<string, Json>> = {};
  const data: RunRecord["data"] = {};
  // What a frozen stage would read today says nothing of what it stands for.
  for (const stage of stages.filter(({ frozen }) => !frozen)) {
    const read = await stageParams(world.params, stage);
    if (!read.ok) return read;
    for (const [file, values] of Object.entries(read.value)) params[file] = { ...params[file], ...values };
    for (const { name, dataset } of world.datasetsFor(stage)) data[name] = dataset.digest;
  }
  return ok({ params: params as RunRecord["params"], data });
}
