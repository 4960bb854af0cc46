import type { ModelConfig } from "../config/index.ts";
import { compareCodeUnits, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Location, Result } from "../core/index.ts";
import type { Examples, Predictions } from "./predictions.ts";
import { readTable } from "./table.ts";
import type { Bytes } from "./table.ts";

export type Evaluation = ModelConfig["evaluation"];

const NOTHING = { weight: null, group: null, slices: {}, numbers: {}, preview: {} };
/** Problems told of one file; the rest is counted. */
const TOLD = 100;
/** A probability written in single precision may exceed 1 by rounding. */
const ROUNDING = 1e-6;
const POSITIVE = new Set(["1", "1.0", "true", "True", "TRUE", "yes"]);
const NEGATIVE = new Set(["0", "0.0", "false", "False", "FALSE", "no"]);

/**
 * Reads a predictions CSV as the model's `evaluation` says. Every problem of the file comes back at once, with its
 * place: columns and ids that are missing, ids that are there twice, cells that are not what the task needs.
 * @param input.file name to show, as a path of the repository
 */
export async function readPredictions(input: {
  readonly file: string;
  readonly bytes: Bytes;
  readonly evaluation: Evaluation;
}): Promise<Result<Predictions>> {
  const { file, evaluation } = input;
  const problems = new Problems(file);
  const { rows, digest } = readTable(file, input.bytes);
  const header = await rows.next();
  if (header.done === true) {
    const at = { file, line: 1, column: 1 };
    return problems.with(header.value ?? { code: "predictions-invalid", at, problem: "the file is empty" });
  }
  const columns = findColumns(header.value.cells, evaluation, (cell, problem, hint) =>
    problems.add(header.value.at(cell), problem, hint),
  );
  if (columns === undefined) return problems.with();
  const ids: string[] = [];
  const lineOf = new Map<string, number>();
  const target = targetOf(evaluation.task, columns);
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
    const id = row.cells[columns.id] ?? "";
    const first = lineOf.get(id);
    if (id === "") problems.add(row.at(columns.id), "the id is missing");
    else if (first !== undefined) problems.add(row.at(columns.id), `the id ${quote(id)} is already on line ${first}`);
    else lineOf.set(id, row.at(columns.id).line);
    ids.push(id);
    target.push(row.cells, (cell, problem) => problems.add(row.at(cell), problem));
  }
  if (ids.length === 0) problems.add({ file, line: 1, column: 1 }, "the file has no rows");
  return problems.any ? problems.with() : ok(target.finish({ ...NOTHING, digest: digest(), ids }));
}

type Complain = (cell: number, problem: string, hint?: string) => void;

interface Columns {
  readonly id: number;
  readonly label: number;
  readonly prediction: number;
  /** Class name ("" for a binary task) and position. */
  readonly scores: readonly (readonly [string, number])[];
}

function findColumns(header: readonly string[], evaluation: Evaluation, complain: Complain): Columns | undefined {
  let sound = true;
  header.forEach((title, cell) => {
    if (header.indexOf(title) === cell) return;
    complain(cell, `the column ${quote(title)} is there twice`);
    sound = false;
  });
  const find = (role: string, title: string): number => {
    const cell = header.indexOf(title);
    if (cell !== -1) return cell;
    complain(
      header.length,
      `the column ${quote(title)} is missing (${role} of the evaluation)`,
      `the file has ${header.slice(0, 20).map(quote).join(", ")}`,
    );
    sound = false;
    return -1;
  };
  const { id, label, prediction, score } = evaluation.columns;
  const found = { id: find("id", id), label: find("label", label), prediction: find("prediction", prediction) };
  let scores: (readonly [string, number])[] = [];
  if (score !== undefined && evaluation.task === "binary") scores = [["", find("score", score)]];
  if (score !== undefined && evaluation.task === "multiclass") {
    scores = header.flatMap((title, cell) =>
      title.startsWith(score) && title !== score ? [[title.slice(score.length), cell] as const] : [],
    );
    if (scores.length === 0) find("score of a class", `${score}<class>`);
  }
  return sound ? { ...found, scores } : undefined;
}

interface Target {
  push(cells: readonly string[], complain: Complain): void;
  finish(examples: Examples): Predictions;
}

