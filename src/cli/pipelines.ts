import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { loadPipeline, loadPipelines, openWorkspace } from "../pipeline/index.ts";
import type { Pipeline, Workspace } from "../pipeline/index.ts";

/** What the commands about pipelines start from: a workspace, a tree, and the pipelines meant in it. */
export interface Chosen {
  readonly workspace: Workspace;
  readonly source: Source;
  readonly pipelines: readonly Pipeline[];
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
