import { expect, test } from "vitest";
import { compareModels, mcnemar } from "../../src/evaluate/index.ts";
import { metricOf } from "../../src/metrics/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { BINARY, binary, MULTICLASS, NO_COLUMNS, noise, predictions, REGRESSION } from "../metrics/helpers.ts";

const METRICS = ["accuracy", "roc_auc", "log_loss"];

/** Labels of `size` examples, a third of them positive, and a model whose scores are `shift` off around them. */
function model(size: number, seed: number, quality: number): Predictions {
  const random = noise(seed);
  return binary(
    Array.from({ length: size }, (_, row) => (row % 3 === 0 ? 1 : 0)),
    (_, label) => quality * label + (1 - quality) * random(),
  );
}

test("a better model is better, the reverse is worse, and the differences are mirror images", () => {
  const [weak, strong] = [model(600, 1, 0.2), model(600, 2, 0.5)];
  const better = compareModels({ base: weak, head: strong, metrics: METRICS });
  const worse = compareModels({ base: strong, head: weak, metrics: METRICS });
  expect(better.verdict).toBe("better");
  expect(worse.verdict).toBe("worse");
  expect(better.pairing).toEqual({ kind: "same", examples: 600 });
  for (const [index, metric] of better.metrics.entries()) {
    expect(metric.verdict).toBe("better");
    expect(metric.difference).toBe(-(worse.metrics[index]?.difference ?? 0));
    expect(metric.base).toBeCloseTo(metricOf(weak, metric.name) ?? -1, 12);
    expect(metric.interval?.[0]).toBeLessThan(metric.difference ?? 0);
    expect(metric.interval?.[1]).toBeGreaterThan(metric.difference ?? 0);
  }
});

test("the same input gives the same numbers; another file gives others", () => {
  const options = { base: model(300, 1, 0.3), head: model(300, 2, 0.35), metrics: METRICS, resamples: 300 };
  const first = compareModels(options);
  expect(compareModels(options)).toEqual(first);
  const other = compareModels({ ...options, head: { ...options.head, digest: options.base.digest } });
  expect(other.metrics[2]?.interval).not.toEqual(first.metrics[2]?.interval);
  expect(other.metrics[2]?.difference).toEqual(first.metrics[2]?.difference);
});

test("accuracy is judged by the exact test of the examples that flipped", async () => {
  const base = await predictions("id,label,prediction,score\na,1,1,.9\nb,1,0,.2\nc,0,1,.7\nd,0,0,.1\n", BINARY);
  const head = await predictions("id,label,prediction,score\nd,0,1,.6\nc,0,0,.3\nb,1,1,.8\na,1,1,.9\n", BINARY);
  const { metrics, flips } = compareModels({ base, head, metrics: ["accuracy"] });
  expect(flips?.fixed).toEqual({
    count: 2,
    examples: [
      { id: "b", label: "1", base: "0", head: "1" },
      { id: "c", label: "0", base: "1", head: "0" },
    ],
  });
  expect(flips?.broken).toEqual({ count: 1, examples: [{ id: "d", label: "0", base: "0", head: "1" }] });
  expect(metrics[0]).toMatchObject({ test: "mcnemar", p: mcnemar(2, 1), verdict: "no-evidence" });
});

test("the paired interval of a mean is that of the textbook", () => {
  const random = noise(5);
  const labels = Array.from({ length: 2000 }, () => 10 * random());
  const make = (error: () => number, digest: string): Predictions => ({
    task: "regression",
    digest: digest as Predictions["digest"],
    ...NO_COLUMNS,
    ids: labels.map((_, row) => `${row}`),
    label: Float64Array.from(labels),
    prediction: Float64Array.from(labels, (label) => label + error()),
  });
  const [base, head] = [make(() => 3 * random(), "sha256:a"), make(() => 2 * random(), "sha256:b")];
  const error = (side: Predictions, row: number): number =>
    side.task === "regression" ? Math.abs((side.prediction[row] ?? 0) - (side.label[row] ?? 0)) : 0;
  const differences = labels.map((_, row) => error(head, row) - error(base, row));
  const mean = differences.reduce((sum, one) => sum + one, 0) / differences.length;
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (differences.length - 1);
  const half = 1.96 * Math.sqrt(variance / differences.length);
  const [metric] = compareModels({ base, head, metrics: ["mae"] }).metrics;
  expect(metric?.difference).toBeCloseTo(mean, 12);
  expect(metric?.interval?.[0]).toBeCloseTo(mean - half, 2);
  expect(metric?.interval?.[1]).toBeCloseTo(mean + half, 2);
});

