/**
 * The verdict's promises, held against simulated pull requests. Seeds are fixed, so that a failure is a change of the
 * method and not of the dice; the shares that come out are printed.
 */
import { expect, test } from "vitest";
import { compareModels } from "../../src/evaluate/index.ts";
import { binomial, normalQuantile, normalTail, seeded } from "../../src/statistics/index.ts";
import {
  binaryChange,
  clusteredChange,
  meanChange,
  multiclassChange,
  randomOf,
  rareChange,
  regressionChange,
} from "./simulated.ts";
import type { Simulated } from "./simulated.ts";

const RESAMPLES = 500;
const CLASSIFIED = ["accuracy", "f1", "roc_auc", "log_loss"];

interface Scenario {
  readonly name: string;
  readonly changes: number;
  readonly metrics: readonly string[];
  readonly make: (change: number, random: ReturnType<typeof randomOf>) => Simulated;
}

interface Shares {
  /** Called better or worse. */
  readonly called: number;
  readonly equivalent: number;
  /** Metric -> intervals that hold the truth. */
  readonly covered: Readonly<Record<string, number>>;
}

function shares(
  { name, changes, metrics, make }: Scenario,
  truth = 0,
  margins: Readonly<Record<string, number>> = {},
): Shares {
  let [called, equivalent] = [0, 0];
  const covered: Record<string, number> = {};
  for (let change = 0; change < changes; change++) {
    const sides = make(change, randomOf(name, change));
    const { verdict, metrics: judged } = compareModels({ ...sides, metrics, margins, resamples: RESAMPLES });
    if (verdict === "better" || verdict === "worse") called++;
    if (verdict === "equivalent") equivalent++;
    for (const { name: metric, interval } of judged) {
      const inside = interval !== null && interval[0] <= truth && interval[1] >= truth;
      covered[metric] = (covered[metric] ?? 0) + (inside ? 1 : 0);
    }
  }
  const found: Shares = {
    called: called / changes,
    equivalent: equivalent / changes,
    covered: Object.fromEntries(Object.entries(covered).map(([metric, count]) => [metric, count / changes])),
  };
  console.log(`${name}, ${changes} changes: ${JSON.stringify(found)}`);
  return found;
}

/** What a share of `changes` may be by chance, 999 times of 1,000, when it is `share` in truth. */
function above(share: number, changes: number): number {
  return share - normalQuantile(0.001) * Math.sqrt((share * (1 - share)) / changes);
}

const NO_EFFECT: readonly Scenario[] = [
  { name: "binary, 50", changes: 500, metrics: CLASSIFIED, make: (change, random) => binaryChange(50, change, random) },
  {
    name: "binary, 1,000",
    changes: 300,
    metrics: CLASSIFIED,
    make: (change, random) => binaryChange(1_000, change, random),
  },
  {
    name: "multiclass, 50",
    changes: 300,
    metrics: ["accuracy", "macro_f1", "log_loss"],
    make: (change, random) => multiclassChange(50, change, random),
  },
  {
    name: "multiclass, 200",
    changes: 300,
    metrics: ["accuracy", "macro_f1", "log_loss"],
    make: (change, random) => multiclassChange(200, change, random),
  },
  {
    name: "regression, 50",
    changes: 500,
    metrics: ["mae", "rmse", "r2"],
    make: (change, random) => regressionChange(50, change, random),
  },
  { name: "one mean, 50", changes: 500, metrics: ["mae"], make: (change, random) => meanChange(50, change, random, 0) },
  {
    name: "20 groups of 10",
    changes: 500,
    metrics: ["mae"],
    make: (change, random) => clusteredChange(20, 10, change, random),
  },
  {
    name: "5 flips of 500",
    changes: 500,
    metrics: ["f1"],
    make: (change, random) => rareChange(500, 5, change, random),
  },
];

test("with no effect at most 5 % of the changes are called better or worse", { timeout: 600_000 }, () => {
  let [called, changes] = [0, 0];
  for (const scenario of NO_EFFECT) {
    const found = shares(scenario).called;
    expect(found, scenario.name).toBeLessThanOrEqual(above(0.05, scenario.changes));
    called += found * scenario.changes;
    changes += scenario.changes;
  }
  expect(changes).toBeGreaterThanOrEqual(2_000);
  expect(called / changes).toBeLessThanOrEqual(0.05);
});

