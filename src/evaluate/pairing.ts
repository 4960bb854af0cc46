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

/** Brings two sides to the same examples in the same order, the base's. */
export function pair(base: Predictions, head: Predictions): Paired {
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
  if (examples === sizes.base && examples === sizes.head) return { pairing: { kind: "same", examples }, ...selected };
  if (examples < MIN_COMMON) return { pairing: { kind: "unpaired", ...sizes, common: examples }, base, head };
  return { pairing: { kind: "common", examples, ...sizes }, ...selected };
}