test("no difference at all is equivalent, with or without a margin", () => {
  const base = model(200, 3, 0.4);
  const same = compareModels({
    base,
    head: { ...base, digest: "sha256:other" as Predictions["digest"] },
    metrics: METRICS,
  });
  expect(same).toMatchObject({ identical: true, verdict: "equivalent" });
  expect(same.metrics.map(({ verdict, interval }) => [verdict, interval])).toEqual(
    METRICS.map(() => ["equivalent", [0, 0]]),
  );
});

test("a small difference is equivalent only inside a margin", () => {
  const base = model(3000, 3, 0.6);
  const head = binary(
    Array.from(base.task === "binary" ? base.label : []),
    (row) => (base.task === "binary" ? (base.score?.[row] ?? 0) : 0) + (row % 2 === 0 ? 1e-4 : -1e-4),
  );
  expect(compareModels({ base, head, metrics: ["brier"] }).verdict).toBe("no-evidence");
  expect(compareModels({ base, head, metrics: ["brier"], margins: { brier: 0.01 } }).verdict).toBe("equivalent");
  expect(compareModels({ base, head, metrics: ["brier"], margins: { brier: 1e-9 } }).verdict).toBe("no-evidence");
});

test("where metrics move both ways the first listed decides", () => {
  const labels = Array.from({ length: 900 }, (_, row) => (row % 2 === 0 ? 1 : 0));
  const calibrated = binary(labels, (row, label) => Math.abs(label - (row % 5 === 1 ? 0.55 : 0.2)));
  const sharp = binary(labels, (row, label) => (row % 30 === 0 ? 1 - label : label)); // more accurate, but certain when wrong
  const both = compareModels({ base: calibrated, head: sharp, metrics: ["accuracy", "log_loss"] });
  expect(both.metrics.map(({ verdict }) => verdict)).toEqual(["better", "worse"]);
  expect(both.verdict).toBe("better");
  expect(compareModels({ base: calibrated, head: sharp, metrics: ["log_loss", "accuracy"] }).verdict).toBe("worse");
});

test("the balance of two different test sets is chance too, and belongs to the interval", () => {
  // Who always says yes has the share of positives as its precision.
  const yes = (size: number, positives: number, from: string): Predictions => {
    const side = binary(
      Array.from({ length: size }, (_, row) => (row < positives ? 1 : 0)),
      () => 1,
    );
    return { ...side, ids: Array.from({ length: size }, (_, row) => `${from} ${row}`) };
  };
  const [base, head] = [yes(200, 80, "a"), yes(300, 150, "b")];
  const [precision] = compareModels({ base, head, metrics: ["precision"] }).metrics;
  const half = 1.96 * Math.sqrt((0.4 * 0.6) / 200 + (0.5 * 0.5) / 300);
  expect(precision?.difference).toBeCloseTo(0.1, 12);
  const [low, high] = precision?.interval ?? [];
  expect(Math.abs((low ?? 0) - (0.1 - half))).toBeLessThan(0.1 * half);
  expect(Math.abs((high ?? 0) - (0.1 + half))).toBeLessThan(0.1 * half);
});

test("different test sets are compared on what they share, and said so", async () => {
  const rows = (from: number, to: number, right: (row: number) => boolean, label = 1): string =>
    Array.from(
      { length: to - from },
      (_, index) => `e${from + index},${label},${right(from + index) ? label : 1 - label},.5`,
    ).join("\n");
  const head = "id,label,prediction,score\n";
  const base = await predictions(`${head}${rows(0, 100, (row) => row % 2 === 0)}\n`, BINARY);
  const wider = await predictions(`${head}${rows(50, 200, () => true)}\n`, BINARY);
  const common = compareModels({ base, head: wider, metrics: ["accuracy"] });
  expect(common.pairing).toEqual({ kind: "common", examples: 50, base: 100, head: 150, relabelled: 0 });
  expect(common).toMatchObject({ verdict: "better", metrics: [{ base: 0.5, head: 1 }] });

  const relabelled = await predictions(`${head}${rows(0, 50, () => true)}\n${rows(50, 100, () => true, 0)}\n`, BINARY);
  expect(compareModels({ base, head: relabelled, metrics: ["accuracy"] }).pairing).toMatchObject({
    kind: "common",
    examples: 50,
    relabelled: 50,
  });

  const apart = await predictions(`${head}${rows(90, 300, () => true)}\n`, BINARY);
  const unpaired = compareModels({ base, head: apart, metrics: ["accuracy"] });
  expect(unpaired.pairing).toEqual({ kind: "unpaired", base: 100, head: 210, common: 10, relabelled: 0 });
  expect(unpaired).toMatchObject({ verdict: null, flips: null, metrics: [{ verdict: null, difference: 0.5 }] });
  expect(unpaired.metrics[0]?.interval?.[0]).toBeGreaterThan(0.3);
});

