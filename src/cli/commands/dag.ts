import type { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Pipeline } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { lookCommand } from "../pipelines.ts";
import type { Chosen } from "../pipelines.ts";

export function build(edge: Edge): Command {
  const about = {
    name: "dag",
    summary: "draw the graph of a pipeline",
    description: "Prints each stage with what it needs; with --json also the artifacts that a dvc.yaml names.",
  };
  return lookCommand(edge, about, dag).option("--mermaid", "as a Mermaid flowchart, which GitHub draws in Markdown");
}

async function dag(
  _context: Context,
  chosen: Chosen,
  options: Readonly<Record<string, unknown>>,
): Promise<Result<Answer>> {
  const { pipelines } = chosen;
  const json = pipelines.map((pipeline) => ({
    pipeline: pipeline.name,
    artifacts: pipeline.top.artifacts,
    stages: pipeline.stages.map((stage) => ({
      stage: stage.name,
      needs: stage.needs,
      deps: stage.deps.map(({ path }) => path),
      outs: stage.outs.map(({ path }) => path),
    })),
  }));
  return ok({
    json: { pipelines: json },
    text: options["mermaid"] === true ? flowchart(pipelines) : pipelines.map(lines).join("\n"),
  });
}

function lines({ name, stages }: Pipeline): string {
  const rows = stages.map(
    (stage) => `  ${stage.name}${stage.needs.length === 0 ? "" : ` <- ${stage.needs.join(", ")}`}`,
  );
  return [name, ...rows].join("\n");
}

/** Nodes are numbered: a stage's name may be a word that Mermaid keeps for itself. */
function flowchart(pipelines: readonly Pipeline[]): string {
  const text = ["flowchart TD"];
  for (const [at, { name, stages }] of pipelines.entries()) {
    const id = new Map(stages.map((stage, index) => [stage.name, `p${at}s${index}`]));
    text.push(`  subgraph p${at}["${name}"]`);
    for (const stage of stages) text.push(`    ${id.get(stage.name)}["${stage.name}"]`);
    text.push("  end");
    for (const stage of stages)
      for (const need of stage.needs) text.push(`  ${id.get(need)} --> ${id.get(stage.name)}`);
  }
  return text.join("\n");
}
