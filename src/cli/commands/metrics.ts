import type { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { plan, topMetrics } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { lookCommand } from "../pipelines.ts";
import type { Chosen } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  const about = {
    name: "metrics",
    summary: "print the metrics of the last run",
    description:
      "Prints what is recorded for the files as they stand; a stage that would run has no metrics yet. Metrics files that a dvc.yaml names beside its stages are read where they are.",
  };
  return lookCommand(edge, about, metrics);
}

async function metrics(context: Context, chosen: Chosen): Promise<Result<Answer>> {
  const { workspace, source, pipelines } = chosen;
  const json: {
    pipeline: string;
    metrics: Record<string, Record<string, number>>;
    pending: string[];
    missing: string[];
  }[] = [];
  for (const pipeline of pipelines) {
    const planned = await plan(context, { source, pipeline, records: workspace.records });
    if (!planned.ok) return planned;
    const known = planned.value.stages.map(({ record }) => record?.metrics ?? {});
    const measures = new Set(
      pipeline.stages.filter(({ outs }) => outs.some(({ uses }) => uses.includes("metric"))).map((stage) => stage.name),
    );
    const top = await topMetrics(source, pipeline);
    if (!top.ok) return top;
    json.push({
      pipeline: pipeline.name,
      missing: top.value.missing,
      metrics: Object.assign({}, ...known, top.value.metrics) as Record<string, Record<string, number>>,
      pending: planned.value.stages
        .filter((stage) => stage.action === "run" && measures.has(stage.stage))
        .map(({ stage }) => stage),
    });
  }
  const rows = json.flatMap(({ pipeline, metrics: files, pending, missing }) => [
    ...Object.entries(files).flatMap(([path, values]) =>
      Object.entries(values).map(([metric, value]) => [pipeline, path, metric, String(value)]),
    ),
    ...pending.map((stage) => [pipeline, stage, "has to run first", ""]),
    ...missing.map((file) => [pipeline, file, "is not there", ""]),
  ]);
  return ok({ json: { pipelines: json }, text: rows.length === 0 ? "no stage has metrics" : table(rows) });
}
