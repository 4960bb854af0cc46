import { Command } from "commander";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { loadPipeline, loadPipelines, openWorkspace } from "../pipeline/index.ts";
import type { Pipeline, Workspace } from "../pipeline/index.ts";
import type { Answer, Edge } from "./command.ts";

/** What the commands about pipelines start from: a workspace, a tree, and the pipelines meant in it. */
export interface Chosen {
  readonly workspace: Workspace;
  readonly source: Source;
  readonly pipelines: readonly Pipeline[];
}

/** A command that looks at one pipeline or all, in the working tree or as of a revision. */
export function lookCommand(
  edge: Edge,
  about: { readonly name: string; readonly summary: string; readonly description: string },
  look: (context: Context, chosen: Chosen, options: Readonly<Record<string, unknown>>) => Promise<Result<Answer>>,
): Command {
  return new Command(about.name)
    .summary(about.summary)
    .description(about.description)
    .argument("[pipeline]", "name of the pipeline; all of them when absent")
    .option("--rev <revision>", "as of this commit, not the working tree")
    .action(async (pipeline: string | undefined, options: { rev?: string }) => {
      const context = edge.context();
      const chosen = await choosePipelines(context, pipeline, options.rev);
      edge.out.answer(chosen.ok ? await look(context, chosen.value, { ...options }) : chosen);
    });
}

/** The pipeline of that name, or all; in the working tree, or at a revision. A tree without any is a failure. */
export async function choosePipelines(
  context: Context,
  name: string | undefined,
  revision?: string,
): Promise<Result<Chosen>> {
  const source = revision === undefined ? ok(workingTree(context)) : await atRevision(context, revision);
  if (!source.ok) return source;
  const [workspace, pipelines] = await Promise.all([
    openWorkspace(context),
    name === undefined ? loadPipelines(source.value) : one(source.value, name),
  ]);
  if (!workspace.ok) return workspace;
  if (!pipelines.ok) return pipelines;
  if (pipelines.value.length === 0) {
    return fail({ code: "file-missing", path: "pipelines/*.yaml", hint: "`lockstep init` writes a first pipeline" });
  }
  return ok({ workspace: workspace.value, source: source.value, pipelines: pipelines.value });
}

async function one(source: Source, name: string): Promise<Result<Pipeline[]>> {
  const pipeline = await loadPipeline(source, name);
  return pipeline.ok ? ok([pipeline.value]) : pipeline;
}
