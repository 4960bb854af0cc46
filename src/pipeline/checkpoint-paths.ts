import type { Failure } from "../core/index.ts";
import type { Datasets } from "./deps.ts";
import { makersOf } from "./graph.ts";
import { PathIndex } from "./path-index.ts";
import type { LooseStage } from "./stage.ts";

/** Checkpoints come and go, so they keep away from all that a key or a record speaks of, and from each other. */
export function checkpointsMet(stages: readonly LooseStage[], datasets: Datasets): Failure[] {
  const having = stages.filter(({ checkpoint }) => checkpoint !== null);
  if (having.length === 0) return [];
  const makers = makersOf(stages);
  const read = new PathIndex<{ readonly name: string; readonly path: string }>();
  for (const { name, deps, env, params } of stages) {
    for (const { path } of [...deps, ...env.files, ...params]) read.add(path, { name, path });
  }
  const seen = new PathIndex<string>();
  return having.flatMap(({ name, at, checkpoint }): Failure[] => {
    const { path, where } = checkpoint!;
    const [maker] = makers.meeting(path);
    const [reader] = read.meeting(path);
    const [dataset] = datasets.meeting(path);
    const [other] = seen.meeting(path);
    seen.add(path, name);
    const met = [
      maker && `${maker.out.path}, an output of "${maker.stage.name}"`,
      reader && `${reader.path}, which "${reader.name}" depends on`,
      dataset && `the dataset "${dataset.name}"`,
      other && `the checkpoint of "${other}"`,
    ].find((text) => text !== undefined);
    if (met === undefined) return [];
    const hint = "give each stage a folder of its own that nothing else names, as in checkpoints/train";
    return [{ code: "file-invalid", at: at(where), problem: `the checkpoint ${path} meets ${met}`, hint }];
  });
}
