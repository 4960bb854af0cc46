import type { Positioned } from "../config/index.ts";
import { compareCodeUnits } from "../core/index.ts";
import type { Failure, Location } from "../core/index.ts";
import { readBusiness } from "./business.ts";
import type { FormulaProblem } from "./formula-parse.ts";
import { findMetric, isStandard } from "./metrics.ts";
import type { Evaluation } from "./evaluation.ts";

/**
 * What is wrong with an evaluation's formulas and its threshold, each problem at its place in the file.
 * @param at where the evaluation stands: a path inside it -> place
 */
export function evaluationFailures(evaluation: Evaluation, at: Positioned<unknown>["at"]): Failure[] {
  return [...formulaFailures(evaluation, at), ...thresholdFailures(evaluation, at)];
}

function thresholdFailures(evaluation: Evaluation, at: Positioned<unknown>["at"]): Failure[] {
  const { threshold, task } = evaluation;
  if (threshold === undefined || typeof threshold === "number") return [];
  const metric = findMetric(evaluation, threshold.maximize);
  if (metric?.sums !== undefined && !(metric.needsScore && isStandard(task, threshold.maximize))) return [];
  const problem = `no threshold can be chosen by "${threshold.maximize}"`;
  const hint = "a metric of predictions, as f1 or balanced_accuracy, or a formula of `business`";
  return [{ code: "file-invalid", at: at(["threshold", "maximize"]), problem, hint }];
}

function formulaFailures(evaluation: Evaluation, at: Positioned<unknown>["at"]): Failure[] {
  return Object.entries(evaluation.business ?? {}).flatMap(([name, { formula }]) => {
    const taken: Failure[] = isStandard(evaluation.task, name)
      ? [{ code: "file-invalid", at: at(["business", name], { key: true }), problem: `"${name}" is a metric already` }]
      : [];
    const place = at(["business", name, "formula"]);
    const problems = readBusiness(evaluation.task, formula).problems.map((problem): Failure => ({
      code: "file-invalid",
      at: within(place, formula, problem),
      problem: problem.problem,
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    }));
    return [...taken, ...problems];
  });
}

/** Columns of numbers that the predictions need for the evaluation's formulas, each once. */
export function formulaColumns({ task, business }: Pick<Evaluation, "task" | "business">): string[] {
  const all = Object.values(business ?? {}).flatMap(({ formula }) => readBusiness(task, formula).columns);
  return [...new Set(all)].sort(compareCodeUnits);
}

/** Inside of the formula where the file has it on one line as it is; else at its start. */
function within(place: Location, formula: string, { offset, length }: FormulaProblem): Location {
  const start = place.source?.indexOf(formula, place.column - 1) ?? -1;
  return start === -1 ? place : { ...place, column: start + offset + 1, length };
}