test.each<Scenario & { readonly truth?: number }>([
  {
    name: "binary, 200",
    changes: 1_500,
    metrics: CLASSIFIED,
    make: (change, random) => binaryChange(200, change, random),
  },
  {
    name: "regression, 200",
    changes: 1_500,
    metrics: ["mae", "rmse"],
    make: (change, random) => regressionChange(200, change, random),
  },
  {
    name: "40 groups of 10",
    changes: 1_500,
    metrics: ["mae"],
    make: (change, random) => clusteredChange(40, 10, change, random),
  },
  // More examples than units: random groups of them are drawn.
  {
    name: "mean, 9,000",
    changes: 400,
    metrics: ["mae"],
    make: (change, random) => meanChange(9_000, change, random, 0.02),
    truth: 0.02,
  },
])("95 % intervals of $name hold the truth 95 % of the time", { timeout: 600_000 }, ({ truth, ...scenario }) => {
  // 1.5 points, and where fewer changes are simulated what chance adds to it.
  const off = Math.max(0.015, above(0.05, scenario.changes) - 0.05);
  for (const [metric, share] of Object.entries(shares(scenario, truth ?? 0).covered))
    expect(Math.abs(share - 0.95), metric).toBeLessThanOrEqual(off);
});

test("a known difference of means is found as often as Student's test finds it", { timeout: 600_000 }, () => {
  // z of 200 differences with mean 0.2 and deviation 1 has mean 2.83; t's bound with 199 degrees is 1.972.
  const power = normalTail(1.972 - 0.2 * Math.sqrt(200)) + normalTail(1.972 + 0.2 * Math.sqrt(200));
  const make: Scenario["make"] = (change, random) => meanChange(200, change, random, 0.2);
  const { called } = shares({ name: "mean 0.2, 200", changes: 2_000, metrics: ["mae"], make });
  expect(Math.abs(called - power)).toBeLessThanOrEqual(0.02 + 2 * Math.sqrt((power * (1 - power)) / 2_000));
});

test("a known share of fixed examples is found as often as the exact test can", { timeout: 600_000 }, () => {
  // Of 300 examples each is fixed with probability 0.06 and broken with 0.02: McNemar's power by enumeration.
  const random = seeded("power of McNemar");
  const sides = (): Simulated => {
    const fixed = binomial(random, 300, 0.06);
    const broken = binomial(random, 300 - fixed, 0.02 / 0.94);
    const base = binaryChange(300, fixed * 1_000 + broken, random).base;
    const label = base.label as Uint8Array;
    const wrongOn = (from: number, to: number): Uint8Array =>
      label.map((one, row) => (row >= from && row < to ? 1 - one : one));
    const side = (digest: string, prediction: Uint8Array): Simulated["base"] =>
      ({ ...base, digest, prediction, score: null }) as Simulated["base"];
    return {
      base: side(`sha256:b${fixed}`, wrongOn(0, fixed)),
      head: side(`sha256:h${broken}`, wrongOn(fixed, fixed + broken)),
    };
  };
  const power = mcnemarPower(300, 0.06, 0.02);
  const { called } = shares({
    name: "6 % fixed, 2 % broken of 300",
    changes: 1_500,
    metrics: ["accuracy"],
    make: sides,
  });
  expect(Math.abs(called - power)).toBeLessThanOrEqual(0.02 + 2 * Math.sqrt((power * (1 - power)) / 1_500));
});

test("a difference as large as the margin is called equivalent at most 5 % of the time", { timeout: 600_000 }, () => {
  const make: Scenario["make"] = (change, random) => meanChange(200, change, random, 0.25);
  const scenario = { name: "mean 0.25, margin 0.25", changes: 1_000, metrics: ["mae"], make };
  expect(shares(scenario, 0.25, { mae: 0.25 }).equivalent).toBeLessThanOrEqual(above(0.05, scenario.changes));
  const none: Scenario["make"] = (change, random) => meanChange(200, change, random, 0);
  const { equivalent } = shares({ ...scenario, name: "mean 0, margin 0.25", changes: 300, make: none }, 0, {
    mae: 0.25,
  });
  // Two one-sided tests at 5 % with z = 0.25 * sqrt(200) = 3.54: 2 * P(Z < 3.54 - 1.65) - 1, less the few called.
  expect(equivalent).toBeGreaterThan(0.85);
});

/** Sum over all outcomes that the exact two-sided test at 5 % rejects. */
function mcnemarPower(n: number, fixed: number, broken: number): number {
  const log = Float64Array.from({ length: n + 1 }, () => 0);
  for (let k = 2; k <= n; k++) log[k] = log[k - 1]! + Math.log(k);
  const tail = (k: number, pairs: number): number => {
    let sum = 0;
    for (let j = 0; j <= k; j++) sum += Math.exp(log[pairs]! - log[j]! - log[pairs - j]! - pairs * Math.LN2);
    return sum;
  };
  let power = 0;
  for (let a = 0; a <= n; a++) {
    for (let b = 0; a + b <= n; b++) {
      const p = log[n]! - log[a]! - log[b]! - log[n - a - b]! + a * Math.log(fixed) + b * Math.log(broken);
      const probability = Math.exp(p + (n - a - b) * Math.log(1 - fixed - broken));
      if (probability > 1e-12 && 2 * tail(Math.min(a, b), a + b) < 0.05) power += probability;
    }
  }
  return power;
}
