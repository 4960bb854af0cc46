import { expect, test } from "vitest";
import { judgeGates, parseSize } from "../../src/evaluate/index.ts";
import type { GateInput, GateResult, Reference } from "../../src/evaluate/index.ts";
import { flatNumbers } from "../../src/metrics/index.ts";
import { binary } from "../metrics/helpers.ts";

const LABELS = Array.from({ length: 400 }, (_, row) => row % 2);
/** Wrong on the first `wrong` examples. */
const model = (wrong: number): ReturnType<typeof binary> =>
  binary(LABELS, (row, label) => (row < wrong ? 1 - label : label) * 0.6 + 0.2);

const NONE: Reference = { kind: "none", why: "There is no production version yet." };
const measured = (wrong: number, numbers: Record<string, number> = {}): Reference => ({
  kind: "measured",
  predictions: model(wrong),
  numbers,
});

function judge(gate: GateInput["gates"][number], input: Partial<GateInput> = {}): GateResult {
  const [result] = judgeGates({
    gates: [gate],
    candidate: { predictions: model(20), numbers: { latency_ms: 12, depth: 3 } },
    base: measured(20),
    production: NONE,
    files: { "model.onnx": 2_500_000 },
    ...input,
  });
  if (result === undefined) throw new Error("no result");
  return result;
}

test("min and max hold the value itself", () => {
  expect(judge({ metric: "accuracy", min: 0.95 })).toMatchObject({
    passed: true,
    rule: "accuracy at least 0.95",
    found: "0.95",
  });
  expect(judge({ metric: "accuracy", min: 0.951 })).toMatchObject({ passed: false, found: "0.95, 0.001 too low" });
  expect(judge({ metric: "latency_ms", max: 12 })).toMatchObject({ passed: true, rule: "latency_ms at most 12" });
  expect(judge({ metric: "latency_ms", max: 11.9, min: 1 })).toMatchObject({
    passed: false,
    rule: "latency_ms at least 1 and at most 11.9",
  });
});

test("a gate on a metric that is not there fails and says so", () => {
  expect(judge({ metric: "auroc", min: 0.1 })).toMatchObject({
    passed: false,
    found: 'there is no metric "auroc", neither computed from predictions nor in a metrics file',
  });
  expect(judge({ metric: "auroc", max_regression: 1 }).passed).toBe(false);
  const numbers = flatNumbers({ "m-2.json": { loss: 2 }, "m-1.json": { loss: 1, epochs: 3 } });
  const candidate = { predictions: null, numbers };
  expect(judge({ metric: "loss", max: 5 }, { candidate })).toMatchObject({
    passed: false,
    found: '2 metrics files have "loss": name one, as in m-1.json:loss',
  });
  expect(judge({ metric: "m-2.json:loss", max: 5 }, { candidate })).toMatchObject({ passed: true, found: "2" });
  expect(judge({ metric: "epochs", max: 5 }, { candidate })).toMatchObject({ passed: true, found: "3" });
  const unscored = { ...model(20), score: null } as GateInput["candidate"]["predictions"];
  expect(judge({ metric: "roc_auc", min: 0.1 }, { candidate: { predictions: unscored, numbers: {} } })).toMatchObject({
    passed: false,
    found: "roc_auc could not be computed from the predictions",
  });
});

test("a regression is judged by the interval's bound, not by the point", () => {
  const base = measured(20);
  const candidate = { predictions: model(24), numbers: {} };
  const gate = (max_regression: number): GateResult =>
    judge({ metric: "accuracy", max_regression }, { base, candidate });
  expect(gate(0.05)).toMatchObject({ passed: true, rule: "accuracy at most 0.05 worse than base" });
  // The point is a loss of exactly 0.01; a loss of 0.02 is not ruled out by 400 examples.
  const refused = gate(0.012);
  expect(refused.passed).toBe(false);
  expect(refused.found).toMatch(
    /^−0\.01, 95 % interval −0\.0\d+ to −?0(\.\d+)?: a loss of up to 0\.0[12]\d* is not ruled out; more test examples narrow the interval$/,
  );
});

test("an unchanged model passes a gate that allows no regression, and an improvement is never one", () => {
  expect(judge({ metric: "log_loss", max_regression: 0 }).passed).toBe(true);
  expect(
    judge({ metric: "log_loss", max_regression: 0 }, { candidate: { predictions: model(0), numbers: {} } }).passed,
  ).toBe(true);
  expect(
    judge({ metric: "log_loss", max_regression: 0 }, { candidate: { predictions: model(60), numbers: {} } }).passed,
  ).toBe(false);
});

