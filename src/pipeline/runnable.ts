import type { StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Records } from "../records/index.ts";
import type { Store } from "../store/index.ts";
import type { KeyWorld } from "./inputs.ts";
import { editedOutput } from "./frozen.ts";
import { lostOutput, lostReason, outputsFor, unstoredOutput } from "./outputs.ts";
import { planIn } from "./plan.ts";
import type { PlannedWithInputs } from "./plan.ts";
import type { RunOptions } from "./run.ts";
import type { Stage } from "./stage.ts";

export interface Runnable {
  readonly planned: readonly PlannedWithInputs[];
  /** Wanted outputs that stood in their places, unchanged, when it was made. */
  readonly inPlace: ReadonlySet<string>;
}

/**
 * The plan of the chosen stages, made sure to be possible: a cached stage whose outputs are wanted but are neither in
 * place nor in any store runs again, and what that needs is looked at in turn.
 */
export async function planRunnable(
  context: Context,
  world: KeyWorld,
  options: RunOptions,
  stores: readonly Store[],
): Promise<Result<Runnable>> {
  const chosen = choose(options.pipeline.stages, options.stage);
  if (!chosen.ok) return chosen;
  const again = new Map<string, string>();
  for (;;) {
    const planned = await planIn(context, world, { ...options, force: options.force === true || again });
    if (!planned.ok) return planned;
    const list = planned.value.filter(({ stage }) => chosen.value.has(stage));
    const adopted = await adoptAll(context, world, list, options, stores);
    if (!adopted.ok) return adopted;
    const inPlace = new Set<string>();
    const lost = await firstLost(context, list, options, stores, inPlace);
    if (!lost.ok) return lost;
    if (lost.value === undefined) return ok({ planned: list, inPlace });
    const gone = lost.value;
    if (options.pipeline.stages.some(({ name, frozen }) => frozen && name === gone.stage))
      return lostFrozen(gone, stores);
    again.set(lost.value.stage, lostReason(lost.value.path));
    for (const stage of options.pipeline.stages) world.forget(stage.name);
  }
}

/** Makes a result that DVC made one of this machine's: its outputs come first, then the record. */
export async function takeOver(
  world: KeyWorld,
  stage: Stage,
  record: StageRecord,
  records: Records,
): Promise<Result<void>> {
  const adopted = await world.seeds.adopt(stage, record);
  return adopted.ok ? records.saveLocal({ stages: [record], runs: [] }) : adopted;
}

async function adoptAll(
  context: Context,
  world: KeyWorld,
  planned: readonly PlannedWithInputs[],
  { pipeline, records }: RunOptions,
  stores: readonly Store[],
): Promise<Result<void>> {
  const stages = new Map(pipeline.stages.map((stage) => [stage.name, stage]));
  for (const { stage: name, record, adopt } of planned) {
    const stage = stages.get(name);
    if (stage === undefined || (adopt !== true && !stage.frozen)) continue;
    if (record === undefined) return world.seeds.missing(stage);
    const kept = stage.frozen ? await editedOutput(context, world, record, stores) : ok();
    if (!kept.ok) return kept;
    const adopted = adopt === true ? await takeOver(world, stage, record, records) : ok();
    if (!adopted.ok) return adopted;
  }
  return ok();
}

function lostFrozen({ stage, path }: { stage: string; path: string }, stores: readonly Store[]): Result<never> {
  const store = stores.map(({ url }) => url).join(", ");
  const hint = "a frozen stage does not run; take `frozen` away to make it again";
  return fail({ code: "blob-missing", digest: path, neededBy: `stage "${stage}", which is frozen,`, store, hint });
}

async function firstLost(
  context: Context,
  planned: readonly PlannedWithInputs[],
  options: RunOptions,
  stores: readonly Store[],
  inPlace: Set<string>,
): Promise<Result<{ stage: string; path: string } | undefined>> {
  const stages = new Map(options.pipeline.stages.map((stage) => [stage.name, stage]));
  const readers = planned.filter(({ action }) => action === "run").map(({ stage }) => stages.get(stage) as Stage);
  for (const { stage: name, record } of planned) {
    const stage = stages.get(name);
    if (record === undefined || stage === undefined) continue;
    const wanted =
      options.restore === "all"
        ? record.outs
        : readers.filter(({ needs }) => needs.includes(name)).flatMap((reader) => outputsFor(record, reader));
    const lost = await lostOutput(context, stage, wanted, stores, inPlace);
    if (!lost.ok) return lost;
    // What is not brought here is still named by the result, which must not name bytes that are nowhere.
    const unstored = options.restore === "all" ? ok(undefined) : await unstoredOutput(stage, record.outs, stores);
    if (!unstored.ok) return unstored;
    const gone = lost.value ?? unstored.value;
    if (gone !== undefined) return ok({ stage: name, path: gone.path });
  }
  return ok(undefined);
}

/** A stage and everything it needs, or all. */
function choose(stages: readonly Stage[], wanted: string | undefined): Result<ReadonlySet<string>> {
  if (wanted === undefined) return ok(new Set(stages.map(({ name }) => name)));
  if (!stages.some(({ name }) => name === wanted)) {
    return fail({ code: "unknown-name", what: "stage", name: wanted, known: stages.map(({ name }) => name) });
  }
  const chosen = new Set([wanted]);
  for (const stage of stages.toReversed()) if (chosen.has(stage.name)) stage.needs.forEach((name) => chosen.add(name));
  return ok(chosen);
}
