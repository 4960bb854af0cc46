import type { BusinessMetric } from "../config/index.ts";
import { confusionCells } from "./binary.ts";
import { compileFormula, hintFor } from "./formula.ts";
import type { Call, Compute, Scope } from "./formula.ts";
import type { FormulaProblem, Part } from "./formula-parse.ts";
import type { Cells, Metric, Sums, Task } from "./metric.ts";
import { crossing } from "./multiclass.ts";
import type { Predictions } from "./predictions.ts";
import { once, ones, summed } from "./sums.ts";

/** Different sums in one formula: each is a column of the test set's length. */
const MOST_SUMS = 16;

interface Row {
  readonly from: Predictions;
  row: number;
}
interface Overall {
  readonly from: Predictions;
  /** The weight of all, the formula's sums, the cells. */
  readonly sums: ArrayLike<number>;
}

/** A formula that was read: what it computes, and what it needs for that. */
export interface BusinessFormula {
  readonly problems: readonly FormulaProblem[];
  /** Numeric columns of the predictions that it reads. */
  readonly columns: readonly string[];
  readonly needsScore: boolean;
  readonly sums: (predictions: Predictions) => Sums;
}

/**
 * Reads a formula over a task's counts (binary: tp, fp, fn, tn; multiclass: correct and count(label, prediction); n is
 * the weight of all) and over sum(...) and mean(...) of what is computed in each row. It is a function of weighted sums.
 */
export function readBusiness(task: Task, text: string): BusinessFormula {
  const columns = new Set<string>();
  const sums = new Map<string, (from: Predictions) => ArrayLike<number>>();
  let needsScore = false;
  const inRow = rowScope(task, {
    column: (name) => columns.add(name),
    score: () => (needsScore = true),
  });
  /** Position among the sums of what `part` computes in each row. */
  const sumOf = (part: Part, call: Call): number => {
    const key = JSON.stringify(part, (name, value: unknown) => (name === "start" ? undefined : value));
    const known = [...sums.keys()].indexOf(key);
    if (known !== -1) return known + 1;
    const compute = call.compile(part, inRow);
    sums.set(
      key,
      once((from) => {
        const where: Row = { from, row: 0 };
        return Float64Array.from({ length: from.ids.length }, (_, row) => {
          where.row = row;
          return compute(where);
        });
      }),
    );
    if (sums.size > MOST_SUMS) call.complain(`a formula has at most ${MOST_SUMS} different sums`, part);
    return sums.size;
  };
  const one = (call: Call): number | undefined => {
    const [part, ...more] = call.arguments;
    if (part !== undefined && more.length === 0) return sumOf(part, call);
    return call.complain("one value of a row is summed, as in sum(price * label)");
  };
  const scope: Scope<Overall> = {
    names: { n: ({ sums: all }) => all[0] ?? 0, ...counts(task, () => sums.size + 1) },
    functions: {
      sum: (call) => {
        const at = one(call);
        return at === undefined ? undefined : (where) => where.sums[at] ?? 0;
      },
      mean: (call) => {
        const at = one(call);
        return at === undefined ? undefined : (where) => (where.sums[at] ?? 0) / (where.sums[0] ?? 0);
      },
      ...(task === "multiclass" ? { count: cell(() => sums.size + 1) } : {}),
    },
    unknown: (name) => ({
      problem: `"${name}" is not a count of a ${task} task; a column goes into sum(...) or mean(...)`,
      hint: hintFor(name, Object.keys(scope.names)),
    }),
  };
  const { compute, problems } = compileFormula(text, scope);
  return {
    problems,
    columns: [...columns],
    needsScore,
    sums: (from) => ({
      columns: [ones(from), ...[...sums.values()].map((column) => column(from))],
      cells: cellsOf(from),
      value: (all) => {
        const value = all[0] === 0 ? Number.NaN : compute({ from, sums: all });
        return Number.isFinite(value) ? value : null;
      },
    }),
  };
}

const known = new WeakMap<BusinessMetric, Map<Task, Metric>>();

/** The metric that a formula of the evaluation is; read once. */
export function businessMetric(task: Task, name: string, entry: BusinessMetric): Metric {
  const byTask = known.get(entry) ?? new Map<Task, Metric>();
  known.set(entry, byTask);
  const before = byTask.get(task);
  if (before !== undefined) return before;
  const { sums, needsScore, problems } = readBusiness(task, entry.formula);
  const undefinedSums = (from: Predictions): Sums => ({ columns: [ones(from)], cells: null, value: () => null });
  const metric = summed(name, entry.direction, problems.length > 0 ? undefinedSums : sums, needsScore);
  byTask.set(task, metric);
  return metric;
}

