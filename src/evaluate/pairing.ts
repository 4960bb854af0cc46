import { labelOf, selectRows } from "./predictions.ts";
import type { Predictions } from "./predictions.ts";

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
  const made = aligned(base, head) ? { pairing: same(base), base, head } : matched(base, head);
  known.set(base, (known.get(base) ?? new WeakMap<Predictions, Paired>()).set(head, made));
  return made;
}

function same({ ids }: Predictions): Pairing {
  return { kind: "same", examples: ids.length };
}

/** Whether the rows are the same examples with the same labels already, as they are for most pull requests. */
function aligned(base: Predictions, head: Predictions): boolean {
  if (base.task !== head.task || base.ids.length !== head.ids.length) return false;
  const named = base.task === "multiclass"; // a class may have another number on the other side
  for (let row = 0; row < base.ids.length; row++) {
    if (base.ids.at(row) !== head.ids.at(row)) return false;
    if (named ? labelOf(base, row) !== labelOf(head, row) : base.label[row] !== head.label[row]) return false;
  }
  return true;
}

function matched(base: Predictions, head: Predictions): Paired {
  const rowOf = new Map(Array.from({ length: head.ids.length }, (_, row) => [head.ids.at(row), row]));
  const [baseRows, headRows]: [number[], number[]] = [[], []];
  let relabelled = 0;
  for (let row = 0; row < base.ids.length; row++) {
    const other = rowOf.get(base.ids.at(row));
    if (other === undefined) continue;
    if (labelOf(base, row) !== labelOf(head, other)) {
      relabelled++;
      continue;
    }
    baseRows.push(row);
    headRows.push(other);
  }
  const examples = baseRows.length;
  const sizes = { base: base.ids.length, head: head.ids.length, relabelled };
  const selected = {
    base: selectRows(base, Int32Array.from(baseRows)),
    head: selectRows(head, Int32Array.from(headRows)),
  };
  if (base.task !== head.task) return { pairing: { kind: "unpaired", ...sizes, common: 0 }, base, head };
  if (examples === sizes.base && examples === sizes.head) return { pairing: same(base), ...selected };
  if (examples < MIN_COMMON) return { pairing: { kind: "unpaired", ...sizes, common: examples }, base, head };
  return { pairing: { kind: "common", examples, ...sizes }, ...selected };
}
