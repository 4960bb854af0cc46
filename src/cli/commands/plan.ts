import type { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { plan } from "../../pipeline/index.ts";
import type { Plan } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { lookCommand } from "../pipelines.ts";
import type { Chosen } from "../pipelines.ts";
import { table } from "../text.ts";

export function build(edge: Edge): Command {
  const about = {
    name: "plan",
    summary: "say what would run and why, without data",
    description: "Says which stages would run, and why, from the files and the records alone: no data is needed.",
  };
  return lookCommand(edge, about, planPipelines);
}

async function planPipelines(context: Context, chosen: Chosen): Promise<Result<Answer>> {
  const { workspace, source, pipelines } = chosen;
  const plans: Plan[] = [];
  for (const pipeline of pipelines) {
    const planned = await plan(context, { source, pipeline, records: workspace.records });
    if (!planned.ok) return planned;
    plans.push(planned.value);
  }
  const text = plans.map(({ pipeline, stages }) =>
    [pipeline, table(stages.map(({ stage, action, reason }) => [`  ${stage}`, action, reason]))].join("\n"),
  );
  const json = plans.map(({ pipeline, stages }) => ({
    pipeline,
    stages: stages.map(({ stage, action, reason, key, needs }) => ({ stage, action, reason, key, needs })),
  }));
  return ok({ json: { revision: source.commit, pipelines: json }, text: text.join("\n") });
}
