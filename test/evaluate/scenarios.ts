import type { Random } from "../../src/statistics/index.ts";
import { binaryChange, elsewhere, meanChange, multiclassChange, rareChange, regressionChange } from "./simulated.ts";
import type { Simulated } from "./simulated.ts";
import { groupedChange } from "./simulated-groups.ts";

/** Pull requests of one kind, in which nothing is better or worse in truth. */
export interface Scenario {
  readonly name: string;
  readonly metrics: readonly string[];
  readonly make: (change: number, random: Random) => Simulated;
  /** Whether intervals hold the truth 95 % of the time, within 1.5 points; else what they do is told, and no more. */
  readonly covers: boolean;
}

const CLASSIFIED = ["accuracy", "f1", "roc_auc", "log_loss"];
const MULTICLASS = ["accuracy", "macro_f1", "log_loss"];
const REGRESSION = ["mae", "rmse"];

function plain(): Scenario[] {
  return [
    ...[50, 200, 1_000].map((size) => ({
      name: `binary, ${size} examples`,
      metrics: CLASSIFIED,
      make: (change: number, random: Random) => binaryChange(size, change, random),
      covers: size >= 200,
    })),
    ...[50, 200].map((size) => ({
      name: `multiclass, ${size} examples`,
      metrics: MULTICLASS,
      make: (change: number, random: Random) => multiclassChange(size, change, random),
      covers: size >= 200,
    })),
    ...[50, 200].map((size) => ({
      name: `regression, ${size} examples`,
      metrics: REGRESSION,
      make: (change: number, random: Random) => regressionChange(size, change, random),
      covers: size >= 200,
    })),
    {
      name: "one mean, 50 examples",
      metrics: ["mae"],
      make: (change, random) => meanChange(50, change, random, 0),
      covers: true,
    },
    {
      name: "about 5 of 500 answers flip",
      metrics: ["f1"],
      make: (change, random) => rareChange(500, 5, change, random),
      covers: false,
    },
  ];
}

/** Test sets, or slices, as small as they come. */
function small(): Scenario[] {
  return [0.5, 0.01].flatMap((rate) =>
    [30, 50, 100, 200].map((size) => ({
      name: `${size} examples, ${100 * rate} % positive`,
      metrics: CLASSIFIED,
      make: (change: number, random: Random) => binaryChange(size, change, random, { rate }),
      covers: rate === 0.5 && size >= 200,
    })),
  );
}

/** Groups of ten rows on average, that agree a little or much. */
function grouped(): Scenario[] {
  return [10, 20, 30, 60].flatMap((groups) =>
    [false, true].flatMap((unequal) =>
      [0.1, 0.5].map((correlation) => ({
        name: `${groups} ${unequal ? "unequal groups" : "groups of 10"}, correlation ${correlation}`,
        metrics: groups === 60 ? CLASSIFIED : ["mae", "rmse"],
        make: (change: number, random: Random) => {
          const task = groups === 60 ? "binary" : "regression";
          return groupedChange(task, { groups, rows: 10, correlation, unequal }, change, random);
        },
        covers: groups >= 30 && !unequal,
      })),
    ),
  );
}

/** More than are drawn one by one: rows and groups are drawn in batches made at random. */
function many(): Scenario[] {
  return [
    {
      name: "9,000 examples in 4,096 random groups",
      metrics: ["mae"],
      make: (change, random) => meanChange(9_000, change, random, 0),
      covers: true,
    },
    {
      name: "5,000 groups of 2, correlation 0.5",
      metrics: ["mae"],
      make: (change, random) =>
        groupedChange("regression", { groups: 5_000, rows: 2, correlation: 0.5 }, change, random),
      covers: true,
    },
  ];
}

/** Sides of different examples: there is no verdict, and intervals hold the truth. */
function unpaired(): Scenario[] {
  return [
    {
      name: "different test sets, binary, 200 and 300 examples",
      metrics: CLASSIFIED,
      make: (change, random) => elsewhere(binaryChange(200, change, random), binaryChange(300, change, random)),
      covers: true,
    },
    {
      name: "different test sets, regression, 200 and 120 examples",
      metrics: REGRESSION,
      make: (change, random) => elsewhere(regressionChange(200, change, random), regressionChange(120, change, random)),
      covers: true,
    },
  ];
}

export interface Family {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
  /** Each change takes long, so that fewer are simulated. */
  readonly costly: boolean;
}

export const FAMILIES: readonly Family[] = [
  { title: "independent examples", scenarios: plain(), costly: false },
  { title: "small and skewed", scenarios: small(), costly: false },
  { title: "groups", scenarios: grouped(), costly: false },
  { title: "many", scenarios: many(), costly: true },
  { title: "different test sets", scenarios: unpaired(), costly: false },
];
