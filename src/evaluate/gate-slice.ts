import { parseSlice } from "../config/index.ts";
import type { RegressionGate, ValueGate } from "../config/index.ts";
import { holm, normalTail } from "../statistics/index.ts";
import { compareSlices } from "./compare-slices.ts";
import type { Weighed } from "./evidence.ts";
import { boundsOf, unitOf, worse, within } from "./gate-metric.ts";
import { change, show } from "./gate-text.ts";
import type { GateInput, Judged } from "./gate.ts";
import { findMetric, metricOf, selectRows } from "../metrics/index.ts";
import type { Coded, Predictions } from "../metrics/index.ts";
import { CONFIDENCE } from "./verdict.ts";

/** A slice of fewer rows is not judged: its numbers say little. */
const FEWEST_ROWS = 30;
/** Slices that a gate tells of. */
const TOLD = 3;

/** What a gate found in one slice. */
interface Slice {
  readonly name: string;
  readonly rows: number;
  /** Null: there are too few rows, or the metric is not defined for them. */
  readonly passed: boolean | null;
  readonly found: string;
  /** How far on the bad side it is: the largest is told first. */
  readonly bad: number;
}

type SliceGate = (ValueGate | RegressionGate) & { readonly slice: string };

/**
 * A gate on each of some slices: a value in each, or the loss in each, whose bounds are corrected by Holm over the
 * slices of the gate. A slice of few rows is told and not judged, unless the gate itself says how many rows it needs.
 */
export function judgeSlices(gate: SliceGate, input: GateInput): Judged {
  const { column, value } = parseSlice(gate.slice);
  const where = column === null ? "every slice" : value === null ? `every ${column}` : `${column}=${value}`;
  const needs = gate.min_rows === undefined ? "" : ` of at least ${gate.min_rows} rows`;
  const against = "max_regression" in gate ? (gate.against ?? "base") : null;
  const unit = unitOf(gate.metric, input);
  const what =
    "max_regression" in gate
      ? `at most ${unit === undefined ? "" : `${unit} `}${gate.max_regression} worse than ${against}`
      : boundsOf(gate as ValueGate, unit);
  const fail = (found: string): Judged => ({ rule, passed: false, found });
  const rule = `${gate.metric} ${what} in ${where}${needs}`;
  const { predictions } = input.candidate;
  if (predictions === null || findMetric(input.evaluation ?? predictions, gate.metric) === undefined)
    return fail(`${gate.metric} is not computed from predictions, so there is nothing to slice`);
  const head = narrowed(predictions, column);
  if (Object.keys(head.slices).length === 0) return fail(`the predictions have no slice column ${column ?? ""}`.trim());
  const reference = against === null ? null : input[against];
  if (reference !== null && reference.kind !== "measured")
    return { rule, passed: reference.kind === "none", found: reference.why };
  const base = reference?.predictions ?? null;
  if (reference !== null && base === null) return fail(`${against} has no predictions to compare with`);
  const chosen = sizes(head, base, column, value);
  const slices =
    base === null || !("max_regression" in gate)
      ? chosen.map((slice) => valueIn(slice, gate as ValueGate, head, input))
      : lossIn(chosen, gate, narrowed(base, column), head, input);
  return { rule, ...conclude(slices, gate.min_rows, where) };
}

/** With the slice columns that the gate is on alone: the others need no comparison. */
function narrowed(from: Predictions, column: string | null): Predictions {
  if (column === null) return from;
  const kept = from.slices[column];
  return { ...from, slices: kept === undefined ? {} : { [column]: kept } };
}

interface Size {
  readonly column: string;
  readonly value: string;
  readonly rows: number;
}

/** Every value of the columns on either side, with the candidate's rows; one that is nowhere has none. */
function sizes(head: Predictions, base: Predictions | null, column: string | null, value: string | null): Size[] {
  return Object.entries(head.slices).flatMap(([title, coded]) => {
    const counts = new Map<string, number>((base?.slices[title]?.values ?? []).map((name) => [name, 0]));
    for (const [name, rows] of countsOf(coded)) counts.set(name, rows);
    if (column !== null && value !== null) return [{ column: title, value, rows: counts.get(value) ?? 0 }];
    return [...counts].map(([name, rows]) => ({ column: title, value: name, rows }));
  });
}

function countsOf({ values, code }: Coded): Map<string, number> {
  const counts = new Int32Array(values.length);
  for (const one of code) counts[one] = (counts[one] ?? 0) + 1;
  return new Map(values.map((name, at) => [name, counts[at] ?? 0]));
}

