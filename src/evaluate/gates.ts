import type { Gate } from "../config/index.ts";
import { compareModels } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import type { Direction } from "./metric.ts";
import { directionOf, findMetric, metricOf } from "./metrics.ts";
import type { MetricSource } from "./metrics.ts";
import type { Predictions } from "./predictions.ts";

/** What a candidate is held against. */
export type Reference =
  /** There is nothing yet (a first version): a rule against it passes, and says so. */
  | { readonly kind: "none"; readonly why: string }
  /** There should be something, but it could not be had: a rule against it fails. */
  | { readonly kind: "missing"; readonly why: string }
  | { readonly kind: "measured"; readonly predictions: Predictions | null; readonly numbers: Numbers };

/** Metrics that came as numbers only: name -> value, unaccompanied by examples. */
export type Numbers = Readonly<Record<string, number>>;

export interface GateResult {
  readonly gate: Gate;
  /** The rule as a person says it, as in `accuracy at least 0.95`. */
  readonly rule: string;
  readonly passed: boolean;
  /** What was measured, and for a failed gate why it failed. */
  readonly found: string;
}

export interface GateInput {
  /** Where gates are on formulas of the evaluation. */
  readonly evaluation?: MetricSource;
  readonly gates: readonly Gate[];
  readonly candidate: { readonly predictions: Predictions | null; readonly numbers: Numbers };
  readonly base: Reference;
  readonly production: Reference;
  /** Bytes of each of the model's files; null for one that the candidate does not have. */
  readonly files: Readonly<Record<string, number | null>>;
  readonly resamples?: number;
}

/**
 * Judges a candidate by a model's gates. A regression is judged by the bound of its 95 % interval on the bad side, so
 * a change passes when a larger loss than allowed is ruled out, not when none was seen. Every gate has to pass, so
 * there is nothing to correct for their number.
 */
export function judgeGates(input: GateInput): GateResult[] {
  return input.gates.map((gate) => {
    if ("file" in gate) return judgeSize(gate.file, gate.max_size, gate, input);
    if ("max_regression" in gate) return judgeRegression(gate, input);
    return judgeValue(gate, input);
  });
}

/** What a gate allows to be lost is what the team said does not matter. */
export function marginsOf(gates: readonly Gate[]): Record<string, number> {
  const margins: Record<string, number> = {};
  for (const gate of gates) {
    if (!("max_regression" in gate) || gate.max_regression === 0) continue;
    margins[gate.metric] = Math.min(margins[gate.metric] ?? Infinity, gate.max_regression);
  }
  return margins;
}

type Rule<Name extends string> = Extract<Gate, Record<Name, unknown>>;

function judgeValue(gate: Exclude<Gate, Rule<"file"> | Rule<"max_regression">>, input: GateInput): GateResult {
  const bounds = [
    ...(gate.min === undefined ? [] : [`at least ${gate.min}`]),
    ...(gate.max === undefined ? [] : [`at most ${gate.max}`]),
  ];
  const rule = `${gate.metric} ${bounds.join(" and ")}`.trim();
  const value = valueOf(gate.metric, input);
  if (value === null) return { gate, rule, passed: false, found: absent(gate.metric, input) };
  if (bounds.length === 0) return { gate, rule, passed: false, found: "the gate has neither min nor max" };
  const passed = value >= (gate.min ?? -Infinity) && value <= (gate.max ?? Infinity);
  return { gate, rule, passed, found: show(value) };
}

