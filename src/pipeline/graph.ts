import { compareCodeUnits, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Location, Result } from "../core/index.ts";
import { covers } from "./stage.ts";
import type { LooseStage, Stage } from "./stage.ts";

type At = (path: readonly PropertyKey[]) => Location;

/**
 * Finds who needs whom and puts the stages in order (the file's own order where the graph leaves it free).
 * @returns `output-twice` and `cycle` failures, all of them.
 */
export function toGraph(stages: readonly LooseStage[], at: At): Result<Stage[]> {
  const edges = new Map(stages.map((stage) => [stage.name, edgesOf(stage, stages)]));
  const broken = failedIfAny([...outputsTwice(stages, at), ...cycles(stages, edges, at)]);
  if (broken) return broken;
  const linked = stages.map((stage): Stage => ({
    ...stage,
    needs: [...(edges.get(stage.name) ?? new Map()).keys()].sort(compareCodeUnits),
  }));
  return ok(inOrder(linked));
}

/** Two outputs clash when they are one path or one lies in the other; a stage's own may nest (predictions in an out). */
export function outputsTwice(stages: readonly LooseStage[], at: At): Failure[] {
  const all = stages.flatMap((stage) => stage.outs.map((out) => ({ stage: stage.name, out })));
  return all.flatMap(({ stage, out }, index) => {
    const first = all
      .slice(0, index)
      .find((other) => other.stage !== stage && (covers(other.out.path, out.path) || covers(out.path, other.out.path)));
    if (first === undefined) return [];
    return [{ code: "output-twice", at: at(out.where), path: out.path, stages: [first.stage, stage] }];
  });
}

/** The stages whose outputs a stage depends on (through a path that is the output, holds it or lies in it), with that dep. */
function edgesOf(stage: LooseStage, stages: readonly LooseStage[]): Map<string, readonly PropertyKey[]> {
  const found = new Map<string, readonly PropertyKey[]>();
  for (const dep of [...stage.deps, ...stage.env.files]) {
    for (const producer of stages) {
      const makes = producer.outs.some((out) => covers(out.path, dep.path) || covers(dep.path, out.path));
      if (makes && !found.has(producer.name)) found.set(producer.name, dep.where);
    }
  }
  return found;
}

function cycles(
  stages: readonly LooseStage[],
  edges: ReadonlyMap<string, ReadonlyMap<string, readonly PropertyKey[]>>,
  at: At,
): Failure[] {
  const failures: Failure[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) {
      const loop = [...path.slice(start), name];
      const where = edges.get(path.at(-1) ?? name)?.get(name) ?? ["stages", name];
      failures.push({ code: "cycle", at: at(where), stages: loop });
      return;
    }
    if (done.has(name)) return;
    for (const next of edges.get(name)?.keys() ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const stage of stages) visit(stage.name, []);
  return failures;
}

function inOrder(stages: readonly Stage[]): Stage[] {
  const sorted: Stage[] = [];
  const placed = new Set<string>();
  const place = (stage: Stage): void => {
    if (placed.has(stage.name)) return;
    placed.add(stage.name);
    for (const other of stages) if (stage.needs.includes(other.name)) place(other);
    sorted.push(stage);
  };
  stages.forEach(place);
  return sorted;
}
