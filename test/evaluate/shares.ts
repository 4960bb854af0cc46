import { compareModels } from "../../src/evaluate/index.ts";
import { randomOf } from "./simulated.ts";
import type { Scenario } from "./scenarios.ts";

/** Fewer than a report draws, to simulate more changes in the same time. */
export const RESAMPLES = 400;

export interface Shares {
  /** Called better or worse. */
  readonly called: number;
  readonly equivalent: number;
  /** Metric -> of the intervals that there were, the share that holds the truth, and the share that there were. */
  readonly covered: Readonly<Record<string, number>>;
  readonly told: number;
}

/** What became of simulated changes. */
export function sharesOf(
  { name, metrics, make }: Pick<Scenario, "name" | "metrics" | "make">,
  changes: number,
  truth = 0,
  margins: Readonly<Record<string, number>> = {},
): Shares {
  let [called, equivalent, told] = [0, 0, 0];
  const held = new Map(metrics.map((metric) => [metric, { inside: 0, of: 0 }]));
  for (let change = 0; change < changes; change++) {
    const sides = make(change, randomOf(name, change));
    const { verdict, metrics: judged } = compareModels({ ...sides, metrics, margins, resamples: RESAMPLES });
    if (verdict === "better" || verdict === "worse") called++;
    if (verdict === "equivalent") equivalent++;
    for (const { name: metric, interval } of judged) {
      const count = held.get(metric);
      if (interval === null || count === undefined) continue;
      told++;
      count.of++;
      if (interval[0] <= truth && interval[1] >= truth) count.inside++;
    }
  }
  return {
    called: called / changes,
    equivalent: equivalent / changes,
    covered: Object.fromEntries([...held].map(([metric, { inside, of }]) => [metric, of === 0 ? 1 : inside / of])),
    told: told / changes / metrics.length,
  };
}
