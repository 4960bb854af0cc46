import type { ModelConfig } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { answersOf } from "./answers.ts";
import { besideOf } from "./beside.ts";
import { findColumns } from "./columns.ts";
import { formulaColumns } from "./formula-check.ts";
import type { Predictions } from "./predictions.ts";
import { Problems, quote } from "./problems.ts";
import { readTable } from "./table.ts";
import type { Bytes } from "./table.ts";

export type Evaluation = ModelConfig["evaluation"];

/**
 * Reads a predictions CSV as the model's `evaluation` says. Every problem of the file comes back at once, with its
 * place: columns and ids that are missing, ids that are there twice, cells that are not what the task needs.
 * @param input.file name to show, as a path of the repository
 * @param input.numbers columns that hold numbers; those that formulas of the evaluation read when absent
 */
export async function readPredictions(input: {
  readonly file: string;
  readonly bytes: Bytes;
  readonly evaluation: Evaluation;
  readonly numbers?: readonly string[];
}): Promise<Result<Predictions>> {
  const { file, evaluation } = input;
  const problems = new Problems(file);
  const { rows, digest } = readTable(file, input.bytes);
  const header = await rows.next();
  if (header.done === true) {
    const at = { file, line: 1, column: 1 };
    return problems.with(header.value ?? { code: "predictions-invalid", at, problem: "the file is empty" });
  }
  const columns = findColumns(
    header.value.cells,
    evaluation,
    input.numbers ?? formulaColumns(evaluation),
    (cell, problem, hint) => problems.add(header.value.at(cell), problem, hint),
  );
  if (columns === undefined) return problems.with();
  const ids: string[] = [];
  const lineOf = new Map<string, number>();
  const answers = answersOf(evaluation.task, columns);
  const beside = besideOf(columns);
  for (;;) {
    const next = await rows.next();
    if (next.done === true) {
      if (next.value !== undefined) return problems.with(next.value);
      break;
    }
    const row = next.value;
    if (row.cells.length !== header.value.cells.length) {
      problems.add(
        row.at(row.cells.length),
        `this row has ${row.cells.length} cells, the header ${header.value.cells.length}`,
      );
      continue;
    }
    const id = row.text(columns.id);
    const first = lineOf.get(id);
    if (id === "") problems.add(row.at(columns.id), "the id is missing");
    else if (first !== undefined) problems.add(row.at(columns.id), `the id ${quote(id)} is already on line ${first}`);
    else lineOf.set(id, row.at(columns.id).line);
    ids.push(id);
    const complain = (cell: number, problem: string): void => problems.add(row.at(cell), problem);
    answers.push(row, complain);
    beside.push(row, complain);
  }
  if (ids.length === 0) problems.add({ file, line: 1, column: 1 }, "the file has no rows");
  return problems.any ? problems.with() : ok(answers.finish({ ...beside.finish(), digest: digest(), ids }));
}
