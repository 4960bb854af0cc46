import type { RunRecord } from "../config/index.ts";
import { marginsOf } from "../evaluate/index.ts";
import { directionOf, shownMetrics } from "../metrics/index.ts";
import type { Direction } from "../metrics/index.ts";
import { dataChanges, numberRows, paramChanges } from "./changes.ts";
import type { ModelInput } from "./model-report.ts";
import type { PlotReport } from "./plots/schema.ts";
import type { PipelineReport } from "./schema.ts";
import { seedRows, withoutSeeds } from "./seeds.ts";
import type { Seeds } from "./seeds.ts";

export interface PipelineInput {
  readonly head: RunRecord;
  readonly base: RunRecord | null;
  readonly plots?: readonly PlotReport[];
  /** Of the stages that ran and whose runner has a rate. */
  readonly costs?: { readonly currency: string; readonly stages: Readonly<Record<string, number>> };
  readonly notes: readonly string[];
  /** Which of its metrics files are written once for each seed. */
  readonly seeds?: Seeds;
  /** Of numbers whose name does not say which way is good. */
  readonly directions?: Directions;
}

type Directions = Readonly<Record<string, Direction>>;

/** Lays out what a pipeline's run changed beside its models. */
export function pipelineReport(
  { head, base, plots, costs, notes, seeds = { head: [], base: [] }, directions = {} }: PipelineInput,
  models: readonly ModelInput[],
): PipelineReport {
  const its = models.filter((model) => model.pipeline === head.pipeline);
  const shown = new Set(its.flatMap((model) => shownMetrics(model.evaluation)));
  const declared = Object.assign({}, directions, ...its.map(({ evaluation }) => evaluation.directions)) as Directions;
  const margins = Object.assign(
    {},
    ...its.map(({ gates, evaluation }) => marginsOf(gates, evaluation.margins)),
  ) as Record<string, number>;
  const direction = (name: string): Direction | null => declared[name] ?? directionOf(name);
  const alone = {
    head: withoutSeeds(head.metrics, seeds.head),
    base: base === null ? null : withoutSeeds(base.metrics, seeds.base),
  };
  return {
    name: head.pipeline,
    ok: head.ok,
    ms: head.ms,
    stages: head.stages.map(({ stage, status, ms, reason, needs }) => ({
      stage,
      status,
      ms,
      reason,
      needs: [...needs],
      cost: (costs !== undefined && Object.hasOwn(costs.stages, stage) ? costs.stages[stage] : null) ?? null,
    })),
    currency: costs?.currency ?? "",
    numbers: numberRows(alone, direction).filter((row) => !shown.has(row.name)),
    seeds: seedRows(seeds, { head: head.metrics, base: base?.metrics ?? null }, direction, margins),
    params: paramChanges(head.params, base?.params ?? null),
    data: dataChanges(head.data, base?.data ?? null),
    baseCommit: base?.commit ?? null,
    plots: [...(plots ?? [])],
    notes: [...notes],
  };
}
