import type { Random } from "../../src/statistics/index.ts";
import { uniform } from "../../src/statistics/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { chance, frame, normal } from "./simulated.ts";
import type { Simulated } from "./simulated.ts";

export interface Grouping {
  readonly groups: number;
  /** Rows of a group, on average. */
  readonly rows: number;
  /** Share of the variance that is a group's own, on which all of its rows agree. */
  readonly correlation: number;
  /** Sizes are exponentially distributed, so that a tenth of the groups hold a third of the rows. */
  readonly unequal?: boolean;
}

/** Rows in groups: the label, how hard a row is, and what each model makes of it, all lean to their group's own. */
export function groupedChange(
  task: "binary" | "regression",
  grouping: Grouping,
  change: number,
  random: Random,
): Simulated {
  const { groups, rows, correlation, unequal = false } = grouping;
  const sizes = Array.from({ length: groups }, () =>
    unequal ? Math.max(1, Math.round(-rows * Math.log(uniform(random)))) : rows,
  );
  const code = Int32Array.from(sizes.flatMap((size, group) => Array.from({ length: size }, () => group)));
  const { base, head } = frame(code.length, change, { group: { values: sizes.map((_, group) => `g${group}`), code } });
  const leaning = (): Float64Array => {
    const own = Float64Array.from(sizes, () => Math.sqrt(correlation) * normal(random));
    return Float64Array.from(code, (group) => own[group]! + Math.sqrt(1 - correlation) * normal(random));
  };
  const shared = leaning();
  const truth = leaning();
  const label = Uint8Array.from(truth, (one) => (one > 0.25 ? 1 : 0));
  const side = (columns: typeof base): Predictions => {
    const own = leaning();
    if (task === "regression") {
      const prediction = shared.map((one, row) => 0.7 * one + 0.7 * own[row]!);
      return { ...columns, task, label: new Float64Array(code.length), prediction };
    }
    const score = shared.map((one, row) => chance((label[row] === 1 ? 0.9 : -0.9) + one + 0.7 * own[row]!));
    return { ...columns, task, label, score, prediction: Uint8Array.from(score, (one) => (one >= 0.5 ? 1 : 0)) };
  };
  return { base: side(base), head: side(head) };
}
