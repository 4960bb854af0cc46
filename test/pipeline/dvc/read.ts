import { describe } from "../../../src/core/index.ts";
import { workingTree } from "../../../src/git/index.ts";
import { loadPipeline } from "../../../src/pipeline/index.ts";
import { contextIn } from "../../git/repository.ts";

export type Answer = { readonly stages: Record<string, unknown> } | { readonly refused: string };

/** What we make of a project, in the form of `report.py`. */
export async function ours(folder: string): Promise<Answer> {
  const pipeline = await loadPipeline(workingTree(contextIn(folder)), "dvc");
  if (!pipeline.ok) return { refused: pipeline.failures.map((failure) => describe(failure)).join("\n") };
  const stages = pipeline.value.stages.map((stage) => [
    stage.name,
    {
      cmd: stage.cmd.length === 1 ? stage.cmd[0] : stage.cmd,
      wdir: stage.wdir ?? ".",
      deps: stage.deps.map(({ path }) => path),
      params: Object.fromEntries(stage.params.map(({ path, keys }) => [path, keys])),
      outs: Object.fromEntries(
        stage.outs.map(({ path, uses, cache, persist }) => [
          path,
          { cache, persist, metric: uses.includes("metric"), plot: uses.includes("plot") },
        ]),
      ),
      frozen: stage.frozen,
      alwaysChanged: stage.alwaysChanged,
      needs: stage.needs,
    },
  ]);
  return { stages: Object.fromEntries(stages) as Record<string, unknown> };
}
