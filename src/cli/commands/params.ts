import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Json, Result } from "../../core/index.ts";
import { readParams } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { choosePipelines } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  return new Command("params")
    .summary("print the parameters each stage reads")
    .description("Prints the parameters that enter each stage's key, with their values.")
    .argument("[pipeline]", "name of the pipeline; all of them when absent")
    .option("--rev <revision>", "as of this commit, not the working tree")
    .action(async (pipeline: string | undefined, { rev }: { rev?: string }) => {
      edge.out.answer(await params(edge.context(), pipeline, rev));
    });
}

async function params(
  context: Context,
  name: string | undefined,
  revision: string | undefined,
): Promise<Result<Answer>> {
  const chosen = await choosePipelines(context, name, revision);
  if (!chosen.ok) return chosen;
  const { source, pipelines } = chosen.value;
  const json: { pipeline: string; stage: string; params: Record<string, Record<string, Json>> }[] = [];
  for (const pipeline of pipelines) {
    const read = await readParams(source, pipeline);
    if (!read.ok) return read;
    for (const [stage, values] of read.value) json.push({ pipeline: pipeline.name, stage, params: values });
  }
  const rows = json.flatMap(({ pipeline, stage, params: files }) =>
    Object.entries(files).flatMap(([file, values]) =>
      Object.entries(values).map(([key, value]) => [`${pipeline}/${stage}`, file, key, JSON.stringify(value)]),
    ),
  );
  return ok({ json: { stages: json }, text: rows.length === 0 ? "no stage reads parameters" : table(rows) });
}
