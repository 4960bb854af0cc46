import type { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { plan } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { lookCommand } from "../pipelines.ts";
import type { Chosen } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  const about = {
    name: "metrics",
    summary: "print the metrics of the last run",
    description: "Prints what is recorded for the files as they stand; a stage that would run has no metrics yet.",
  };
  return lookCommand(edge, about, metrics);
}

async function metrics(context: Context, chosen: Chosen): Promise<Result<Answer>> {
  const { workspace, source, pipelines } = chosen;
  const json: { pipeline: string; metrics: Record<string, Record<string, number>>; pending: string[] }[] = [];
  for (const pipeline of pipelines) {
    const planned = await plan(context, { source, pipeline, records: workspace.records });
    if (!planned.ok) return planned;
    const known = planned.value.stages.map(({ record }) => record?.metrics ?? {});
    const measures = new Set(
      pipeline.stages.filter(({ outs }) => outs.some(({ uses }) => uses.includes("metric"))).map((stage) => stage.name),
    );
    json.push({
      pipeline: pipeline.name,
      metrics: Object.assign({}, ...known) as Record<string, Record<string, number>>,
      pending: planned.value.stages
        .filter((stage) => stage.action === "run" && measures.has(stage.stage))
        .map(({ stage }) => stage),
    });
  }
  const rows = json.flatMap(({ pipeline, metrics: files, pending }) => [
    ...Object.entries(files).flatMap(([path, values]) =>
      Object.entries(values).map(([metric, value]) => [pipeline, path, metric, String(value)]),
    ),
    ...pending.map((stage) => [pipeline, stage, "has to run first", ""]),
  ]);
  return ok({ json: { pipelines: json }, text: rows.length === 0 ? "no stage has metrics" : table(rows) });
}
