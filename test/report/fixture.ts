import { buildReport } from "../../src/report/index.ts";
import type { Report, ReportInput } from "../../src/report/index.ts";
import type { LinesPlot, PlotReport } from "../../src/report/plots/schema.ts";
import type { RunRecord } from "../../src/config/index.ts";
import type { Evaluation, Predictions } from "../../src/metrics/index.ts";
import { BINARY, binary } from "../metrics/helpers.ts";

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

const line = (side: "base" | "head", name: string, of: (x: number) => number): LinesPlot["series"][number] => ({
  side,
  name,
  points: Array.from({ length: 25 }, (_, x) => [x + 1, of(x + 1)]),
  total: 25,
});
const frame = (id: string, x: string, y: string): Pick<LinesPlot, "id" | "title" | "x" | "y" | "note"> => ({
  id,
  title: id,
  x,
  y,
  note: null,
});

/** One plot of every kind. */
export const PLOTS: readonly PlotReport[] = [
  {
    kind: "lines",
    ...frame("build/history.csv", "epoch", "loss"),
    template: "linear",
    diagonal: false,
    series: [
      line("base", "train", (x) => Math.exp(-x / 6)),
      line("base", "validation", (x) => 0.1 + Math.exp(-x / 5)),
      line("head", "train", (x) => Math.exp(-x / 4)),
      line("head", "validation", (x) => 0.07 + Math.exp(-x / 4)),
    ],
  },
  {
    kind: "lines",
    ...frame("scores", "score", "length"),
    template: "scatter",
    diagonal: false,
    series: [line("base", "", (x) => Math.sin(x)), line("head", "", (x) => Math.cos(x))],
  },
  {
    kind: "bars",
    ...frame("importance", "gain", "feature"),
    bars: [
      { name: "tenure", base: 0.31, head: 0.35 },
      { name: "monthly charge", base: 0.24, head: 0.22 },
      { name: "calls to support", base: null, head: 0.12 },
    ],
  },
  {
    kind: "matrix",
    ...frame("digits", "actual", "predicted"),
    normalized: false,
    classes: ["0", "1", "2"],
    base: [
      [40, 1, 0],
      [2, 38, 3],
      [0, 4, 41],
    ],
    head: [
      [41, 0, 0],
      [1, 41, 1],
      [0, 2, 43],
    ],
  },
];

/** Every section filled, as a pull request to a real project would. */
export function fullReport(): Report {
  return report({
    files: {
      count: 3,
      named: [
        { path: "params.yaml", change: "changed" },
        { path: "src/train.py", change: "changed" },
        { path: "src/old.py", change: "removed" },
      ],
    },
    pipelines: [
      {
        head: runRecord({ metrics: { "build/metrics.json": { "test.loss": 0.08, "train.loss": 0.04 } } as never }),
        base: runRecord({
          params: { "params.yaml": { train: { epochs: 20, rate: 0.001 } } },
          metrics: { "build/metrics.json": { "test.loss": 0.11, "train.loss": 0.04 } } as never,
          data: { digits: `sha256:${"3".repeat(64)}` } as never,
        }),
        plots: PLOTS,
        costs: { currency: "USD", stages: { train: 0.0083, evaluate: 0.0002 } },
        notes: ["Compared with 1a2b3c4, the newest commit before the base that was run."],
      },
    ],
  });
}
