import { count } from "./format.ts";
import { sentence } from "./markdown.ts";
import type { MetricRow } from "./schema.ts";

/** How much of each section is shown. */
export interface Detail {
  /** What the judged side is called. */
  readonly head: string;
  /** Charts and matrices. */
  readonly plots: number;
  readonly graph: boolean;
  readonly reasons: boolean;
  readonly flips: number;
  /** Rows of slices. */
  readonly slices: number;
  /** Changed files that are named. */
  readonly files: number;
  readonly changes: number;
  readonly numbers: number;
  /** Of the report, of each model and of each pipeline. */
  readonly notes: number;
  readonly stages: number;
  /** Rows of latency, throughput and size. */
  readonly serving: number;
  readonly metrics: number;
  readonly gates: number;
  readonly failures: number;
  readonly models: number;
}

/**
 * A section gives way only when all before it have: plots, flips, the graph, reasons, files, numbers, notes, changes,
 * stages, serving, slices, metrics, gates. Of metrics, gates and slices some rows stay to the last but two steps: with the verdict
 * they are the first screen, by which people decide.
 */
export const DETAILS: readonly Detail[] = (() => {
  const full: Detail = {
    head: "this PR",
    plots: 4,
    graph: true,
    reasons: true,
    flips: 10,
    slices: 20,
    files: 100,
    changes: 100,
    numbers: 200,
    notes: 10,
    stages: 100,
    serving: 50,
    metrics: 100,
    gates: 100,
    failures: 20,
    models: 20,
  };
  const steps: Partial<Detail>[] = [
    {},
    { plots: 2 },
    { plots: 0 },
    { flips: 3 },
    { flips: 0 },
    { graph: false },
    { reasons: false },
    { files: 20 },
    { numbers: 50 },
    { numbers: 10, files: 0 },
    { notes: 3 },
    { changes: 20 },
    { stages: 20 },
    { serving: 8 },
    { slices: 10 },
    { metrics: 30, models: 10 },
    { gates: 20, failures: 5 },
    { numbers: 0, changes: 5, stages: 5 },
    { slices: 5, metrics: 10, models: 5 },
    { slices: 3, metrics: 5, gates: 5, failures: 1, models: 3, notes: 1, changes: 0, stages: 0, serving: 0 },
    { slices: 0, metrics: 3, models: 2 },
    { metrics: 1, gates: 1, models: 1 },
  ];
  let current = full;
  return steps.map((step) => (current = { ...current, ...step }));
})();

/** Notes as a list, bounded. */
export function noteList(notes: readonly string[], detail: Detail): string[] {
  if (notes.length === 0) return [];
  const shown = notes.slice(0, detail.notes).map((note) => `- ${sentence(note)}`);
  return [shown.join("\n"), ...more(notes.length - detail.notes, "note")];
}

/** What is said in place of what was left out. */
export function more(left: number, noun: string, plural = `${noun}s`): string[] {
  return left > 0 ? [`… and ${count(left, `more ${noun}`, `more ${plural}`)}.`] : [];
}

/** Which way is good. */
export function arrow({ direction }: MetricRow): string {
  return direction === null ? "" : direction === "higher" ? "\u00a0↑" : "\u00a0↓";
}
