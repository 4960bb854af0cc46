import { modelReport } from "./model-report.ts";
import type { ModelInput } from "./model-report.ts";
import { pipelineReport } from "./pipeline-report.ts";
import type { PipelineInput } from "./pipeline-report.ts";
import type { ModelReport, PipelineReport, Report } from "./schema.ts";
import { sectionsOf } from "./views.ts";

export interface ReportInput {
  readonly head: Report["head"];
  readonly base: Report["base"];
  readonly pullRequest: number | null;
  readonly runUrl: string | null;
  readonly pipelines: readonly PipelineInput[];
  readonly models: readonly ModelInput[];
  readonly files?: Report["files"];
  /** Absent: the reviewer's. */
  readonly sections?: Report["sections"];
  /** Of the experiment, in words. */
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  readonly resamples?: number;
}

/** Compares, judges and lays out; a pure function, so that the same results give the same report. */
export function buildReport(input: ReportInput): Report {
  const models = input.models.map((model) => modelReport(model, input.resamples));
  const pipelines = input.pipelines.map((pipeline) => pipelineReport(pipeline, input.models));
  const failed = input.failures.length > 0 || pipelines.some((pipeline) => !pipeline.ok);
  const gatesFail = models.some((model) => model.gates.some((gate) => !gate.passed));
  const { head, base, pullRequest, runUrl } = input;
  const verdict = failed ? "failed" : combine(models, pipelines);
  models.sort((a, b) => weightOf(b, verdict) - weightOf(a, verdict));
  return {
    reportVersion: 1,
    state: failed ? "failed" : "compared",
    conclusion: failed || gatesFail ? "failure" : "success",
    verdict,
    head,
    base,
    pullRequest,
    runUrl,
    sections: input.sections ?? sectionsOf(undefined),
    models,
    pipelines,
    files: input.files ?? null,
    failures: [...input.failures],
    notes: [...input.notes],
  };
}

/** Which model a reader should see first: one that the verdict is of, one that has a verdict, one that has numbers. */
function weightOf(model: ModelReport, verdict: Report["verdict"]): number {
  if (model.verdict !== null) return model.verdict === verdict ? 3 : 2;
  return model.metrics.some(({ head }) => head !== null) ? 1 : 0;
}

/** The report of a result that was not accepted: the reason, and nothing of the result. */
export function refusedReport(
  input: Pick<ReportInput, "head" | "base" | "pullRequest" | "runUrl">,
  reasons: readonly string[],
): Report {
  return {
    reportVersion: 1,
    state: "refused",
    conclusion: "failure",
    verdict: "refused",
    ...input,
    sections: [],
    models: [],
    pipelines: [],
    files: null,
    failures: [...reasons],
    notes: [],
  };
}

/** Several models: worse where any is, else better where any is. Where none is judged, what seeds show decides. */
function combine(models: readonly ModelReport[], pipelines: readonly PipelineReport[]): Report["verdict"] {
  const of = (judged: readonly Pick<ModelReport, "verdict">[]) => judged.flatMap(({ verdict }) => verdict ?? []);
  const ofModels = of(models);
  const verdicts = ofModels.length > 0 ? ofModels : of(pipelines.flatMap(({ seeds }) => seeds));
  if (verdicts.length === 0) return "none";
  if (verdicts.includes("worse")) return "worse";
  if (verdicts.includes("better")) return "better";
  return verdicts.every((verdict) => verdict === "equivalent") ? "equivalent" : "no-evidence";
}
