import { expect, test } from "vitest";
import { performanceSchema } from "../../src/config/index.ts";
import { measureSpeed } from "../../src/performance/index.ts";
import { digestOf } from "../../src/store/index.ts";
import { contextIn } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { identityNetwork, softmaxNetwork } from "../serve/onnx.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const network = (onnx: Buffer): { digest: ReturnType<typeof digestOf>; onnx: Buffer } => ({
  digest: digestOf(onnx),
  onnx,
});
const WEIGHTS = Array.from({ length: 16 }, (_, row) => Array.from({ length: 4 }, (__, column) => row - column));
const SOFTMAX = network(softmaxNetwork("x", WEIGHTS));

test("a network is measured beside another one, in a process of its own", async () => {
  const reference = { ...network(softmaxNetwork("y", WEIGHTS)), what: "production" as const };
  const options = { model: "toy", candidate: SOFTMAX, reference, budgetMs: 200 };
  const measured = value(await measureSpeed(contextIn(ROOT), options));
  expect(performanceSchema.parse(measured)).toEqual(measured);
  expect(measured).toMatchObject({ model: "toy", digest: SOFTMAX.digest, against: { digest: reference.digest } });
  for (const estimate of [...Object.values(measured.quantities), ...Object.values(measured.ratios ?? {})]) {
    expect(estimate.low).toBeGreaterThan(0);
    expect(estimate.low).toBeLessThanOrEqual(estimate.value);
    expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
  }
  expect(measured.quantities.p99.value).toBeGreaterThanOrEqual(measured.quantities.p50.value);
  expect(measured.runs).toBeGreaterThanOrEqual(10);
}, 60_000);

test("the same bytes are as fast as themselves; requests of other types can be made up", async () => {
  const strings = network(identityNetwork(8));
  const options = { model: "toy", candidate: strings, reference: { ...strings, what: "base" as const }, budgetMs: 100 };
  const { ratios } = value(await measureSpeed(contextIn(ROOT), options));
  expect(ratios?.p95).toEqual({ value: 1, low: 1, high: 1 });
}, 60_000);

test("what is no network is told, not thrown", async () => {
  const candidate = network(Buffer.from("not a network"));
  const measured = await measureSpeed(contextIn(ROOT), { model: "toy", candidate, budgetMs: 100 });
  expect(measured).toMatchObject({
    ok: false,
    failures: [{ code: "external", what: 'the speed of model "toy"', problem: expect.stringMatching(/^ONNX Runtime/) }],
  });
}, 60_000);
