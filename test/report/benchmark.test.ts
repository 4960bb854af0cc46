import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { performanceSchema, resultSchema } from "../../src/config/index.ts";
import type { Performance, ResultDocument } from "../../src/config/index.ts";
import { ok } from "../../src/core/index.ts";
import { experiment } from "../../src/pipeline/index.ts";
import { benchmarkModel, measureModels } from "../../src/report/index.ts";
import { filesOf, sideOf, sizesOf } from "../../src/report/side.ts";
import { NOT_MEASURED, speedOf } from "../../src/report/speed.ts";
import { digestOf, localCache } from "../../src/store/index.ts";
import { contextIn, repository, sh, temporary, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { softmaxNetwork } from "../serve/onnx.ts";

const weights = (scale: number): number[][] => Array.from({ length: 8 }, (_, row) => [row * scale, 1, -row]);
const network = (scale: number): Buffer => softmaxNetwork("x", weights(scale));
const text = (scale: number): string => network(scale).toString("base64");
const model = (gates: string): string => `version: 1
pipeline: toy
files: {model.onnx: build/model/model.onnx}
evaluation:
  predictions: build/predictions.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction}
  metrics: [accuracy]
gates: [${gates}]
`;
const FILES = {
  ".gitignore": ".lockstep/\nbuild/\n",
  "src/network.txt": text(1),
  "pipelines/toy.yaml": `stages:
  train:
    cmd: mkdir -p build/model && node -e 'require("fs").writeFileSync("build/model/model.onnx",Buffer.from(require("fs").readFileSync("src/network.txt","utf8"),"base64"))'
    deps: [src/network.txt]
    outs: [build/model]
`,
  "models/toy/model.yaml": model("{latency: p95, max_ratio: 2, against: base}, {throughput: {min: 1}}"),
};

const folder = temporary();
let documents: [ResultDocument, ResultDocument];
let context: ReturnType<typeof contextIn>;

/** Twice: on main, where nothing can be compared with, then with another network. */
beforeAll(async () => {
  const path = repository(join(folder.path, "toy"), FILES);
  context = contextIn(path, {
    LOCKSTEP_STORE: `file://${join(folder.path, "store")}`,
    LOCKSTEP_BENCHMARK_SECONDS: "0.2",
  });
  const first = value(await experiment(context)).document;
  write(path, { "src/network.txt": text(2), "models/toy/model.yaml": model("{latency: p50, max: 1s}") });
  sh(path, "commit", "--quiet", "--all", "--message=other");
  documents = [first, value(await experiment(context)).document];
}, 60_000);
afterAll(() => folder[Symbol.dispose]());

test("after an experiment each model whose gates ask is measured, by the gates before the change too", async () => {
  const [, document] = documents;
  const entries = await measureModels(context, document);
  expect(resultSchema.parse({ ...document, performance: entries }).performance).toEqual(entries);
  // No trusted record of the base: the ratio that the old gate asks for cannot be had, the rest can.
  expect(entries).toMatchObject([{ model: "toy", against: null, ratios: null }]);
  const digest = digestOf(network(2));
  const speed = speedOf("toy", entries, { head: digest, base: undefined, production: undefined });
  expect(speed).toMatchObject({ kind: "measured", all: [{ digest }] });
}, 60_000);

test("a file in a folder that is an output has its size", async () => {
  const [{ runs, stages }] = documents;
  const side = value(await sideOf(runs[0]!, async () => ok(stages[0])));
  const files = { "model.onnx": "build/model/model.onnx", "other.onnx": "build/model/other.onnx" } as never;
  const sizes = sizesOf(value(await filesOf(side, files, [localCache(context)])));
  expect(sizes).toEqual({ "model.onnx": network(1).byteLength, "other.onnx": null });
});

test("the command measures what the working tree has made; a version that is not there is told", async () => {
  const alone = value(await benchmarkModel(context, { model: "toy", against: null, budgetMs: 100 }));
  expect(performanceSchema.parse(alone)).toEqual(alone);
  expect(alone.digest).toBe(digestOf(network(2)));
  const none = await benchmarkModel(context, { model: "toy", against: "production", budgetMs: 100 });
  expect(none).toMatchObject({ ok: false, failures: [{ code: "unknown-name", name: "production" }] });
}, 60_000);

test("a model that cannot be measured is told with the reason, and fails its gate", async () => {
  const [document] = documents;
  const broken = structuredClone(document);
  broken.stages[0]!.outs[0]!.digest = `sha256:${"0".repeat(64)}` as Performance["digest"];
  const entries = await measureModels(context, broken);
  expect(entries).toMatchObject([{ model: "toy", problem: expect.stringContaining("sha256:000") }]);
  expect(speedOf("toy", entries, { head: undefined, base: undefined, production: undefined }).kind).toBe("missing");
}, 60_000);

test("a measurement counts for the files that are judged, and for no others", () => {
  const [a, b, c] = ["a", "b", "c"].map((digit) => `sha256:${digit.repeat(64)}` as Performance["digest"]);
  const one = { value: 1, low: 1, high: 1 };
  const quantities = { p50: one, p95: one, p99: one, throughput: one };
  const entry = (head: typeof a, production: typeof a): Performance => ({
    model: "toy",
    digest: head!,
    quantities,
    against: { what: "production", digest: production!, quantities },
    ratios: quantities,
    runs: 10,
  });
  const networks = { head: a, base: undefined, production: b };
  expect(speedOf("toy", [entry(a, b)], networks).kind).toBe("measured");
  for (const other of [entry(c, b), entry(a, c)])
    expect(speedOf("toy", [other], networks)).toEqual({
      kind: "missing",
      why: "The experiment measured other files than these.",
    });
  expect(speedOf("other", [entry(a, b)], networks)).toMatchObject({ why: "The experiment did not measure it." });
  expect(NOT_MEASURED.kind).toBe("none");
});
