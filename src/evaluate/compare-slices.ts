import { holm } from "../statistics/index.ts";
import { RESAMPLES } from "./compare.ts";
import type { Coded, MetricSource, Predictions } from "../metrics/index.ts";
import { evidenceOf } from "./evidence.ts";
import type { Evidence, Weighed } from "./evidence.ts";
import { pair } from "./pairing.ts";
import { selectRows } from "../metrics/index.ts";
import type { Correction } from "./verdict.ts";

/** One metric on the examples of one slice. */
export interface SliceMetric extends Weighed {
  /** p after the correction over all slices and metrics that were asked for together. */
  readonly adjusted: number | null;
}

/** The examples whose `column` holds `value`. */
export interface SliceComparison {
  readonly column: string;
  readonly value: string;
  readonly examples: number;
  readonly metrics: readonly SliceMetric[];
}

export interface SlicesComparison {
  /** By column in the order given, and by value in the order of the column's values; empty slices are left out. */
  readonly slices: readonly SliceComparison[];
  /** Of the p-values: one family of all slices and metrics. Null where the sides have different examples. */
  readonly correction: Correction | null;
}

/** Slices of fewer examples have values, and nothing is said about their noise. */
const MIN_SLICE = 10;

/**
 * Compares two sides within each slice, as `compareModels` does on all examples. A slice's numbers do not depend on
 * which other slices are asked for; the corrected p does.
 * @param options.slices by name a column whose codes are row for row those of `pair(base, head).head`; absent: the
 *   slice columns that the predictions carry
 * @param options.correct the correction over the family; absent: Holm. Benjamini-Hochberg is for slices found by search
 */
export function compareSlices(options: {
  readonly base: Predictions;
  readonly head: Predictions;
  readonly metrics: readonly string[];
  /** Where formulas of the evaluation are among the metrics. */
  readonly evaluation?: MetricSource;
  readonly slices?: Readonly<Record<string, Coded>>;
  readonly resamples?: number;
  readonly correct?: Pick<Correction, "method"> & { readonly adjust: (ps: readonly number[]) => number[] };
}): SlicesComparison {
  const { pairing, base, head } = pair(options.base, options.head);
  const paired = pairing.kind !== "unpaired";
  const correct = options.correct ?? { method: "holm", adjust: holm };
  const found: { column: string; value: string; examples: number; evidence: Evidence[] }[] = [];
  for (const [column, { values, code }] of Object.entries(options.slices ?? head.slices)) {
    const here = rowsBy(code, values.length);
    const there = paired ? null : base.slices[column];
    const others = there == null ? here : rowsBy(there.code, there.values.length);
    for (const [at, rows] of here.entries()) {
      const value = values[at] as string;
      const baseRows = paired ? rows : (others[there?.values.indexOf(value) ?? -1] ?? new Int32Array());
      if (rows.length === 0 || baseRows.length === 0) continue;
      const evidence = evidenceOf({
        base: bare(base, baseRows),
        head: bare(head, rows),
        paired,
        metrics: options.metrics,
        source: options.evaluation ?? head,
        resamples: options.resamples ?? RESAMPLES,
        seed: [options.base.digest, options.head.digest, column, value],
        rows: base.ids.length + head.ids.length,
      });
      const small = Math.min(rows.length, baseRows.length) < MIN_SLICE;
      found.push({ column, value, examples: rows.length, evidence: small ? evidence.map(silent) : evidence });
    }
  }
  const ps = found.flatMap(({ evidence }) => evidence.flatMap(({ p }) => (p === null ? [] : [p])));
  const adjusted = correct.adjust(ps);
  let next = 0;
  const told = ({ inner, ...one }: Evidence): SliceMetric => ({
    ...one,
    adjusted: inner === null || one.p === null ? null : (adjusted[next++] ?? 1),
  });
  const slices = found.map(({ evidence, ...slice }) => ({ ...slice, metrics: evidence.map(told) }));
  return { slices, correction: paired ? { method: correct.method, tests: ps.length } : null };
}

/** Row numbers by code. */
function rowsBy(code: Int32Array, count: number): Int32Array[] {
  const sizes = new Int32Array(count);
  for (const one of code) sizes[one] = (sizes[one] ?? 0) + 1;
  const rows = Array.from(sizes, (size) => new Int32Array(size));
  const filled = new Int32Array(count);
  for (let row = 0; row < code.length; row++) {
    const one = code[row] as number;
    (rows[one] as Int32Array)[filled[one] as number] = row;
    filled[one] = (filled[one] as number) + 1;
  }
  return rows;
}

/** The rows without what no metric reads. */
function bare(from: Predictions, rows: Int32Array): Predictions {
  return selectRows({ ...from, ids: { length: from.ids.length, at: () => "" }, slices: {}, preview: {} }, rows);
}

function silent(one: Evidence): Evidence {
  return {
    ...one,
    interval: null,
    inner: null,
    test: null,
    p: null,
    note: one.note ?? "too few examples for an interval",
  };
}
