import type { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Json, Result } from "../../core/index.ts";
import { readParams, topParams } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { lookCommand } from "../pipelines.ts";
import type { Chosen } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  const about = {
    name: "params",
    summary: "print the parameters each stage reads",
    description:
      "Prints the parameters that enter each stage's key, with their values, and the files that a dvc.yaml names beside its stages.",
  };
  return lookCommand(edge, about, params);
}

async function params(_context: Context, chosen: Chosen): Promise<Result<Answer>> {
  const { source, pipelines } = chosen;
  const json: { pipeline: string; stage: string; params: Record<string, Record<string, Json>> }[] = [];
  const top: { pipeline: string; params: Record<string, Record<string, Json>> }[] = [];
  for (const pipeline of pipelines) {
    const read = await readParams(source, pipeline);
    if (!read.ok) return read;
    const beside = await topParams(source, pipeline);
    if (!beside.ok) return beside;
    if (Object.keys(beside.value).length > 0) top.push({ pipeline: pipeline.name, params: beside.value });
    for (const [stage, values] of read.value) json.push({ pipeline: pipeline.name, stage, params: values });
  }
  const lines = (where: string, files: Record<string, Record<string, Json>>): string[][] =>
    Object.entries(files).flatMap(([file, values]) =>
      Object.entries(values).map(([key, value]) => [where, file, key, JSON.stringify(value)]),
    );
  const rows = [
    ...json.flatMap(({ pipeline, stage, params: files }) => lines(`${pipeline}/${stage}`, files)),
    ...top.flatMap(({ pipeline, params: files }) => lines(pipeline, files)),
  ];
  return ok({
    json: { stages: json, pipelines: top },
    text: rows.length === 0 ? "no stage reads parameters" : table(rows),
  });
}
