import { buildReport } from "../../src/report/index.ts";
import type { ReportInput } from "../../src/report/index.ts";
import type { RunRecord } from "../../src/config/index.ts";
import type { Evaluation, Predictions } from "../../src/evaluate/index.ts";
import { BINARY, binary } from "../evaluate/helpers.ts";

const LABELS = Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? 1 : 0));

/** Wrong on the first `wrong` examples; ids start with `id`. */
export function side(wrong: number, id = "e"): Predictions {
  const made = binary(LABELS, (row, label) => (row < wrong ? 1 - label : label) * 0.7 + 0.1 + (row % 7) / 100);
  return { ...made, ids: Array.from(made.label, (_, row) => `${id}${made.ids.at(row)}`) };
}

export function runRecord(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    recordVersion: 1,
    pipeline: "digits",
    commit: "a".repeat(40),
    startedAt: "2026-01-02T03:04:05.000Z",
    ms: 64_000,
    ok: true,
    stages: [
      { stage: "prepare", key: null, status: "cached", ms: 0, reason: "nothing it depends on changed", needs: [] },
      {
        stage: "train",
        key: null,
        status: "run",
        ms: 62_300,
        reason: "params.yaml: train.epochs 20 -> 25",
        needs: ["prepare"],
      },
      {
        stage: "evaluate",
        key: null,
        status: "run",
        ms: 1_650,
        reason: "build/model.onnx changed",
        needs: ["prepare", "train"],
      },
    ],
    params: { "params.yaml": { train: { epochs: 25, rate: 0.001 } } },
    metrics: { "build/metrics.json": { "test.loss": 0.08 } } as RunRecord["metrics"],
    data: { digits: `sha256:${"1".repeat(64)}` as RunRecord["data"][string] },
    provenance: null,
    ...changes,
  };
}

export function input(changes: { evaluation?: Evaluation; id?: string } & Partial<ReportInput> = {}): ReportInput {
  const { evaluation = { ...BINARY, metrics: ["accuracy", "roc_auc", "log_loss"] }, id = "e", ...rest } = changes;
  const base = { kind: "measured", predictions: side(30, id), numbers: {} } as const;
  return {
    head: { label: "more-epochs", commit: "b".repeat(40) },
    base: { label: "main", commit: "c".repeat(40) },
    pullRequest: 7,
    runUrl: "https://github.test/acme/digits/actions/runs/1",
    pipelines: [
      {
        head: runRecord(),
        base: runRecord({ params: { "params.yaml": { train: { epochs: 20, rate: 0.001 } } } }),
        notes: [],
      },
    ],
    models: [
      {
        name: "digits",
        pipeline: "digits",
        evaluation,
        gates: [
          { metric: "accuracy", min: 0.9 },
          { metric: "accuracy", max_regression: 0.01 },
          { file: "model.onnx", max_size: "1MB" },
        ],
        gatesFrom: "base",
        head: { predictions: side(12, id), numbers: {} },
        base,
        production: base,
        productionVersion: 3,
        files: { "model.onnx": 412_000 },
        notes: [],
      },
    ],
    failures: [],
    notes: [],
    resamples: 200,
    ...rest,
  };
}

export const report = (changes: Parameters<typeof input>[0] = {}): ReturnType<typeof buildReport> =>
  buildReport(input(changes));
