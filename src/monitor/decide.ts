import type { ColumnDrift } from "./compare.ts";
import type { Performance } from "./performance.ts";

export const DEFAULT_DRIFT_SHARE = 0.2;
export const DEFAULT_MIN_ROWS = 100;
/** An open issue closes only below this part of the share that opens one, so that a value near it does not flap. */
const CLOSE_AT = 0.5;

export interface Evidence {
  readonly rows: number;
  readonly columns: readonly ColumnDrift[];
  readonly performance: Performance | undefined;
}

export interface Rules {
  readonly minRows: number;
  readonly driftShare: number;
}

export interface Decision {
  /** `unknown`: too few rows to say anything; whatever was said before stands. */
  readonly state: "healthy" | "drifted" | "unknown";
  /** Share of input columns that drifted. */
  readonly share: number;
  readonly dataDrift: boolean;
  readonly predictionDrift: boolean;
  readonly conceptDrift: boolean;
  /** Sentences for a person, most important first; empty when healthy. */
  readonly reasons: readonly string[];
}

/**
 * Judges the evidence. Pure.
 * @param already whether the model counts as drifted: then it takes less to stay so than it took to become so.
 */
export function decide({ rows, columns, performance }: Evidence, rules: Rules, already: boolean): Decision {
  const inputs = columns.filter(({ role }) => role === "input");
  const drifted = inputs.filter((column) => column.drifted);
  const share = inputs.length === 0 ? 0 : drifted.length / inputs.length;
  const nothing = { share, dataDrift: false, predictionDrift: false, conceptDrift: false };
  if (rows < rules.minRows) {
    return { ...nothing, state: "unknown", reasons: [`${rows} of ${rules.minRows} rows needed for a decision`] };
  }
  const threshold = already ? rules.driftShare * CLOSE_AT : rules.driftShare;
  // A share of 0 asks for any column at all, not for none.
  const dataDrift = drifted.length > 0 && share >= threshold;
  const predictionDrift = columns.some(({ role, drifted: has }) => role === "prediction" && has);
  const conceptDrift = performance?.worse ?? false;
  const reasons = [
    ...(conceptDrift && performance
      ? [`${performance.metric} is ${digits(performance.now)}; it was ${digits(performance.promised)} at promotion`]
      : []),
    ...(predictionDrift ? ["the predictions are distributed differently"] : []),
    ...(dataDrift ? [`${drifted.length} of ${inputs.length} input columns are distributed differently`] : []),
  ];
  const state = reasons.length > 0 ? "drifted" : "healthy";
  return { state, share, dataDrift, predictionDrift, conceptDrift, reasons };
}

function digits(value: number): string {
  return value.toFixed(4);
}
