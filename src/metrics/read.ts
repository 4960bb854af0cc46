import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { readTable, TextTable } from "../tables/index.ts";
import type { Bytes, Header, Row } from "../tables/index.ts";
import { answersOf } from "./answers.ts";
import { besideOf } from "./beside.ts";
import { findColumns } from "./columns.ts";
import type { Evaluation } from "./evaluation.ts";
import { formulaColumns } from "./formula-check.ts";
import { lines } from "../tables/index.ts";
import type { Predictions } from "./predictions.ts";
import { Problems, quote } from "./problems.ts";
import { withThreshold } from "./threshold.ts";

/**
 * Reads predictions as the model's `evaluation` says: CSV, TSV, JSON lines or Parquet, by the name of
 * `evaluation.predictions`. Every problem of the file comes back at once, with its place: columns and ids that are
 * missing, ids that are there twice, cells that are not what the task needs. A row takes some tens of bytes of memory.
 * @param input.file name to show, as a path of the repository
 * @param input.numbers columns that hold numbers; those that formulas of the evaluation read when absent
 * @param input.threshold that was chosen for these; the evaluation's when absent, if that is a number
 */
export async function readPredictions(input: {
  readonly file: string;
  readonly bytes: Bytes;
  readonly evaluation: Evaluation;
  readonly numbers?: readonly string[];
  readonly threshold?: number | undefined;
}): Promise<Result<Predictions>> {
  const { file, evaluation } = input;
  const problems = new Problems(file);
  const rows = new Rows(input, problems);
  const read = await readTable(file, input.bytes, rows, evaluation.predictions);
  const start = { file, line: 1, column: 1 };
  if ("unreadable" in read) return problems.with({ code: "predictions-invalid", ...read.unreadable });
  if (!rows.hasHeader) problems.add(start, "the file is empty");
  else if (!rows.any) problems.add(start, "the file has no rows");
  if (problems.any) return problems.with();
  const given = typeof evaluation.threshold === "number" ? evaluation.threshold : undefined;
  return ok(withThreshold(rows.finish(read.digest), input.threshold ?? given));
}

/** Takes the rows of a table and keeps them as columns. */
class Rows {
  readonly #evaluation: Evaluation;
  readonly #numbers: readonly string[];
  readonly #problems: Problems;
  readonly #ids = new TextTable();
  /** Where each id was first. */
  readonly #lines = lines();
  #header: Header | undefined;
  #gather: ((row: Row) => void) | undefined;
  #finish: ((digest: Predictions["digest"]) => Predictions) | undefined;
  any = false;

  constructor(input: { readonly evaluation: Evaluation; readonly numbers?: readonly string[] }, problems: Problems) {
    this.#evaluation = input.evaluation;
    this.#numbers = input.numbers ?? formulaColumns(input.evaluation);
    this.#problems = problems;
  }

  get hasHeader(): boolean {
    return this.#header !== undefined;
  }

  header(header: Header): readonly number[] | undefined {
    this.#header = header;
    this.any = true; // until it has turned out to be of use, nothing is said of rows
    const complain = (cell: number, problem: string, hint?: string): void =>
      this.#problems.add(header.at(cell), problem, hint);
    const columns = findColumns(header.titles, this.#evaluation, this.#numbers, complain);
    if (columns === undefined) return undefined;
    this.any = false;
    const answers = answersOf(this.#evaluation.task, columns);
    const beside = besideOf(columns);
    let row: Row | undefined;
    const tell = (cell: number, problem: string): void => this.#tell(row!, cell, problem);
    this.#gather = (next) => {
      row = next;
      this.#id(next, columns.id);
      answers.push(next, tell);
      beside.push(next, tell);
    };
    this.#finish = (digest) => answers.finish({ ...beside.finish(), digest, ids: this.#ids.texts });
    const { id, label, prediction, query, weight, group, scores, slices, numbers, preview } = columns;
    const single = [id, label, prediction, query, weight, group].filter((cell) => cell !== undefined);
    return [...single, ...[scores, slices, numbers, preview].flatMap((some) => some.map(([, cell]) => cell))];
  }

  row(row: Row): void {
    this.any = true;
    this.#gather?.(row);
  }

  broken(at: Parameters<Problems["add"]>[0], problem: string): void {
    this.any = true;
    this.#problems.add(at, problem);
  }

  finish(digest: Predictions["digest"]): Predictions {
    if (this.#finish === undefined) throw new Error("a table without a header");
    return this.#finish(digest);
  }

  #id(row: Row, cell: number): void {
    const before = this.#ids.length;
    const at = row.code(cell, this.#ids);
    if (at === before) this.#lines.push(row.number);
    if (this.#ids.isEmpty(at)) this.#tell(row, cell, "the id is missing");
    else if (at < before) {
      const where = this.#header?.unit === "row" ? "in row" : "on line";
      this.#tell(row, cell, `the id ${quote(row.text(cell))} is already ${where} ${this.#lines.at(at)}`);
    }
  }

  #tell(row: Row, cell: number, problem: string): void {
    const { unit, titles } = this.#header!;
    const where = unit === "row" ? `row ${row.number}, column ${quote(titles[cell] ?? "")}: ` : "";
    this.#problems.add(row.at(cell), `${where}${problem}`);
  }
}