test("a first version passes what is held against production; what could not be read fails", () => {
  const gate = { metric: "accuracy", max_regression: 0, against: "production" } as const;
  expect(judge(gate)).toMatchObject({ passed: true, found: "There is no production version yet." });
  expect(judge(gate, { production: { kind: "missing", why: "gone" } })).toMatchObject({ passed: false, found: "gone" });
  expect(judge(gate, { production: measured(2) }).passed).toBe(false);
});

test("numbers without examples are judged by the point, in the direction their name tells", () => {
  const base = measured(20, { latency_ms: 10, depth: 3 });
  expect(judge({ metric: "latency_ms", max_regression: 2 }, { base })).toMatchObject({
    passed: true,
    found: "+2 (numbers only: its noise is not known)",
  });
  expect(judge({ metric: "latency_ms", max_regression: 1.9 }, { base }).passed).toBe(false);
  expect(judge({ metric: "depth", max_regression: 9 }, { base })).toMatchObject({
    passed: false,
    found: 'it is not known whether a higher "depth" is better',
  });
  const evaluation = { task: "binary", directions: { depth: "lower" } } as const;
  const shallow = measured(20, { depth: 2 });
  expect(judge({ metric: "depth", max_regression: 0.5 }, { base: shallow, evaluation })).toMatchObject({
    passed: false,
    found: "+1 (numbers only: its noise is not known)",
  });
  expect(judge({ metric: "latency_ms", max_regression: 9 })).toMatchObject({
    passed: false,
    found: 'base has no metric "latency_ms"',
  });
});

test("sizes are bytes with a unit", () => {
  expect(["5B", "2kB", "2 KiB", "1.5MB", "1GiB"].map(parseSize)).toEqual([5, 2000, 2048, 1_500_000, 2 ** 30]);
  expect(judge({ file: "model.onnx", max_size: "2.5MB" })).toMatchObject({ passed: true, found: "2.5 MB" });
  expect(judge({ file: "model.onnx", max_size: "2.4MB" }).passed).toBe(false);
  expect(judge({ file: "labels.txt", max_size: "1GB" })).toMatchObject({
    passed: false,
    found: 'the model has no file "labels.txt"',
  });
});

test("what is written once for each seed is judged by its mean, and a regression by the interval over the seeds", () => {
  const of = (...values: number[]): Record<string, number> =>
    flatNumbers(Object.fromEntries(values.map((f1, seed) => [`m-${seed}.json`, { f1 }])));
  const paths = new Map(["0", "1", "2", "3"].map((seed) => [seed, `m-${seed}.json`]));
  const seeds = [{ file: "m-*.json", paths }];
  const candidate = { predictions: null, numbers: of(0.8, 0.82, 0.84, 0.82) };
  const against = (...values: number[]): Partial<GateInput> => {
    return { candidate, seeds, base: { kind: "measured", predictions: null, numbers: of(...values) } };
  };
  const mean = judge({ metric: "f1", min: 0.81 }, { candidate, seeds });
  expect(mean).toMatchObject({ passed: true, found: "0.82, mean over 4 seeds" });
  expect(judge({ metric: "m-*.json:f1", min: 0.83 }, { candidate, seeds })).toMatchObject({
    passed: false,
    found: "0.82, mean over 4 seeds, 0.01 too low",
  });
  // Paired by seed each is 0.01 worse, give or take; the values alone are spread wider than that.
  const near = against(0.81, 0.831, 0.849, 0.83);
  expect(judge({ metric: "f1", max_regression: 0.012 }, near)).toMatchObject({ passed: true });
  expect(judge({ metric: "f1", max_regression: 0.005 }, near)).toMatchObject({
    passed: false,
    found: expect.stringMatching(/^−0\.01, 95 % interval .*, mean over 4 seeds \(rough: 4 seeds\): the loss is larger/),
  });
  expect(judge({ metric: "f1", max_regression: 0.0105 }, near)).toMatchObject({
    passed: false,
    found: expect.stringMatching(/is not ruled out; more seeds narrow the interval$/),
  });
  // One seed on the other side says nothing about noise, so the difference itself is judged.
  expect(judge({ metric: "f1", max_regression: 0.01 }, against(0.825))).toMatchObject({
    passed: true,
    found: "−0.005 (numbers only: its noise is not known)",
  });
  // Another file has the name too: which is meant has to be said.
  const unclear = { predictions: null, numbers: { ...candidate.numbers, "other.json:f1": 1 } };
  expect(judge({ metric: "f1", min: 0 }, { candidate: unclear, seeds }).found).toMatch(/^5 metrics files have "f1"/);
});
