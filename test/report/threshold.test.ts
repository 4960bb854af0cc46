import { expect, test } from "vitest";
import type { RecordedOutput, StageRecord } from "../../src/config/index.ts";
import { measure } from "../../src/registry/candidate.ts";
import type { Model } from "../../src/registry/index.ts";
import { loadModels } from "../../src/registry/index.ts";
import { openRecords } from "../../src/records/index.ts";
import { predictionsOf } from "../../src/report/side.ts";
import { openStore } from "../../src/store/index.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { runRecord } from "./fixture.ts";

/** f1 on the validation rows is best from 0.4 on: 2 hits, and no other. */
const VALIDATION = "id,label,prediction,score\nv1,1,0,0.9\nv2,1,0,0.4\nv3,0,1,0.3\nv4,0,1,0.1\n";
const TEST = "id,label,prediction,score\nt1,1,0,0.45\nt2,0,1,0.35\nt3,0,1,0.39\n";

async function modelWith(threshold: string): Promise<readonly string[] | Model> {
  const text = `version: 1
pipeline: digits
files: {m.onnx: build/m.onnx}
evaluation:
  predictions: build/test.csv
  task: binary
  columns: {id: id, label: label, prediction: prediction, score: score}
  metrics: [f1]
  threshold: ${threshold}
`;
  const source = {
    list: async () => ({ ok: true, value: ["models/m/model.yaml"] }),
    read: async () => ({ ok: true, value: Buffer.from(text) }),
  } as unknown as Parameters<typeof loadModels>[0];
  const models = await loadModels(source);
  if (models.ok) return models.value[0]!;
  return models.failures.map((failure) =>
    failure.code === "file-invalid" ? `${failure.at.line}:${failure.at.column} ${failure.problem}` : failure.code,
  );
}

test("each side is judged at the threshold of its own validation predictions, and a version keeps it", async () => {
  using at = temporary();
  const context = contextIn(at.path, {});
  const store = value(openStore(context, `file:${at.path}/store`));
  const outs: RecordedOutput[] = [];
  for (const [path, text] of [
    ["build/test.csv", TEST],
    ["build/validation.csv", VALIDATION],
    ["build/m.onnx", "a model"],
  ] as const) {
    const bytes = Buffer.from(text);
    const digest = value(await store.put(bytes));
    outs.push({ path, digest, kind: "file", size: bytes.length } as RecordedOutput);
  }
  const run = runRecord();
  const side = { run, outputs: new Map(outs.map((out) => [out.path as string, out])), checks: [] };
  const model = (await modelWith("{maximize: f1, on: build/validation.csv}")) as Model;
  const { evaluation } = model.config.value;
  const read = value(await predictionsOf(side, evaluation, [store]));
  expect(read).toMatchObject({ threshold: 0.4, prediction: Uint8Array.of(1, 0, 0) });

  const stage = { key: run.stages[0]!.key, outs, profile: null, checks: [] } as unknown as StageRecord;
  const facts = { commit: "a".repeat(40), pullRequest: null, run: "" };
  const records = openRecords(context, { branch: "lockstep-records", remote: null });
  run.metrics = { "a.json": { loss: 1, epochs: 3 }, "b.json": { loss: 2 } } as typeof run.metrics;
  const made = { run, stages: [stage], store, records, seeds: [], cached: true };
  const measured = value(await measure(context, model, made, facts));
  expect(measured.candidate).toMatchObject({ threshold: 0.4, metrics: { f1: 1 } });

  // A number that two files have is kept under both their names, and a gate may name it so.
  expect(measured.candidate.metrics).toEqual({ f1: 1, epochs: 3, "a.json:loss": 1, "b.json:loss": 2 });
  expect(measured.numbers).toMatchObject({ epochs: 3, "a.json:epochs": 3, "b.json:loss": 2 });

  const without = { ...side, outputs: new Map([...side.outputs].filter(([path]) => path !== "build/validation.csv")) };
  const refused = await predictionsOf(without, evaluation, [store]);
  expect(refused.ok ? [] : refused.failures).toMatchObject([
    { problem: "no stage makes this file, on which the threshold is to be chosen" },
  ]);
});

test("a threshold that cannot be chosen is told where it is asked for", async () => {
  expect(await modelWith("{maximize: roc_auc, on: v.csv}")).toEqual(['9:25 no threshold can be chosen by "roc_auc"']);
  expect(await modelWith("{maximize: log_loss, on: v.csv}")).toEqual(['9:25 no threshold can be chosen by "log_loss"']);
  expect(await modelWith("2")).toMatchObject([expect.stringContaining("9:14")]);
});
