import type { Check, Gate } from "../config/index.ts";
import { compareModels, judgeGates, marginsOf, meanOf, seedMetric } from "../evaluate/index.ts";
import type { Comparison, MeasuredSpeed, Numbers, Reference, SeedFiles } from "../evaluate/index.ts";
import { directionOf, findMetric, metricOf, shownMetrics } from "../metrics/index.ts";
import type { Evaluation, Predictions } from "../metrics/index.ts";
import { predictionPlots } from "./plots/predictions.ts";
import { bareNumbers } from "./metric-row.ts";
import type { MetricRow, ModelReport } from "./schema.ts";
import { servingReport } from "./serving.ts";
import type { Sizes } from "./serving.ts";
import { sliceReport } from "./slices.ts";

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
  readonly seeds?: readonly SeedFiles[];
  /** Bytes of the model's files elsewhere, as far as they are known. */
  readonly sizes?: { readonly base: Sizes; readonly production: Sizes };
  readonly notes: readonly string[];
}

/** Judges a model, and lays out what was found. */
export function modelReport(model: ModelInput, resamples: number | undefined): ModelReport {
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
    ...(model.seeds === undefined ? {} : { seeds: model.seeds }),
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
    looks: null,
    notes: [...model.notes, ...missing],
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
    ...bareNumbers(before, after),
    production: productionValue,
    note:
      after === null
        ? "not measured"
        : known === undefined
          ? seedMetric(name, head.numbers, model.seeds) === undefined
            ? "a number without examples: its noise is not known"
            : "mean over seeds"
          : null,
  };
}

function valueOf(
  name: string,
  side: { predictions: Predictions | null; numbers: Numbers },
  { evaluation, head, seeds }: ModelInput,
): number | null {
  const computed = side.predictions === null ? null : metricOf(side.predictions, name, evaluation);
  const bySeed = seedMetric(name, head.numbers, seeds);
  return computed ?? (bySeed && meanOf(bySeed, side.numbers)?.mean) ?? side.numbers[name] ?? null;
}
