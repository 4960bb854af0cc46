import { count } from "./format.ts";
import type { MetricRow } from "./schema.ts";

/** How much of each section is shown. */
export interface Detail {
  /** What the judged side is called. */
  readonly head: string;
  readonly graph: boolean;
  readonly reasons: boolean;
  readonly flips: number;
  /** Rows of slices. */
  readonly slices: number;
  readonly changes: number;
  readonly numbers: number;
  readonly stages: number;
  readonly metrics: number;
  readonly gates: number;
  readonly failures: number;
  readonly models: number;
}

/** A section gives way only when all before it have: graph, flips, reasons, numbers, changes, stages, metrics, gates. */
export const DETAILS: readonly Detail[] = (() => {
  const full: Detail = {
    head: "this PR",
    graph: true,
    reasons: true,
    flips: 10,
    slices: 20,
    changes: 100,
    numbers: 200,
    stages: 100,
    metrics: 100,
    gates: 100,
    failures: 20,
    models: 20,
  };
  const steps: Partial<Detail>[] = [
    {},
    { graph: false },
    { flips: 3 },
    { flips: 0, slices: 10 },
    { reasons: false },
    { numbers: 50 },
    { numbers: 10, slices: 5 },
    { changes: 20 },
    { stages: 20 },
    { metrics: 30, models: 10 },
    { gates: 20, failures: 5 },
    { numbers: 0, slices: 0, changes: 5, stages: 5, metrics: 10, models: 5 },
    { metrics: 3, gates: 5, failures: 1, models: 3, changes: 0, stages: 0 },
    { metrics: 1, gates: 1, models: 1 },
  ];
  let current = full;
  return steps.map((step) => (current = { ...current, ...step }));
})();

/** What is said in place of what was left out. */
export function more(left: number, noun: string): string[] {
  return left > 0 ? [`… and ${count(left, `more ${noun}`)}.`] : [];
}

/** Which way is good. */
export function arrow({ direction }: MetricRow): string {
  return direction === null ? "" : direction === "higher" ? "\u00a0↑" : "\u00a0↓";
}
