import type { Check, Gate, RunRecord } from "../config/index.ts";
import { compareModels, judgeGates, marginsOf } from "../evaluate/index.ts";
import { directionOf, findMetric, metricOf, shownMetrics } from "../metrics/index.ts";
import type { Comparison, MeasuredSpeed, Numbers, Reference } from "../evaluate/index.ts";
import type { Direction, Evaluation, Predictions } from "../metrics/index.ts";
import { dataChanges, numberRows, paramChanges } from "./changes.ts";
import { looksSentence } from "./looks.ts";
import { predictionPlots } from "./plots/predictions.ts";
import type { PlotReport } from "./plots/schema.ts";
import { servingReport } from "./serving.ts";
import type { Sizes } from "./serving.ts";
import { sliceReport } from "./slices.ts";
import type { MetricRow, ModelReport, PipelineReport, Report } from "./schema.ts";
import { seedRows, withoutSeeds } from "./seeds.ts";
import type { Seeds } from "./seeds.ts";
import { sectionsOf } from "./views.ts";

/** One model as it stands on both sides, with its rules and what it is held against. */
export interface ModelInput {
  readonly name: string;
  readonly pipeline: string;
  readonly evaluation: Evaluation;
  readonly gates: readonly Gate[];
  readonly gatesFrom: "base" | "head";
  readonly head: { readonly predictions: Predictions | null; readonly numbers: Numbers };
  readonly base: Reference;
  readonly production: Reference;
  readonly productionVersion: number | null;
  /** Bytes of each of the model's files as made by the head; null: not made. */
  readonly files: Readonly<Record<string, number | null>>;
  /** Of the head's model.yaml. */
  readonly card?: Readonly<Record<string, string>>;
  /** Of the head's stages. */
  readonly checks?: readonly Check[];
  readonly speed?: MeasuredSpeed;
  /** Bytes of the model's files elsewhere, as far as they are known. */
  readonly sizes?: { readonly base: Sizes; readonly production: Sizes };
  /** How often the head's test set has been looked at, this report's look included. */
  readonly looks?: ModelReport["looks"];
  readonly notes: readonly string[];
}

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

export interface ReportInput {
  readonly head: Report["head"];
  readonly base: Report["base"];
  readonly pullRequest: number | null;
  readonly runUrl: string | null;
  readonly pipelines: readonly PipelineInput[];
  readonly models: readonly ModelInput[];
  readonly files?: Report["files"];
  /** Absent: the reviewer's. */
  readonly sections?: Report["sections"];
  /** Of the experiment, in words. */
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  readonly resamples?: number;
}

/** Compares, judges and lays out; a pure function, so that the same results give the same report. */
export function buildReport(input: ReportInput): Report {
  const models = input.models.map((model) => modelReport(model, input.resamples));
  const pipelines = input.pipelines.map((pipeline) => pipelineReport(pipeline, input.models));
  const failed = input.failures.length > 0 || pipelines.some((pipeline) => !pipeline.ok);
  const gatesFail = models.some((model) => model.gates.some((gate) => !gate.passed));
  const { head, base, pullRequest, runUrl } = input;
  return {
    reportVersion: 1,
    state: failed ? "failed" : "compared",
    conclusion: failed || gatesFail ? "failure" : "success",
    verdict: failed ? "failed" : combine(models, pipelines),
    head,
    base,
    pullRequest,
    runUrl,
    sections: input.sections ?? sectionsOf(undefined),
    models,
    pipelines,
    files: input.files ?? null,
    failures: [...input.failures],
    notes: [...input.notes],
  };
}

/** The report of a result that was not accepted: the reason, and nothing of the result. */
export function refusedReport(
  input: Pick<ReportInput, "head" | "base" | "pullRequest" | "runUrl">,
  reasons: readonly string[],
): Report {
  return {
    reportVersion: 1,
    state: "refused",
    conclusion: "failure",
    verdict: "refused",
    ...input,
    sections: [],
    models: [],
    pipelines: [],
    files: null,
    failures: [...reasons],
    notes: [],
  };
}

/** Several models: worse where any is, else better where any is. Without a model, what is shown over seeds decides. */
function combine(models: readonly ModelReport[], pipelines: readonly PipelineReport[]): Report["verdict"] {
  const judged = models.length > 0 ? models : pipelines.flatMap(({ seeds }) => seeds);
  const verdicts = judged.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]));
  if (verdicts.length === 0) return "none";
  if (verdicts.includes("worse")) return "worse";
  if (verdicts.includes("better")) return "better";
  return verdicts.every((verdict) => verdict === "equivalent") ? "equivalent" : "no-evidence";
}

