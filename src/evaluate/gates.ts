import type { Check, Gate } from "../config/index.ts";
import { judgeCard, judgeCheck, judgeSize } from "./gate-declared.ts";
import { judgeRegression, judgeValue } from "./gate-metric.ts";
import { judgeLatency, judgeThroughput } from "./gate-performance.ts";
import { judgeSlices } from "./gate-slice.ts";
import type { MeasuredSpeed } from "./gate-performance.ts";
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

/** What became of a rule. */
export interface Judged {
  /** The rule as a person says it, as in `accuracy at least 0.95`. */
  readonly rule: string;
  readonly passed: boolean;
  /** What was measured, and for a failed gate why it failed. */
  readonly found: string;
}
export interface GateResult extends Judged {
  readonly gate: Gate;
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
  /** Fields of the candidate's card. */
  readonly card?: Readonly<Record<string, string>>;
  /** Of the pipeline's stages. */
  readonly checks?: readonly Check[];
  readonly speed?: MeasuredSpeed;
  readonly resamples?: number;
}

/**
 * Judges a candidate by a model's gates. A regression is judged by the bound of its 95 % interval on the bad side, so
 * a change passes when a larger loss than allowed is ruled out, not when none was seen. Every gate has to pass, so
 * there is nothing to correct for their number.
 */
export function judgeGates(input: GateInput): GateResult[] {
  return input.gates.map((gate) => ({ gate, ...judgeGate(gate, input) }));
}

function judgeGate(gate: Gate, input: GateInput): Judged {
  if ("file" in gate) return judgeSize(gate, input);
  if ("latency" in gate) return judgeLatency(gate, input);
  if ("throughput" in gate) return judgeThroughput(gate.throughput, input);
  if ("check" in gate) return judgeCheck(gate, input);
  if ("card" in gate) return judgeCard(gate, input);
  if (gate.slice !== undefined) return judgeSlices({ ...gate, slice: gate.slice }, input);
  return "max_regression" in gate ? judgeRegression(gate, input) : judgeValue(gate, input);
}

/** Per metric the difference that does not matter: as declared, or what a gate on all examples allows to be lost. */
export function marginsOf(gates: readonly Gate[], declared: Numbers = {}): Record<string, number> {
  const margins: Record<string, number> = {};
  for (const gate of gates) {
    if (!("max_regression" in gate) || gate.max_regression === 0 || gate.slice !== undefined) continue;
    margins[gate.metric] = Math.min(margins[gate.metric] ?? Infinity, gate.max_regression);
  }
  return { ...margins, ...declared };
}