test("classes that only one side knows are paired by name", async () => {
  const columns = { id: "id", label: "label", prediction: "prediction" };
  const evaluation = { ...MULTICLASS, columns };
  const rows = (guess: (row: number) => string): string =>
    Array.from({ length: 40 }, (_, row) => `${row},${row % 2 === 0 ? "b" : "d"},${guess(row)}`).join("\n");
  const base = await predictions(`id,label,prediction\n${rows((row) => (row % 2 === 0 ? "b" : "a"))}`, evaluation);
  const head = await predictions(`id,label,prediction\n${rows((row) => (row % 2 === 0 ? "b" : "d"))}`, evaluation);
  const result = compareModels({ base, head, metrics: ["accuracy", "recall.d", "precision.a"] });
  expect(result.pairing.kind).toBe("same");
  expect(result.flips?.fixed.count).toBe(20);
  expect(result.metrics[1]).toMatchObject({ base: 0, head: 1, verdict: "better" });
  expect(result.metrics[2]).toMatchObject({ base: 0, head: null, difference: null, verdict: null });
});

test("a task that changed cannot be paired", async () => {
  const base = await predictions("id,label,prediction\n1,0,1\n", REGRESSION);
  const head = await predictions("id,label,prediction,score\n1,0,1,.5\n", BINARY);
  expect(compareModels({ base, head, metrics: ["accuracy"] })).toMatchObject({
    pairing: { kind: "unpaired", common: 0 },
    verdict: null,
  });
});

test("with no effect, few changes are called better or worse, and intervals cover zero", { timeout: 60_000 }, () => {
  // Each simulated change retrains: half of the scores are drawn anew from the same distribution.
  const [changes, size] = [300, 300];
  let called = 0;
  let covered = 0;
  for (let change = 0; change < changes; change++) {
    const random = noise(1000 + change);
    const labels = Array.from({ length: size }, () => (random() < 0.4 ? 1 : 0));
    const score = (label: number): number => 0.05 + 0.9 * (0.35 * label + 0.65 * random());
    const shared = labels.map(score);
    const side = (): Predictions =>
      binary(labels, (row, label) => (random() < 0.5 ? (shared[row] ?? 0) : score(label)));
    const { verdict, metrics } = compareModels({ base: side(), head: side(), metrics: METRICS, resamples: 300 });
    if (verdict === "better" || verdict === "worse") called++;
    for (const { interval } of metrics) if (interval !== null && interval[0] <= 0 && interval[1] >= 0) covered++;
  }
  // 5 % of 300 and three standard deviations of a binomial count: 15 + 3 * 3.8.
  expect(called).toBeLessThanOrEqual(26);
  const share = covered / (changes * METRICS.length);
  expect(share).toBeGreaterThan(0.93);
  expect(share).toBeLessThan(0.97);
});

test("an effect is found about as often as theory says", { timeout: 60_000 }, () => {
  // mae of 200 examples: differences of standard deviation 1 and mean 0.2, so z has mean 0.2 * sqrt(200) = 2.83 and
  // a two-sided test at 5 % finds it with probability 0.807.
  const changes = 300;
  let found = 0;
  for (let change = 0; change < changes; change++) {
    const random = noise(50_000 + change);
    const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const differences = Array.from({ length: 200 }, () => 0.2 + gauss());
    const make = (errors: readonly number[], digest: string): Predictions => ({
      task: "regression",
      digest: `${digest}${change}` as Predictions["digest"],
      ...NO_COLUMNS,
      ids: errors.map((_, row) => `${row}`),
      label: new Float64Array(errors.length),
      prediction: Float64Array.from(errors),
    });
    const base = make(
      differences.map((one) => 10 + one),
      "base",
    );
    const head = make(
      differences.map(() => 10),
      "head",
    );
    if (compareModels({ base, head, metrics: ["mae"], resamples: 400 }).verdict === "better") found++;
  }
  expect(found / changes).toBeGreaterThan(0.807 - 0.07);
  expect(found / changes).toBeLessThan(0.807 + 0.07);
});
