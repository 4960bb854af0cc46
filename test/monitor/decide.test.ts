import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { compareColumns } from "../../src/monitor/compare.ts";
import type { ColumnDrift, Role } from "../../src/monitor/compare.ts";
import { decide } from "../../src/monitor/decide.ts";
import { code, renderFinding, sparkline } from "../../src/monitor/evidence.ts";
import { sketchTable } from "../../src/profile/index.ts";
import { observe, rolesOf } from "../../src/monitor/observe.ts";
import { judgePerformance } from "../../src/monitor/performance.ts";
import { value } from "../helpers/value.ts";

const rules = { minRows: 100, driftShare: 0.2 };
const CLASSES = ["a", "b", "c"];

interface World {
  readonly shift?: number;
  /** Of this many of the 20 columns. */
  readonly columns?: number;
  readonly prediction?: readonly number[];
  readonly nulls?: number;
}

/** Rows of 20 inputs (half of them whole numbers from 0 to 16, as pixels are) and a class. */
function* rows(
  seed: number,
  count: number,
  world: World = {},
): Generator<{ inputs: (number | null)[]; prediction: string }> {
  const random = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(random);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  for (let row = 0; row < count; row++) {
    const inputs = Array.from({ length: 20 }, (_, i) => {
      const x = normal() + (i < (world.columns ?? 20) ? (world.shift ?? 0) : 0);
      if (uniform() < (i === 0 ? (world.nulls ?? 0) : 0)) return null;
      return i % 2 === 0 ? x : Math.max(0, Math.min(16, Math.round(8 + 4 * x)));
    });
    const at = uniform();
    const [a, b] = world.prediction ?? [0.5, 0.3];
    yield { inputs, prediction: CLASSES[at < a! ? 0 : at < a! + b! ? 1 : 2]! };
  }
}

function profileOf(seed: number, count = 800) {
  const header = [...Array.from({ length: 20 }, (_, i) => `x.${i}`), "prediction"].join(",");
  const lines = [...rows(seed, count)].map(({ inputs, prediction }) => [...inputs, prediction].join(","));
  return value(sketchTable(`${header}\n${lines.join("\n")}\n`));
}

function evidence(
  profile: ReturnType<typeof profileOf>,
  stream: Iterable<{ inputs: (number | null)[]; prediction: string }>,
) {
  const roles = rolesOf(profile, { input: "x", output: "y" });
  const inputs = roles.inputs.map((column) => ({ role: "input" as Role, observed: observe(column) }));
  const prediction = { role: "prediction" as Role, observed: observe(roles.prediction!, "categorical") };
  let count = 0;
  for (const row of stream) {
    count++;
    for (const [i, { observed }] of inputs.entries()) observed.add(row.inputs[i]!);
    prediction.observed.add(row.prediction);
  }
  return { rows: count, columns: compareColumns([...inputs, prediction]), performance: undefined };
}

describe("without drift", () => {
  it("hardly any column and no model drifts, over 100 windows of several sizes", () => {
    let columns = 0;
    let models = 0;
    const sizes = [100, 200, 400, 1000];
    const profiles = [1, 2, 3, 4, 5].map((seed) => profileOf(seed));
    for (let seed = 1; seed <= 100; seed++) {
      const found = evidence(profiles[seed % 5]!, rows(10_000 + seed, sizes[seed % 4]!));
      columns += found.columns.filter(({ drifted }) => drifted).length;
      if (decide(found, rules, false).state !== "healthy") models++;
    }
    expect(columns).toBeLessThanOrEqual(5); // 2,100 columns were looked at
    expect(models).toBeLessThanOrEqual(1);
  });
});

describe("with drift", () => {
  it.each([1, 2, 3, 4, 5])("a shift of half a deviation is found in 300 rows (seed %i)", (seed) => {
    const found = evidence(profileOf(seed), rows(500 + seed, 300, { shift: 0.6 }));
    const decision = decide(found, rules, false);
    expect(decision).toMatchObject({ state: "drifted", dataDrift: true, predictionDrift: false, conceptDrift: false });
    expect(decision.share).toBeGreaterThan(0.8);
    expect(decision.reasons[0]).toMatch(/^\d+ of 20 input columns/);
  });

  it("one column of twenty is evidence, and not enough for the model", () => {
    const found = evidence(profileOf(7), rows(507, 1000, { shift: 1, columns: 1 }));
    expect(found.columns.filter(({ drifted }) => drifted).map(({ column }) => column)).toEqual(["x.0"]);
    expect(decide(found, rules, false)).toMatchObject({ state: "healthy", share: 0.05 });
    expect(decide(found, { ...rules, driftShare: 0.05 }, false).state).toBe("drifted");
  });

  it("predictions alone are enough", () => {
    const found = evidence(profileOf(8), rows(508, 500, { prediction: [0.2, 0.2] }));
    expect(decide(found, rules, false)).toMatchObject({ state: "drifted", dataDrift: false, predictionDrift: true });
  });

  it("a difference that is certain and tiny is none", () => {
    const found = evidence(profileOf(9, 8000), rows(509, 8000, { shift: 0.12 }));
    expect(found.columns.some(({ q }) => q < 1e-6)).toBe(true);
    expect(decide(found, rules, false).state).toBe("healthy");
  });

  it("values that go missing are seen, and so is a column that is gone", () => {
    const found = evidence(profileOf(10), rows(510, 500, { nulls: 0.3 }));
    const [x] = found.columns;
    expect(x).toMatchObject({ column: "x.0", test: "nulls", drifted: true });
    expect(x!.nulls[1]).toBeCloseTo(0.3, 1);
    const gone = observe(profileOf(10).columns[2]!);
    for (let i = 0; i < 200; i++) gone.add(null);
    expect(compareColumns([{ role: "input", observed: gone }])[0]).toMatchObject({ drifted: true, test: "nulls" });
  });

  it("categories and ranges that training did not have are seen", () => {
    const profile = profileOf(11);
    const classes = observe(profile.columns.at(-1)!, "categorical");
    const range = observe(profile.columns[0]!);
    for (let i = 0; i < 400; i++) {
      classes.add(i % 5 === 0 ? "zebra" : CLASSES[i % 3]!);
      range.add(i % 10 === 0 ? 99 : Math.sin(i) * 1.5);
    }
    const [a, b] = compareColumns([
      { role: "prediction", observed: classes },
      { role: "input", observed: range },
    ]);
    expect(a).toMatchObject({ unseen: 0.2, drifted: true });
    expect(b!.unseen).toBeCloseTo(0.1, 6);
  });
});

