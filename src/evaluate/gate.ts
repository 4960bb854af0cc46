import type { Check, Gate, Performance } from "../config/index.ts";
import type { Evaluation, MetricSource, Predictions } from "../metrics/index.ts";

/** What a candidate is held against. */
export type Reference =
  /** There is nothing yet (a first version): a rule against it passes, and says so. */
  | { readonly kind: "none"; readonly why: string }
  /** There should be something, but it could not be had: a rule against it fails. */
  | { readonly kind: "missing"; readonly why: string }
  | { readonly kind: "measured"; readonly predictions: Predictions | null; readonly numbers: Numbers };

/** Metrics that came as numbers only: name -> value, unaccompanied by examples. */
export type Numbers = Readonly<Record<string, number>>;

/** How fast a candidate is: what was measured of it, or why nothing was. */
export type MeasuredSpeed =
  | { readonly kind: "measured"; readonly all: readonly Performance[] }
  /** Nothing had to be measured here: a rule passes, and says so. */
  | { readonly kind: "none"; readonly why: string }
  /** It should have been measured: a rule fails. */
  | { readonly kind: "missing"; readonly why: string };

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
  /** Where gates are on formulas of the evaluation, or on numbers whose direction it declares. */
  readonly evaluation?: MetricSource & Pick<Evaluation, "directions">;
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
  /** Metrics files that are written once for each seed. */
  readonly seeds?: readonly SeedFiles[];
  readonly resamples?: number;
}

export interface SeedFiles {
  /** All of them, as in `build/metrics-*.json`. */
  readonly file: string;
  /** Seed -> path. */
  readonly paths: ReadonlyMap<string, string>;
}