function modelReport(model: ModelInput, resamples: number | undefined): ModelReport {
  const { evaluation, head, base, production } = model;
  const names = shownMetrics(evaluation);
  const basePredictions = base.kind === "measured" ? base.predictions : null;
  const comparison =
    head.predictions === null || basePredictions === null
      ? null
      : compareModels({
          base: basePredictions,
          head: head.predictions,
          metrics: names,
          evaluation,
          margins: marginsOf(model.gates, evaluation.margins),
          ...(resamples === undefined ? {} : { resamples }),
        });
  const gates = judgeGates({
    gates: model.gates,
    evaluation,
    candidate: head,
    base,
    production,
    files: model.files,
    ...(model.card === undefined ? {} : { card: model.card }),
    ...(model.checks === undefined ? {} : { checks: model.checks }),
    ...(model.speed === undefined ? {} : { speed: model.speed }),
    ...(resamples === undefined ? {} : { resamples }),
  });
  const said = new Set(gates.map(({ found }) => found));
  const missing = [base, production].flatMap((side) =>
    side.kind === "measured" || said.has(side.why) ? [] : [side.why],
  );
  return {
    name: model.name,
    pipeline: model.pipeline,
    verdict: comparison?.verdict ?? null,
    identical: comparison?.identical ?? false,
    pairing: comparison === null ? null : pairingOf(comparison),
    resamples: comparison?.resamples ?? 0,
    correction: comparison?.correction ?? null,
    metrics: names.map((name) => metricRow(name, model, comparison)),
    serving: servingReport(model.files, model.sizes, model.speed),
    gates: gates.map(({ rule, passed, found }) => ({ rule, passed, found })),
    gatesFrom: model.gatesFrom,
    production: model.productionVersion === null ? null : { version: model.productionVersion },
    flips: comparison?.flips == null ? null : (structuredClone(comparison.flips) as ModelReport["flips"]),
    slices:
      head.predictions === null || basePredictions === null || comparison?.identical === true
        ? null
        : sliceReport({
            base: basePredictions,
            head: head.predictions,
            evaluation,
            metrics: names,
            ...(resamples === undefined ? {} : { resamples }),
          }),
    plots: predictionPlots(basePredictions, head.predictions),
    looks: model.looks ?? null,
    notes: [...model.notes, ...missing, ...(model.looks ? [looksSentence(model.looks)] : [])],
  };
}

function pairingOf({ pairing }: Comparison): NonNullable<ModelReport["pairing"]> {
  switch (pairing.kind) {
    case "same":
      return { ...pairing, base: pairing.examples, head: pairing.examples, relabelled: 0 };
    case "common":
      return pairing;
    case "unpaired": {
      const { kind, base, head, common, relabelled } = pairing;
      return { kind, base, head, examples: common, relabelled };
    }
  }
}

function metricRow(name: string, model: ModelInput, comparison: Comparison | null): MetricRow {
  const { head, base, production } = model;
  const business = model.evaluation.business?.[name];
  const unit = business?.unit ?? null;
  const formula = business === undefined ? {} : { business: { desc: business.desc ?? null } };
  const compared = comparison?.metrics.find((metric) => metric.name === name);
  const productionValue = production.kind === "measured" ? valueOf(name, production, model) : null;
  if (compared !== undefined) {
    const { direction, difference, interval, test, adjusted, verdict, nonInferior, note } = compared;
    return {
      name,
      unit,
      ...formula,
      direction,
      base: compared.base,
      head: compared.head,
      difference,
      interval: interval === null ? null : [interval[0], interval[1]],
      test,
      p: adjusted,
      verdict,
      nonInferior,
      production: productionValue,
      note,
    };
  }
  const before = base.kind === "measured" ? valueOf(name, base, model) : null;
  const after = valueOf(name, head, model);
  const known = findMetric(model.evaluation, name);
  return {
    name,
    unit,
    ...formula,
    direction: known?.direction ?? model.evaluation.directions?.[name] ?? directionOf(name),
    base: before,
    head: after,
    difference: before === null || after === null ? null : after - before,
    interval: null,
    test: null,
    p: null,
    verdict: null,
    nonInferior: null,
    production: productionValue,
    note:
      after === null
        ? "not measured"
        : known === undefined
          ? "a number without examples: its noise is not known"
          : null,
  };
}

function valueOf(
  name: string,
  side: { predictions: Predictions | null; numbers: Numbers },
  { evaluation }: ModelInput,
): number | null {
  const computed = side.predictions === null ? null : metricOf(side.predictions, name, evaluation);
  return computed ?? side.numbers[name] ?? null;
}

function pipelineReport(
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
