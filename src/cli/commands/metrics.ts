import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { plan } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { choosePipelines } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  return new Command("metrics")
    .summary("print the metrics of the last run")
    .description("Prints what is recorded for the files as they stand; a stage that would run has no metrics yet.")
    .argument("[pipeline]", "name of the pipeline; all of them when absent")
    .option("--rev <revision>", "as of this commit, not the working tree")
    .action(async (pipeline: string | undefined, { rev }: { rev?: string }) => {
      edge.out.answer(await metrics(edge.context(), pipeline, rev));
    });
}

async function metrics(
  context: Context,
  name: string | undefined,
  revision: string | undefined,
): Promise<Result<Answer>> {
  const chosen = await choosePipelines(context, name, revision);
  if (!chosen.ok) return chosen;
  const { workspace, source, pipelines } = chosen.value;
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