function targetOf(task: Evaluation["task"], columns: Columns): Target {
  const number = (cells: readonly string[], cell: number, complain: Complain): number => {
    const text = (cells[cell] ?? "").trim();
    const value = text === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    complain(cell, text === "" ? "the cell is empty; a number is needed" : `${quote(text)} is not a finite number`);
    return 0;
  };
  const probability = (cells: readonly string[], cell: number, complain: Complain): number => {
    const value = number(cells, cell, complain);
    if (value < -ROUNDING || value > 1 + ROUNDING) complain(cell, `${value} is not a probability (0 to 1)`);
    return Math.min(1, Math.max(0, value));
  };
  switch (task) {
    case "binary": {
      const [label, prediction, score]: [number[], number[], number[]] = [[], [], []];
      const truth = (cells: readonly string[], cell: number, complain: Complain): number => {
        const text = (cells[cell] ?? "").trim();
        if (!POSITIVE.has(text) && !NEGATIVE.has(text))
          complain(
            cell,
            text === ""
              ? "the cell is empty; 0 or 1 is needed"
              : `${quote(text)} is neither 0 nor 1 (nor true, false, yes, no)`,
          );
        return POSITIVE.has(text) ? 1 : 0;
      };
      const scoreCell = columns.scores[0]?.[1];
      return {
        push(cells, complain) {
          label.push(truth(cells, columns.label, complain));
          prediction.push(truth(cells, columns.prediction, complain));
          if (scoreCell !== undefined) score.push(probability(cells, scoreCell, complain));
        },
        finish: (examples) => ({
          task,
          ...examples,
          label: Uint8Array.from(label),
          prediction: Uint8Array.from(prediction),
          score: scoreCell === undefined ? null : Float64Array.from(score),
        }),
      };
    }
    case "multiclass": {
      const names = new Map(columns.scores.map(([name], index) => [name, index]));
      const [label, prediction]: [number[], number[]] = [[], []];
      const scores = columns.scores.map((): number[] => []);
      const named = (cells: readonly string[], cell: number, complain: Complain): number => {
        const text = (cells[cell] ?? "").trim();
        if (text === "") complain(cell, "the cell is empty; a class is needed");
        else if (columns.scores.length > 0 && (names.get(text) ?? Infinity) >= columns.scores.length)
          complain(cell, `the class ${quote(text)} has no score column`);
        if (!names.has(text)) names.set(text, names.size);
        return names.get(text) ?? 0;
      };
      return {
        push(cells, complain) {
          label.push(named(cells, columns.label, complain));
          prediction.push(named(cells, columns.prediction, complain));
          columns.scores.forEach(([, cell], index) => scores[index]?.push(probability(cells, cell, complain)));
        },
        finish(examples) {
          const classes = [...names.keys()].sort(compareCodeUnits);
          const rank = [...names.keys()].map((name) => classes.indexOf(name));
          return {
            task,
            ...examples,
            classes,
            label: Int32Array.from(label, (index) => rank[index] ?? 0),
            prediction: Int32Array.from(prediction, (index) => rank[index] ?? 0),
            scores:
              scores.length === 0 ? null : classes.map((name) => Float64Array.from(scores[names.get(name) ?? 0] ?? [])),
          };
        },
      };
    }
    case "regression": {
      const [label, prediction]: [number[], number[]] = [[], []];
      return {
        push(cells, complain) {
          label.push(number(cells, columns.label, complain));
          prediction.push(number(cells, columns.prediction, complain));
        },
        finish: (examples) => ({
          task,
          ...examples,
          label: Float64Array.from(label),
          prediction: Float64Array.from(prediction),
        }),
      };
    }
  }
}

/** What is wrong with one file, bounded: a file with a million bad rows is told in a hundred lines. */
class Problems {
  readonly #told: Failure[] = [];
  readonly #file: string;
  #more = 0;
  constructor(file: string) {
    this.#file = file;
  }
  get any(): boolean {
    return this.#told.length > 0;
  }
  add(at: Location, problem: string, hint?: string): void {
    if (this.#told.length >= TOLD) this.#more++;
    else this.#told.push({ code: "predictions-invalid", at, problem, ...(hint === undefined ? {} : { hint }) });
  }
  with(last?: Failure): Extract<Result<never>, { ok: false }> {
    const at = { file: this.#file, line: 1, column: 1 };
    const rest: Failure[] = last === undefined ? [] : [last];
    if (this.#more > 0) rest.push({ code: "predictions-invalid", at, problem: `and ${this.#more} more problems` });
    const failed = failedIfAny([...this.#told, ...rest]);
    if (failed === undefined) throw new Error("a failure without a problem");
    return failed;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
