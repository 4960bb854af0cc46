import { quote } from "./problems.ts";
import type { Evaluation } from "./evaluation.ts";

/** Where in a row an evaluation finds what it needs. */
export interface Columns {
  readonly id: number;
  readonly label: number;
  readonly prediction: number | undefined;
  /** Class name ("" where there is one score) and position. */
  readonly scores: readonly (readonly [string, number])[];
  readonly query: number | undefined;
  readonly weight: number | undefined;
  readonly group: number | undefined;
  readonly slices: readonly (readonly [string, number])[];
  readonly numbers: readonly (readonly [string, number])[];
  readonly preview: readonly (readonly [string, number])[];
}

/**
 * Finds the evaluation's columns in a header; undefined when one of them is not there, or is there twice.
 * @param complain cell is the header's length where the column is missing
 */
export function findColumns(
  header: readonly string[],
  evaluation: Evaluation,
  numbers: readonly string[],
  complain: (cell: number, problem: string, hint?: string) => void,
): Columns | undefined {
  const position = new Map<string, number>();
  let sound = true;
  header.forEach((title, cell) => {
    if (!position.has(title)) {
      position.set(title, cell);
      return;
    }
    complain(cell, `the column ${quote(title)} is there twice`);
    sound = false;
  });
  const missing = (role: string, title: string): number => {
    complain(
      header.length,
      `the column ${quote(title)} is missing (${role} of the evaluation)`,
      `the file has ${header.slice(0, 20).map(quote).join(", ")}`,
    );
    sound = false;
    return -1;
  };
  const find = (role: string, title: string): number => position.get(title) ?? missing(role, title);
  const maybe = (role: string, title: string | undefined): number | undefined =>
    title === undefined ? undefined : find(role, title);
  const named = (role: string, titles: readonly string[] | undefined): (readonly [string, number])[] =>
    [...new Set(titles)].map((title) => [title, find(role, title)] as const);
  const scores = (): (readonly [string, number])[] => {
    const { score } = evaluation.columns;
    if (score === undefined || evaluation.task === "regression") return [];
    if (evaluation.task !== "multiclass") return [["", find("score", score)]];
    const found = header.flatMap((title, cell) =>
      title.startsWith(score) && title !== score ? [[title.slice(score.length), cell] as const] : [],
    );
    if (found.length === 0) missing("score of a class", `${score}<class>`);
    return found;
  };
  const { columns } = evaluation;
  const found: Columns = {
    id: find("id", columns.id),
    label: find("label", columns.label),
    prediction: maybe("prediction", columns.prediction),
    scores: scores(),
    query: maybe("query", columns.query),
    weight: maybe("weight", columns.weight),
    group: maybe("group", columns.group),
    slices: named("slice", evaluation.slices),
    numbers: named("in a formula", numbers),
    preview: named("preview", columns.preview),
  };
  return sound ? found : undefined;
}
