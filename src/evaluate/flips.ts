import { labelOf, predictionOf } from "./predictions.ts";
import type { Predictions } from "./predictions.ts";

/** An example that one side has right and the other wrong. */
export interface Flip {
  readonly id: string;
  readonly label: string;
  readonly base: string;
  readonly head: string;
}

/** `count` is of all; the lists are bounded. */
export interface Flips {
  readonly fixed: { readonly count: number; readonly examples: readonly Flip[] };
  readonly broken: { readonly count: number; readonly examples: readonly Flip[] };
}

const LISTED = 50;

/** Examples that became right or wrong, of two sides that are row for row the same examples; null for tasks whose answers are not right or wrong. */
export function flipsOf(base: Predictions, head: Predictions): Flips | null {
  if (base.task === "regression" || base.task === "ranking") return null;
  const fixed = { count: 0, examples: [] as Flip[] };
  const broken = { count: 0, examples: [] as Flip[] };
  for (let row = 0; row < base.ids.length; row++) {
    const id = base.ids.at(row) ?? "";
    const label = labelOf(base, row);
    const flip = { id, label, base: predictionOf(base, row), head: predictionOf(head, row) };
    if ((flip.base === label) === (flip.head === label)) continue;
    const list = flip.head === label ? fixed : broken;
    list.count++;
    if (list.examples.length < LISTED) list.examples.push(flip);
  }
  return { fixed, broken };
}
