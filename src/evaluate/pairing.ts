import { Texts, TextTable } from "../tables/index.ts";
import { selectRows } from "../metrics/index.ts";
import type { Predictions } from "../metrics/index.ts";
import { codes } from "../tables/index.ts";

/** Fewer common examples than this are not worth a paired comparison. */
export const MIN_COMMON = 30;

/** On which examples two sides are compared. */
export type Pairing =
  /** Both sides have exactly these examples. */
  | { readonly kind: "same"; readonly examples: number }
  /** The test sets differ; the comparison is on what both have, with the same label. */
  | {
      readonly kind: "common";
      readonly examples: number;
      readonly base: number;
      readonly head: number;
      /** Examples of both sides whose label is not the same on both. */
      readonly relabelled: number;
    }
  /** Too little in common: each side on its own examples, and a difference is not the model's alone. */
  | {
      readonly kind: "unpaired";
      readonly base: number;
      readonly head: number;
      readonly common: number;
      readonly relabelled: number;
    };

export interface Paired {
  readonly pairing: Pairing;
  /** Row for row the same examples, unless the pairing is "unpaired". */
  readonly base: Predictions;
  readonly head: Predictions;
}

const known = new WeakMap<Predictions, WeakMap<Predictions, Paired>>();

/** Brings two sides to the same examples in the same order, the base's. Who asks again gets the same object. */
export function pair(base: Predictions, head: Predictions): Paired {
  const before = known.get(base)?.get(head);
  if (before !== undefined) return before;
  const made = matched(base, head);
  known.set(base, (known.get(base) ?? new WeakMap<Predictions, Paired>()).set(head, made));
  return made;
}

function matched(base: Predictions, head: Predictions): Paired {
  const all = { base: base.ids.length, head: head.ids.length };
  if (base.task !== head.task) return { pairing: { kind: "unpaired", ...all, common: 0, relabelled: 0 }, base, head };
  const [baseRows, headRows] = [codes(), codes()];
  const match = matcher(Texts.from(base.ids), Texts.from(head.ids));
  const sameLabel = labelMatcher(base, head);
  let relabelled = 0;
  for (let row = 0; row < all.base; row++) {
    const other = match(row);
    if (other === -1) continue;
    if (!sameLabel(row, other)) {
      relabelled++;
      continue;
    }
    baseRows.push(row);
    headRows.push(other);
  }
  const examples = baseRows.length;
  const same = examples === all.base && examples === all.head;
  if (!same && examples < MIN_COMMON)
    return { pairing: { kind: "unpaired", ...all, common: examples, relabelled }, base, head };
  const selected = { base: rowsOf(base, baseRows.finish()), head: rowsOf(head, headRows.finish()) };
  if (same) return { pairing: { kind: "same", examples }, ...selected };
  return { pairing: { kind: "common", examples, ...all, relabelled }, ...selected };
}

/** The other side's row of an example; -1: it has none. Files in the same order need no table. */
function matcher(base: Texts, head: Texts): (row: number) => number {
  let table: TextTable | undefined;
  return (row) => {
    if (row < head.length && base.same(row, head, row)) return row;
    table ??= new TextTable(head);
    return table.find(base.bytes, base.startOf(row), base.endOf(row));
  };
}

function labelMatcher(base: Predictions, head: Predictions): (row: number, other: number) => boolean {
  if (base.task !== "multiclass" || head.task !== "multiclass")
    return (row, other) => base.label[row] === head.label[other];
  const position = new Map(head.classes.map((name, index) => [name, index]));
  const inHead = base.classes.map((name) => position.get(name));
  return (row, other) => inHead[base.label[row] ?? -1] === head.label[other];
}

/** All rows in their order are the predictions themselves: nothing is copied. */
function rowsOf(from: Predictions, rows: Int32Array): Predictions {
  return rows.length === from.ids.length && rows.every((row, index) => row === index) ? from : selectRows(from, rows);
}
