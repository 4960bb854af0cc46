import { compareCodeUnits } from "../core/index.ts";
import type { Row } from "../tables/index.ts";
import { WordColumn } from "./beside.ts";
import { notNegativeIn, numberIn, probabilityIn, truthIn } from "./cells.ts";
import type { Complain } from "./cells.ts";
import type { Columns } from "./columns.ts";
import { codes, flags, floats } from "../tables/index.ts";
import type { Growing } from "../tables/index.ts";
import type { Examples, Predictions } from "./predictions.ts";
import { quote } from "./problems.ts";
import type { Evaluation } from "./evaluation.ts";

/** Gathers labels and answers of a task. */
export interface Answers {
  push(row: Row, complain: Complain): void;
  finish(examples: Examples): Predictions;
}

export function answersOf(task: Evaluation["task"], columns: Columns): Answers {
  switch (task) {
    case "binary":
      return binary(columns);
    case "multiclass":
      return multiclass(columns);
    case "regression":
      return regression(columns);
    case "ranking":
      return ranking(columns);
  }
}

function binary({ label: labelCell, prediction: predictionCell, scores }: Columns): Answers {
  const [label, prediction, score] = [flags(), flags(), floats()];
  const scoreCell = scores[0]?.[1];
  return {
    push(row, complain) {
      label.push(truthIn(row, labelCell, complain));
      const probability = scoreCell === undefined ? 0 : probabilityIn(row, scoreCell, complain);
      if (scoreCell !== undefined) score.push(probability);
      if (predictionCell === undefined) prediction.push(probability >= 0.5 ? 1 : 0);
      else prediction.push(truthIn(row, predictionCell, complain));
    },
    finish: (examples) => ({
      task: "binary",
      ...examples,
      label: label.finish(),
      prediction: prediction.finish(),
      score: scoreCell === undefined ? null : score.finish(),
    }),
  };
}

function multiclass({ label: labelCell, prediction: predictionCell, scores: scored }: Columns): Answers {
  const names = new Map(scored.map(([name], index) => [name, index]));
  const [label, prediction] = [codes(), codes()];
  const scores = scored.map((): Growing<Float64Array> => floats());
  const named = (row: Row, cell: number | undefined, complain: Complain): number => {
    if (cell === undefined) throw new TypeError("a multiclass task without predictions");
    const text = row.text(cell).trim();
    const known = names.get(text);
    if (text === "") complain(cell, "the cell is empty; a class is needed");
    else if (scored.length > 0 && (known ?? Infinity) >= scored.length)
      complain(cell, `the class ${quote(text)} has no score column`);
    if (known === undefined) names.set(text, names.size);
    return known ?? names.size - 1;
  };
  return {
    push(row, complain) {
      label.push(named(row, labelCell, complain));
      prediction.push(named(row, predictionCell, complain));
      for (const [index, [, cell]] of scored.entries()) scores[index]?.push(probabilityIn(row, cell, complain));
    },
    finish(examples) {
      const classes = [...names.keys()].sort(compareCodeUnits);
      const position = new Map(classes.map((name, index) => [name, index]));
      const rank = Int32Array.from(names.keys(), (name) => position.get(name) ?? 0);
      const ranked = (column: Int32Array): Int32Array => column.map((index) => rank[index] ?? 0);
      const columns = scores.map((column) => column.finish());
      return {
        task: "multiclass",
        ...examples,
        classes,
        label: ranked(label.finish()),
        prediction: ranked(prediction.finish()),
        scores:
          columns.length === 0 ? null : classes.map((name) => columns[names.get(name) ?? 0] ?? new Float64Array()),
      };
    },
  };
}

function regression({ label: labelCell, prediction: predictionCell }: Columns): Answers {
  const [label, prediction] = [floats(), floats()];
  return {
    push(row, complain) {
      if (predictionCell === undefined) throw new TypeError("a regression without predictions");
      label.push(numberIn(row, labelCell, complain));
      prediction.push(numberIn(row, predictionCell, complain));
    },
    finish: (examples) => ({
      task: "regression",
      ...examples,
      label: label.finish(),
      prediction: prediction.finish(),
    }),
  };
}

function ranking({ label: labelCell, scores, query: queryCell }: Columns): Answers {
  const [label, score, query] = [floats(), floats(), new WordColumn()];
  const scoreCell = scores[0]?.[1];
  return {
    push(row, complain) {
      if (scoreCell === undefined || queryCell === undefined)
        throw new TypeError("a ranking without scores or queries");
      label.push(notNegativeIn(row, labelCell, "relevance", complain));
      score.push(numberIn(row, scoreCell, complain));
      query.pushNeeded(row, queryCell, "query", complain);
    },
    finish: (examples) => ({
      task: "ranking",
      ...examples,
      label: label.finish(),
      score: score.finish(),
      query: query.finish(),
    }),
  };
}