function cellsOf(from: Predictions): Cells | null {
  if (from.task === "binary") return confusionCells(from);
  return from.task === "multiclass" ? crossing(from) : null;
}

function counts(task: Task, start: () => number): Record<string, Compute<Overall>> {
  if (task === "binary") {
    const names = ["tn", "fp", "fn", "tp"].map((name, at) => [name, (where: Overall) => where.sums[start() + at] ?? 0]);
    return Object.fromEntries(names) as Record<string, Compute<Overall>>;
  }
  if (task !== "multiclass") return {};
  const correct: Compute<Overall> = ({ from, sums }) => {
    const { label, prediction, size } = crossing(from);
    let all = 0;
    for (let at = 0; at < size; at++) if (label[at] === prediction[at]) all += sums[start() + at] ?? 0;
    return all;
  };
  return { correct };
}

/** count("cat", "dog"): of class cat and called dog. A class that these predictions do not know has no count. */
function cell(start: () => number): (call: Call) => Compute<Overall> | undefined {
  return (call) => {
    const texts = call.arguments.map((part) => (part.type === "Literal" ? String(part.value) : undefined));
    const [label, prediction, ...more] = texts;
    if (label === undefined || prediction === undefined || more.length > 0)
      return call.complain('count takes two classes: the label and the prediction, as in count("cat", "dog")');
    const [truth, guess] = [classNumber(label), classNumber(prediction)];
    return ({ from, sums }) => {
      const cells = crossing(from);
      const [wanted, called] = [truth(from), guess(from)];
      if (wanted === -1 || called === -1) return Number.NaN;
      for (let at = 0; at < cells.size; at++)
        if (cells.label[at] === wanted && cells.prediction[at] === called) return sums[start() + at] ?? 0;
      return 0;
    };
  };
}

function classNumber(name: string): (from: Predictions) => number {
  return once((from) => (from.task === "multiclass" ? from.classes.indexOf(name) : -1));
}

function rowScope(task: Task, uses: { column: (name: string) => void; score: () => void }): Scope<Row> {
  const label: Compute<Row> = ({ from, row }) => from.label[row] ?? Number.NaN;
  const prediction: Compute<Row> = ({ from, row }) =>
    from.task === "ranking" ? Number.NaN : (from.prediction[row] ?? Number.NaN);
  const score: Compute<Row> = ({ from, row }) =>
    from.task === "binary" || from.task === "ranking" ? (from.score?.[row] ?? Number.NaN) : Number.NaN;
  const column = (name: string): Compute<Row> => {
    uses.column(name);
    return ({ from, row }) => from.numbers[name]?.[row] ?? Number.NaN;
  };
  const scored = task === "binary" || task === "ranking";
  const names = {
    ...(task === "multiclass" ? {} : { label }),
    ...(task === "binary" || task === "regression" ? { prediction } : {}),
  };
  return {
    names,
    functions: {
      column: (call) => {
        const [title, ...more] = call.arguments;
        if (title?.type === "Literal" && typeof title.value === "string" && more.length === 0)
          return column(title.value);
        return call.complain('column takes the title of a column, as in column("monthly fee")');
      },
    },
    unknown: (name) => {
      if (name === "score" && scored) {
        uses.score();
        return score;
      }
      if (task === "multiclass" && (name === "label" || name === "prediction"))
        return { problem: `"${name}" is a class here: compare it by == or !=, as in prediction == "dog"` };
      if (["tp", "fp", "fn", "tn", "n", "correct"].includes(name))
        return { problem: `"${name}" is a count, not a value of a row` };
      return column(name);
    },
    ...(task === "multiclass"
      ? {
          classOf: (part: Part): Compute<Row> | undefined => {
            if (part.type === "Identifier" && part.name === "label") return label;
            if (part.type === "Identifier" && part.name === "prediction") return prediction;
            if (part.type !== "Literal" || typeof part.value !== "string") return undefined;
            const number = classNumber(part.value);
            return ({ from }) => number(from);
          },
        }
      : {}),
  };
}
