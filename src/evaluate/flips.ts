import { labelOf, predictionOf } from "../metrics/index.ts";
import type { Predictions } from "../metrics/index.ts";

/** An example that one side has right and the other wrong. */
export interface Flip {
  readonly id: string;
  readonly label: string;
  readonly base: string;
  readonly head: string;
  /** Cells of the evaluation's preview columns, in its order, cut to a bounded length; absent where it names none. */
  readonly preview?: readonly { readonly column: string; readonly value: string }[];
}

/** `count` is of all; the lists are bounded and lead with those whose score changed most. */
export interface Flips {
  readonly fixed: { readonly count: number; readonly examples: readonly Flip[] };
  readonly broken: { readonly count: number; readonly examples: readonly Flip[] };
}

const LISTED = 50;
/** Characters of a preview's cell. */
const SHOWN = 200;

/**
 * Examples that became right or wrong, of two sides that are row for row the same examples; null for tasks whose answers
 * are not right or wrong.
 */
export function flipsOf(base: Predictions, head: Predictions): Flips | null {
  if (base.task === "regression" || base.task === "ranking") return null;
  const [fixed, broken] = [new Largest(), new Largest()];
  const change = changeOf(base, head);
  for (let row = 0; row < base.ids.length; row++) {
    const label = labelOf(base, row);
    const right = predictionOf(head, row) === label;
    if ((predictionOf(base, row) === label) !== right) (right ? fixed : broken).add(row, change(row));
  }
  const listed = ({ count, rows }: Largest): Flips["fixed"] => ({
    count,
    examples: rows.map(({ row }) => flipAt(base, head, row)),
  });
  return { fixed: listed(fixed), broken: listed(broken) };
}

function flipAt(base: Predictions, head: Predictions, row: number): Flip {
  const cells = Object.entries(head.preview).map(([column, words]) => {
    const characters = Array.from((words.at(row) ?? "").slice(0, 2 * SHOWN));
    return { column, value: characters.slice(0, SHOWN).join("") };
  });
  return {
    id: base.ids.at(row) ?? "",
    label: labelOf(base, row),
    base: predictionOf(base, row),
    head: predictionOf(head, row),
    ...(cells.length === 0 ? {} : { preview: cells }),
  };
}

/** By how much the score of an example's label changed; 0 where there are no scores. */
function changeOf(base: Predictions, head: Predictions): (row: number) => number {
  const scoreOf = (side: Predictions): ((row: number) => number) => {
    if (side.task === "binary") return (row) => side.score?.[row] ?? 0;
    if (side.task !== "multiclass") return () => 0;
    const position = new Map(side.classes.map((name, index) => [name, index]));
    const columns =
      base.task === "multiclass" ? base.classes.map((name) => side.scores?.[position.get(name) ?? -1]) : [];
    return (row) => columns[base.label[row] ?? -1]?.[row] ?? 0;
  };
  const [before, after] = [scoreOf(base), scoreOf(head)];
  return (row) => Math.abs(after(row) - before(row));
}

/** Counts all rows and keeps those of the largest values; of equal ones the first. */
class Largest {
  count = 0;
  readonly rows: { readonly row: number; readonly value: number }[] = [];

  add(row: number, value: number): void {
    this.count++;
    const place = this.rows.findIndex((one) => one.value < value);
    if (place === -1 && this.rows.length === LISTED) return;
    this.rows.splice(place === -1 ? this.rows.length : place, 0, { row, value });
    if (this.rows.length > LISTED) this.rows.pop();
  }
}