function judgeRegression(gate: Rule<"max_regression">, input: GateInput): GateResult {
  const against = gate.against ?? "base";
  const rule = `${gate.metric} at most ${gate.max_regression} worse than ${against}`;
  const reference = input[against];
  const result = (passed: boolean, found: string): GateResult => ({ gate, rule, passed, found });
  const value = valueOf(gate.metric, input);
  if (value === null) return result(false, absent(gate.metric, input));
  if (reference.kind === "none") return result(true, reference.why);
  if (reference.kind === "missing") return result(false, reference.why);
  const { predictions } = input.candidate;
  if (predictions !== null && findMetric(input.evaluation ?? predictions, gate.metric) !== undefined) {
    if (reference.predictions === null) return result(false, `${against} has no predictions to compare with`);
    const comparison = compareModels({
      base: reference.predictions,
      head: predictions,
      metrics: [gate.metric],
      evaluation: input.evaluation ?? predictions,
      ...(input.resamples === undefined ? {} : { resamples: input.resamples }),
    });
    return judgeInterval(gate, against, comparison, result);
  }
  const before = reference.numbers[gate.metric];
  const direction = directionOf(gate.metric);
  if (before === undefined) return result(false, `${against} has no metric "${gate.metric}"`);
  if (direction === null) return result(false, `it is not known whether a higher "${gate.metric}" is better`);
  const loss = worse(value - before, direction);
  return result(loss <= gate.max_regression, `${change(value - before)} (numbers only: its noise is not known)`);
}

function judgeInterval(
  gate: Rule<"max_regression">,
  against: string,
  comparison: Comparison,
  result: (passed: boolean, found: string) => GateResult,
): GateResult {
  const [metric] = comparison.metrics;
  if (metric?.interval == null || metric.difference === null)
    return result(false, metric?.note ?? `${gate.metric} could not be compared with ${against}`);
  const [low, high] = metric.interval;
  const bound = metric.direction === "higher" ? low : high;
  // What was the same on every example is the same; rounding in a sum must not fail a gate of 0.
  const loss = comparison.identical ? 0 : worse(bound, metric.direction);
  const found = `${change(metric.difference)}, 95 % interval ${change(low)} to ${change(high)}${where(comparison)}`;
  if (loss <= gate.max_regression) return result(true, found);
  return result(false, `${found}: a loss of up to ${show(loss)} is not ruled out`);
}

function where({ pairing }: Comparison): string {
  if (pairing.kind === "same") return "";
  if (pairing.kind === "common") return ` on the ${pairing.examples} examples that both have`;
  return ", on different examples";
}

function judgeSize(file: string, maxSize: string, gate: Gate, input: GateInput): GateResult {
  const rule = `${file} at most ${maxSize}`;
  const size = input.files[file] ?? null;
  if (size === null) return { gate, rule, passed: false, found: `the model has no file "${file}"` };
  return { gate, rule, passed: size <= parseSize(maxSize), found: showSize(size) };
}

function valueOf(name: string, { candidate: { predictions, numbers }, evaluation }: GateInput): number | null {
  if (predictions !== null && findMetric(evaluation ?? predictions, name) !== undefined)
    return metricOf(predictions, name, evaluation);
  return numbers[name] ?? null;
}

function absent(name: string, { candidate, evaluation }: GateInput): string {
  if (candidate.predictions !== null && findMetric(evaluation ?? candidate.predictions, name) !== undefined)
    return `${name} could not be computed from the predictions`;
  return `there is no metric "${name}", neither computed from predictions nor in a metrics file`;
}

/** How much worse a difference is: positive for a loss. */
function worse(difference: number, direction: Direction): number {
  return direction === "higher" ? -difference : difference;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Bytes of a size as in `50MB` or `1.5 GiB`, which the schema has checked. */
export function parseSize(text: string): number {
  const [, amount, unit] = /^([\d.]+)\s?(\w+)$/.exec(text) ?? [];
  return Number(amount) * (UNITS[unit ?? ""] ?? Number.NaN);
}

function showSize(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Four decimals (three digits of what is smaller) and a true minus, as in the report beside it. */
function show(value: number): string {
  const size = Math.abs(value);
  return `${value < 0 ? "−" : ""}${Number(size < 0.01 ? size.toPrecision(3) : size.toFixed(4))}`;
}

function change(difference: number): string {
  return `${difference > 0 ? "+" : ""}${show(difference)}`;
}