function valueIn({ column, value, rows }: Size, gate: ValueGate, head: Predictions, input: GateInput): Slice {
  const name = `${column}=${value}`;
  if (rows < FEWEST_ROWS) return { name, rows, passed: null, found: "", bad: 0 };
  const coded = head.slices[column] as Coded;
  const at = coded.values.indexOf(value);
  const members = Int32Array.from(coded.code.keys()).filter((row) => coded.code[row] === at);
  const measured = metricOf(selectRows(head, members), gate.metric, input.evaluation);
  if (measured === null) return { name, rows, passed: null, found: "", bad: 0 };
  const bad = Math.max((gate.min ?? -Infinity) - measured, measured - (gate.max ?? Infinity));
  return { name, rows, passed: within(measured, gate), found: show(measured, unitOf(gate.metric, input)), bad };
}

function lossIn(
  chosen: readonly Size[],
  gate: RegressionGate,
  base: Predictions,
  head: Predictions,
  input: GateInput,
): Slice[] {
  const { slices } = compareSlices({
    base,
    head,
    metrics: [gate.metric],
    evaluation: input.evaluation ?? head,
    ...(input.resamples === undefined ? {} : { resamples: input.resamples }),
  });
  const found = chosen.map((size) => {
    const compared = slices.find(({ column, value }) => column === size.column && value === size.value);
    const metric = compared?.metrics[0];
    const few = Math.min(size.rows, compared?.examples ?? 0) < FEWEST_ROWS;
    return { size, metric: few || metric?.interval == null ? undefined : metric };
  });
  const unit = unitOf(gate.metric, input);
  const ps = holm(found.flatMap(({ metric }) => (metric === undefined ? [] : [doubt(metric, gate.max_regression)])));
  let next = 0;
  return found.map(({ size, metric }): Slice => {
    const slice = { name: `${size.column}=${size.value}`, rows: size.rows };
    if (metric?.interval == null || metric.difference === null) return { ...slice, passed: null, found: "", bad: 0 };
    const passed = (ps[next++] ?? 1) <= (1 - CONFIDENCE) / 2 + 1e-12;
    const [low, high] = metric.interval;
    const text = `${change(metric.difference, unit)} (95 % interval ${change(low, unit)} to ${change(high, unit)})`;
    return { ...slice, passed, found: text, bad: worse(metric.direction === "higher" ? low : high, metric.direction) };
  });
}

/**
 * One-sided p of "it lost as much as `most`, or more", read from the interval's bound on the bad side: it is 2.5 % where
 * that bound is at `most`, and falls as the normal distribution does.
 */
function doubt({ difference, interval, direction }: Weighed, most: number): number {
  if (difference === null || interval === null) return 1;
  const loss = worse(difference, direction);
  const bound = worse(direction === "higher" ? interval[0] : interval[1], direction);
  const error = (bound - loss) / Z;
  if (error <= 0) return loss <= most ? 0 : 1;
  return normalTail((most - loss) / error);
}

/** Standard deviations from the middle to the bound of an interval. */
const Z = 1.959963984540054;

function conclude(slices: readonly Slice[], minRows: number | undefined, where: string): Omit<Judged, "rule"> {
  const short = minRows === undefined ? [] : slices.filter(({ rows }) => rows < minRows);
  const judged = slices.filter(({ passed }) => passed !== null).toSorted((a, b) => b.bad - a.bad);
  const failed = judged.filter(({ passed }) => passed === false);
  const unjudged = slices.length - judged.length;
  const tell = ({ name, found }: Slice): string => `${name}: ${found}`;
  const more = (count: number): string => (count > TOLD ? `, and ${count - TOLD} more` : "");
  const texts = [
    ...(short.length === 0
      ? []
      : [
          `too few rows: ${short
            .slice(0, TOLD)
            .map(({ name, rows }) => `${name} has ${rows}`)
            .join(", ")}${more(short.length)}`,
        ]),
    ...(failed.length === 0 ? [] : [`fails in ${failed.slice(0, TOLD).map(tell).join(", ")}${more(failed.length)}`]),
    ...(failed.length > 0 || judged[0] === undefined ? [] : [`worst is ${tell(judged[0])}`]),
    ...(judged.length > 1 ? [`${judged.length} slices judged`] : []),
    ...(unjudged === 0 ? [] : [`${unjudged} of fewer than ${FEWEST_ROWS} rows, or without a value: too few to judge`]),
    ...(slices.length === 0 ? [`no rows of ${where}`] : []),
  ];
  return { passed: failed.length === 0 && short.length === 0, found: texts.join("; ") };
}
