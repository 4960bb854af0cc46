import { benjaminiHochberg, studentTail } from "../statistics/index.ts";
import { pair } from "./pairing.ts";
import type { Coded, Predictions } from "../metrics/index.ts";

/** Examples whose columns hold these values: one column or two. */
export interface FoundSlice {
  readonly parts: readonly { readonly column: string; readonly value: string }[];
  readonly examples: number;
  /** Mean change of the loss of one example (head minus base) in the slice, and outside of it. */
  readonly inside: number;
  readonly outside: number;
  /** After Benjamini-Hochberg over all slices looked at. */
  readonly adjusted: number;
}

export interface SliceSearch {
  /** The clearest first. */
  readonly found: readonly FoundSlice[];
  readonly looked: number;
  /** What is counted as the loss of one example. */
  readonly loss: string;
}

const FEWEST = 30;
const MOST_FOUND = 5;
/** Share of false leads, on average, among what is found. */
const FALSE_DISCOVERIES = 0.05;
/** Values of a column that are looked at, the most frequent ones. */
const MOST_VALUES = 50;

/**
 * Looks for slices where the change acts more than on the rest: each value of the slice columns, and each pair of
 * values of two columns, by Welch's test of the change of the loss inside against outside (after Chung et al. 2019,
 * "Slice Finder"). Exploration: a lead, not a verdict. Null where the sides have no examples in common, or no loss.
 */
export function searchSlices(options: { readonly base: Predictions; readonly head: Predictions }): SliceSearch | null {
  const { pairing, base, head } = pair(options.base, options.head);
  if (pairing.kind === "unpaired") return null;
  const [before, after] = [lossOf(base), lossOf(head)];
  if (before === null || after === null || before.name !== after.name) return null;
  const change = after.values.map((value, row) => value - (before.values[row] as number));
  const columns = Object.entries(head.slices).map(([column, coded]) => ({ column, ...frequent(coded) }));
  const whole = momentsOf(change);
  const tested = columns.flatMap((one, at) => [
    ...candidates([one], change, whole),
    ...columns.slice(at + 1).flatMap((other) => candidates([one, other], change, whole)),
  ]);
  const adjusted = benjaminiHochberg(tested.map(({ p }) => p));
  const all = tested.map(({ p, ...slice }, at) => ({ ...slice, p, adjusted: adjusted[at] ?? 1 }));
  // Of a slice and the rest that differ, the one that changed more is the lead.
  const leads = all
    .filter((slice) => slice.adjusted < FALSE_DISCOVERIES && Math.abs(slice.inside) > Math.abs(slice.outside))
    .sort((a, b) => a.p - b.p);
  // A pair that says no more than one of its parts is left out.
  const found = leads.filter(
    ({ parts, p }) =>
      parts.length === 1 ||
      !leads.some(
        (other) => other.parts.length === 1 && other.p <= p && parts.some((part) => same(part, other.parts[0])),
      ),
  );
  return {
    found: found
      .slice(0, MOST_FOUND)
      .map(({ parts, examples, inside, outside, adjusted: q }) => ({ parts, examples, inside, outside, adjusted: q })),
    looked: tested.length,
    loss: after.name,
  };
}

type Part = FoundSlice["parts"][number];
const same = (a: Part, b: Part | undefined): boolean => a.column === b?.column && a.value === b.value;

interface Column extends Coded {
  readonly column: string;
}

/** Only the most frequent values keep a code; -1 is every other. */
function frequent({ values, code }: Coded): Coded {
  const counts = new Int32Array(values.length);
  for (const one of code) counts[one] = (counts[one] ?? 0) + 1;
  const kept = [...values.keys()]
    .sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b)
    .slice(0, MOST_VALUES)
    .sort((a, b) => a - b);
  const renamed = new Int32Array(values.length).fill(-1);
  for (const [at, old] of kept.entries()) renamed[old] = at;
  return { values: kept.map((at) => values[at] as string), code: code.map((one) => renamed[one] as number) };
}

interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

function momentsOf(values: Float64Array): Moments {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return { count: values.length, sum, squares };
}

/** Every combination of the columns' values that has enough rows inside and outside, in one pass over the rows. */
function candidates(
  columns: readonly Column[],
  change: Float64Array,
  whole: Moments,
): (Omit<FoundSlice, "adjusted"> & { readonly p: number })[] {
  const width = columns.reduce((product, { values }) => product * values.length, 1);
  const count = new Float64Array(width);
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (const [row, value] of change.entries()) {
    let cell = 0;
    for (const { code, values } of columns) {
      const one = code[row] as number;
      cell = one < 0 || cell < 0 ? -1 : cell * values.length + one;
    }
    if (cell < 0) continue;
    count[cell] = (count[cell] as number) + 1;
    sum[cell] = (sum[cell] as number) + value;
    squares[cell] = (squares[cell] as number) + value * value;
  }
  return Array.from(count.keys()).flatMap((cell) => {
    const inside = { count: count[cell] as number, sum: sum[cell] as number, squares: squares[cell] as number };
    const rest = {
      count: whole.count - inside.count,
      sum: whole.sum - inside.sum,
      squares: whole.squares - inside.squares,
    };
    if (inside.count < FEWEST || rest.count < FEWEST) return [];
    let left = cell;
    const parts = columns.toReversed().map(({ column, values }) => {
      const value = values[left % values.length] as string;
      left = Math.floor(left / values.length);
      return { column, value };
    });
    return [
      {
        parts: parts.toReversed(),
        examples: inside.count,
        inside: inside.sum / inside.count,
        outside: rest.sum / rest.count,
        p: welch(inside, rest),
      },
    ];
  });
}

/** Two-sided p of Welch's t-test (1947). */
function welch(a: Moments, b: Moments): number {
  const [va, vb] = [a, b].map(
    ({ count, sum, squares }) => Math.max(0, squares - (sum * sum) / count) / (count - 1) / count,
  ) as [number, number];
  const difference = a.sum / a.count - b.sum / b.count;
  const variance = va + vb;
  // Rounding of sums must not make a difference of what is the same everywhere.
  if (variance < 1e-24) return 1;
  const df = (variance * variance) / ((va * va) / (a.count - 1) + (vb * vb) / (b.count - 1));
  return Math.min(1, 2 * studentTail(Math.abs(difference) / Math.sqrt(variance), df));
}

const LEAST = 1e-15;

/** Of each example: its log loss where there are probabilities, else whether it is wrong; its squared error. */
function lossOf(from: Predictions): { readonly name: string; readonly values: Float64Array } | null {
  const log = (share: number): number => -Math.log(Math.min(1 - LEAST, Math.max(LEAST, share)));
  const wrong = (label: ArrayLike<number>, prediction: ArrayLike<number>): Float64Array =>
    Float64Array.from(label, (one, row) => (one === prediction[row] ? 0 : 1));
  switch (from.task) {
    case "binary": {
      const { label, score, prediction } = from;
      if (score === null) return { name: "error rate", values: wrong(label, prediction) };
      const values = Float64Array.from(label, (one, row) =>
        log(one === 1 ? (score[row] as number) : 1 - (score[row] as number)),
      );
      return { name: "log loss", values };
    }
    case "multiclass": {
      const { label, scores, prediction } = from;
      if (scores === null) return { name: "error rate", values: wrong(label, prediction) };
      return { name: "log loss", values: Float64Array.from(label, (one, row) => log(scores[one]?.[row] ?? 0)) };
    }
    case "regression": {
      const { label, prediction } = from;
      const values = Float64Array.from(label, (one, row) => (one - (prediction[row] as number)) ** 2);
      return { name: "squared error", values };
    }
    case "ranking":
      return null;
  }
}