describe("the decision", () => {
  const column = (drifted: boolean): ColumnDrift => ({
    column: "x",
    role: "input",
    test: "chi-square",
    statistic: 1,
    q: drifted ? 0 : 1,
    psi: drifted ? 1 : 0,
    nulls: [0, 0],
    unseen: 0,
    before: [1],
    now: [1],
    drifted,
  });
  const share = (n: number) => ({
    rows: 500,
    columns: Array.from({ length: 20 }, (_, i) => column(i < n)),
    performance: undefined,
  });

  it("takes less to stay than to become", () => {
    expect(decide(share(3), rules, false).state).toBe("healthy");
    expect(decide(share(3), rules, true).state).toBe("drifted");
    expect(decide(share(1), rules, true).state).toBe("healthy");
    expect(decide(share(4), rules, false).state).toBe("drifted");
    expect(decide(share(0), { ...rules, driftShare: 0 }, true).state).toBe("healthy");
  });

  it("says nothing with too few rows", () => {
    expect(decide({ ...share(20), rows: 99 }, rules, true)).toMatchObject({
      state: "unknown",
      reasons: ["99 of 100 rows needed for a decision"],
    });
  });

  it("sees accuracy and error get worse, not better, and not by chance", () => {
    const labelled = (right: number, of: number) =>
      Array.from({ length: of }, (_, i) => ({ prediction: "a", label: i < right ? "a" : "b" }));
    const accuracy = { accuracy: 0.95 };
    expect(judgePerformance(labelled(40, 49), "binary", accuracy)).toBeUndefined();
    expect(judgePerformance(labelled(90, 100), "binary", {})).toBeUndefined();
    expect(judgePerformance(labelled(85, 100), "binary", accuracy)).toMatchObject({ worse: true, now: 0.85 });
    expect(judgePerformance(labelled(93, 100), "binary", accuracy)).toMatchObject({ worse: false });
    expect(judgePerformance(labelled(100, 100), "multiclass", accuracy)).toMatchObject({ worse: false });
    expect(judgePerformance(labelled(9_400, 10_000), "binary", accuracy)).toMatchObject({ worse: false }); // certain, small
    const errors = (by: number) =>
      Array.from({ length: 60 }, (_, i) => ({ prediction: i, label: String(i + by + (i % 3) / 10) }));
    expect(judgePerformance(errors(2), "regression", { mae: 1 })).toMatchObject({ metric: "mae", worse: true });
    expect(judgePerformance(errors(0.5), "regression", { mae: 1 })).toMatchObject({ worse: false });
    const performance = judgePerformance(labelled(70, 100), "binary", accuracy);
    expect(decide({ ...share(0), performance }, rules, false)).toMatchObject({
      state: "drifted",
      conceptDrift: true,
      reasons: ["accuracy is 0.7000; it was 0.9500 at promotion"],
    });
  });
});

describe("the evidence", () => {
  it("keeps hostile names in their cell", () => {
    expect(code("a`b|c\n@everyone <!-- x --> \\")).toBe("`a·b·c·@everyone <!-- x --> ·`");
    expect(code("x".repeat(99))).toHaveLength(62);
    expect(code("\u202e")).toBe("`·`");
  });

  it("draws counts", () => {
    expect(sparkline([0, 1, 7])).toBe("▁▂█");
    expect(sparkline([0, 0])).toBe("▁▁");
    expect(sparkline(Array.from({ length: 66 }, () => 1))).toHaveLength(22);
  });

  it("lists what drifted, largest first, in a bounded table", () => {
    const found = evidence(profileOf(12), rows(512, 400, { shift: 1 }));
    const decision = decide(found, rules, false);
    const time = new Date("2026-03-01T12:00:00Z");
    const text = renderFinding({
      model: "m",
      version: 3,
      evidence: found,
      decision,
      from: time,
      to: time,
      minRows: 100,
    });
    expect(text).toContain("Version 3 of model `m`");
    expect(text).toContain("**inputs**: 20 of 20 input columns");
    const table = text.split("\n").filter((line) => line.startsWith("| `x."));
    expect(table).toHaveLength(20);
    const psi = table.map((line) => Number(line.split(" | ")[3]));
    expect(psi).toEqual(psi.toSorted((a, b) => b - a));
    const wide = Array.from({ length: 5000 }, () => found.columns[0]!);
    const long = renderFinding({
      model: "m",
      version: 3,
      evidence: { ...found, columns: wide },
      decision,
      from: null,
      to: null,
      minRows: 1,
    });
    expect(long.length).toBeLessThan(10_000);
    expect(long).toContain("and 4975 more columns");
  });
});
