import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { statusData } from "../../data/index.ts";
import { plan } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { choosePipelines } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  return new Command("status")
    .summary("say which stages and datasets changed")
    .description("Compares the working tree with the records (stages) and with data.lock.json (datasets).")
    .action(async () => edge.out.answer(await status(edge.context())));
}

async function status(context: Context): Promise<Result<Answer>> {
  const chosen = await choosePipelines(context, undefined);
  if (!chosen.ok) return chosen;
  const data = await statusData(context);
  if (!data.ok) return data;
  const stages: { pipeline: string; stage: string; changed: boolean; reason: string }[] = [];
  for (const pipeline of chosen.value.pipelines) {
    const planned = await plan(context, {
      source: chosen.value.source,
      pipeline,
      records: chosen.value.workspace.records,
    });
    if (!planned.ok) return planned;
    for (const { stage, action, reason } of planned.value.stages) {
      stages.push({ pipeline: pipeline.name, stage, changed: action === "run", reason });
    }
  }
  const datasets = data.value.map(({ name, dataset, state }) => ({ name, path: dataset.path, state }));
  const rows = [
    ...stages.filter(({ changed }) => changed).map(({ pipeline, stage, reason }) => [`${pipeline}/${stage}`, reason]),
    ...datasets.filter(({ state }) => state !== "unchanged").map(({ name, state }) => [`dataset ${name}`, state]),
  ];
  return ok({
    json: { changed: rows.length > 0, stages, datasets },
    text: rows.length === 0 ? "nothing changed" : table(rows),
  });
}
