import { expect, test } from "vitest";
import type { Performance } from "../../src/config/index.ts";
import { judgeGates } from "../../src/evaluate/index.ts";
import type { GateInput, GateResult, Reference } from "../../src/evaluate/index.ts";

const NONE: Reference = { kind: "none", why: "There is no production version yet." };
const PRODUCTION: Reference = { kind: "measured", predictions: null, numbers: {} };
const [THIS, THAT] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}` as Performance["digest"]);

const around = (value: number, by = 0.1): { value: number; low: number; high: number } => ({
  value,
  low: value * (1 - by),
  high: value * (1 + by),
});
const quantities = (ms: number): Performance["quantities"] => ({
  p50: around(ms),
  p95: around(ms * 2),
  p99: around(ms * 4),
  throughput: around(1000 / ms),
});
/** A candidate of `ms`, and of so much times production's. */
const measured = (ms: number, times?: number, digest = THIS): Performance => ({
  model: "toy",
  digest: digest!,
  quantities: quantities(ms),
  against: times === undefined ? null : { what: "production", digest: THAT!, quantities: quantities(ms / times) },
  ratios: times === undefined ? null : { ...quantities(times), p95: around(times), throughput: around(1 / times) },
  runs: 400,
});

function judge(gate: GateInput["gates"][number], input: Partial<GateInput> = {}): GateResult {
  const candidate = { predictions: null, numbers: {} };
  const [result] = judgeGates({ gates: [gate], candidate, base: NONE, production: PRODUCTION, files: {}, ...input });
  if (result === undefined) throw new Error("no result");
  return result;
}
const speed = (...all: Performance[]): Pick<GateInput, "speed"> => ({ speed: { kind: "measured", all } });

test("a latency is judged by its interval's bound", () => {
  const passed = judge({ latency: "p95", max: "20ms" }, speed(measured(5)));
  expect(passed).toMatchObject({
    passed: true,
    rule: "p95 latency at most 20ms",
    found: "10 ms (95 % interval 9 ms to 11 ms)",
  });
  expect(judge({ latency: "p95", max: "10.5ms" }, speed(measured(5)))).toMatchObject({
    passed: false,
    found: "10 ms (95 % interval 9 ms to 11 ms): more than 10.5ms is not ruled out",
  });
  expect(judge({ latency: "p50", max: "600us" }, speed(measured(0.5))).found).toBe(
    "500 us (95 % interval 450 us to 550 us)",
  );
  expect(judge({ latency: "p99", max: "1s" }, speed(measured(500)))).toMatchObject({
    passed: false,
    found: "2 s (95 % interval 1.8 s to 2.2 s): that is more than 1s",
  });
});

test("a ratio is against what was measured beside it, in the same minutes", () => {
  const gate = { latency: "p95", max_ratio: 1.2, against: "production" } as const;
  expect(judge(gate, speed(measured(5, 1.05)))).toMatchObject({
    passed: true,
    rule: "p95 latency at most 1.2 times that of production",
    found: "1.05 times (95 % interval 0.945 times to 1.16 times)",
  });
  expect(judge(gate, speed(measured(5, 1.15)))).toMatchObject({
    passed: false,
    found: "1.15 times (95 % interval 1.03 times to 1.26 times): more than 1.2 times is not ruled out",
  });
  expect(judge(gate, speed(measured(5, 1.5, THAT)))).toMatchObject({
    passed: true,
    found: "the same file as that of production",
  });
  // Measured beside nothing, or beside the base: it says nothing of production.
  expect(judge(gate, speed(measured(5)))).toMatchObject({
    passed: false,
    found: "it was not measured beside production",
  });
  expect(judge(gate, { ...speed(measured(5)), production: NONE })).toMatchObject({ passed: true, found: NONE.why });
  expect(
    judge(gate, { ...speed(measured(5, 1)), production: { kind: "missing", why: "gone" }, ...speed() }),
  ).toMatchObject({ passed: false, found: "gone" });
});

test("both bounds of one gate are judged and told", () => {
  const gate = { latency: "p95", max: "9ms", max_ratio: 1.2 } as const;
  expect(judge(gate, speed(measured(5, 1)))).toMatchObject({
    passed: false,
    rule: "p95 latency at most 9ms and at most 1.2 times that of production",
    found:
      "10 ms (95 % interval 9 ms to 11 ms): more than 9ms is not ruled out; 1 times (95 % interval 0.9 times to 1.1 times)",
  });
});

test("throughput is held from below", () => {
  const gate = (min: number): GateResult => judge({ throughput: { min } }, speed(measured(1)));
  expect(gate(900)).toMatchObject({ passed: true, rule: "throughput at least 900 rows a second" });
  expect(gate(901)).toMatchObject({
    passed: false,
    found: "1000 rows/s (95 % interval 900 rows/s to 1100 rows/s): less than 901 rows a second is not ruled out",
  });
  expect(judge({ throughput: { min_ratio: 0.8 } }, speed(measured(1, 1.1))).passed).toBe(true);
  expect(judge({ throughput: { min_ratio: 0.8 } }, speed(measured(1, 1.3))).passed).toBe(false);
});

test("what was not measured fails, where it had to be", () => {
  const gate = { latency: "p95", max: "20ms" } as const;
  expect(judge(gate).passed).toBe(false);
  expect(judge(gate, speed()).passed).toBe(false);
  expect(judge(gate, { speed: { kind: "missing", why: "it crashed" } })).toMatchObject({
    passed: false,
    found: "it crashed",
  });
  expect(judge(gate, { speed: { kind: "none", why: "not here" } })).toMatchObject({ passed: true, found: "not here" });
});

test("a check's result is the stage's; one that is not there fails and says which are", () => {
  const checks = [
    { name: "no missing labels", passed: true, found: "0 of 900 rows" },
    { name: "ages", passed: true, found: "" },
    { name: "ages", passed: false, found: "3 rows below 0" },
  ];
  expect(judge({ check: "no missing labels" }, { checks })).toMatchObject({
    passed: true,
    rule: "check no missing labels passes",
    found: "0 of 900 rows",
  });
  // Two stages use the name: it has to pass in both.
  expect(judge({ check: "ages" }, { checks })).toMatchObject({ passed: false, found: "3 rows below 0" });
  expect(judge({ check: "labels" }, { checks })).toMatchObject({
    passed: false,
    found: 'there is no check "labels"; there are no missing labels, ages',
  });
  expect(judge({ check: "labels" })).toMatchObject({
    passed: false,
    found: 'there is no check "labels"; no stage of the pipeline has `checks`',
  });
});

test("a card's fields have to be filled in", () => {
  const gate = { card: ["intended_use", "limitations"] };
  expect(judge(gate, { card: { intended_use: "x", limitations: "y" } })).toMatchObject({
    passed: true,
    rule: "card says intended_use, limitations",
  });
  expect(judge(gate, { card: { intended_use: "x", limitations: " \n" } })).toMatchObject({
    passed: false,
    found: "limitations is missing: card in model.yaml is where to say it",
  });
  expect(judge(gate)).toMatchObject({
    passed: false,
    found: "intended_use, limitations are missing: card in model.yaml is where to say it",
  });
});
