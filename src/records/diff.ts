import type { RunRecord } from "../config/index.ts";
import { compareCodeUnits } from "../core/index.ts";
import { toEntry } from "./run-entry.ts";
import type { Scalar } from "./run-entry.ts";

/** One thing in two runs; null where a run does not have it. */
export interface Difference<T> {
  readonly name: string;
  readonly a: T | null;
  readonly b: T | null;
  readonly equal: boolean;
}

/** Two runs of one pipeline, side by side. All that either has is in it, equal or not. */
export interface RunDiff {
  readonly params: readonly Difference<Scalar>[];
  readonly metrics: readonly (Difference<number> & { readonly change: number | null })[];
  /** Datasets by digest. */
  readonly data: readonly Difference<string>[];
  /** Stages by key: an equal one gave both runs the same bytes. */
  readonly stages: readonly Difference<{ readonly key: string | null; readonly status: string; readonly ms: number }>[];
  /** Milliseconds. */
  readonly duration: Difference<number>;
}

export function diffRuns(a: RunRecord, b: RunRecord): RunDiff {
  const [left, right] = [toEntry(a, "here"), toEntry(b, "here")];
  const stages = (run: RunRecord): Record<string, { key: string | null; status: string; ms: number }> =>
    Object.fromEntries(run.stages.map(({ stage, key, status, ms }) => [stage, { key, status, ms }]));
  return {
    params: sides(left.params, right.params),
    metrics: sides(left.metrics, right.metrics).map((metric) => ({
      ...metric,
      change: metric.a === null || metric.b === null ? null : metric.b - metric.a,
    })),
    data: sides(a.data as Record<string, string>, b.data as Record<string, string>),
    stages: sides(stages(a), stages(b), (x, y) => x.key !== null && x.key === y.key),
    duration: { name: "duration", a: a.ms, b: b.ms, equal: a.ms === b.ms },
  };
}

function sides<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  same: (x: T, y: T) => boolean = (x, y) => x === y,
): Difference<T>[] {
  const of = (values: Readonly<Record<string, T>>, name: string): T | undefined =>
    Object.hasOwn(values, name) ? values[name] : undefined;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareCodeUnits).map((name) => {
    const [x, y] = [of(a, name), of(b, name)];
    return { name, a: x ?? null, b: y ?? null, equal: x !== undefined && y !== undefined && same(x, y) };
  });
}
