import { metricOf } from "../../src/metrics/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { NO_COLUMNS } from "./helpers.ts";

export type Values = Readonly<Record<string, number | null>>;
/** An input of judge.py, and what scikit-learn says of it. */
export interface Case {
  readonly task: "binary" | "multiclass" | "regression" | "ranking";
  readonly name: string;
  readonly weight: readonly number[] | null;
  readonly label: readonly number[];
  readonly prediction?: readonly number[];
  readonly score?: readonly number[];
  readonly scores?: readonly (readonly number[])[];
  readonly query?: readonly number[];
  readonly classes?: number;
  readonly confusion?: readonly (readonly number[])[];
  readonly values: Values;
}

export function predictionsOf(one: Case): Predictions {
  const examples = {
    ...NO_COLUMNS,
    digest: `sha256:${"0".repeat(64)}` as Predictions["digest"],
    ids: one.label.map(String),
    weight: one.weight === null ? null : Float64Array.from(one.weight),
  };
  const [label, prediction, score] = [one.label, one.prediction ?? [], one.score ?? []];
  switch (one.task) {
    case "binary":
      return {
        task: "binary",
        ...examples,
        label: Uint8Array.from(label),
        prediction: Uint8Array.from(prediction),
        score: Float64Array.from(score),
      };
    case "multiclass":
      return {
        task: "multiclass",
        ...examples,
        classes: Array.from({ length: one.classes ?? 0 }, (_, index) => String(index)),
        label: Int32Array.from(label),
        prediction: Int32Array.from(prediction),
        scores: (one.scores ?? []).map((column) => Float64Array.from(column)),
      };
    case "regression":
      return {
        task: "regression",
        ...examples,
        label: Float64Array.from(label),
        prediction: Float64Array.from(prediction),
      };
    case "ranking":
      return {
        task: "ranking",
        ...examples,
        label: Float64Array.from(label),
        score: Float64Array.from(score),
        query: { values: [], code: Int32Array.from(one.query ?? []) },
      };
  }
}

/** What does not agree to 1e-9 (of the value where that is above 1). */
export function disagreements(predictions: Predictions, values: Values, name: string): string[] {
  return Object.entries(values).flatMap(([metric, expected]) => {
    const found = metricOf(predictions, metric);
    const same =
      found === null || expected === null
        ? found === expected
        : Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
    return same ? [] : [`${name}: ${metric} is ${found}, scikit-learn's ${expected}`];
  });
}
