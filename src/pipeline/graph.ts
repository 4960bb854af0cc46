import { compareCodeUnits, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Result } from "../core/index.ts";
import { PathIndex } from "./path-index.ts";
import type { LooseStage, Output, Stage } from "./stage.ts";

/** Who makes what, by path. */
export type Makers = PathIndex<{ readonly stage: LooseStage; readonly out: Output; readonly order: number }>;

export function makersOf(stages: readonly LooseStage[]): Makers {
  const makers: Makers = new PathIndex();
  let order = 0;
  for (const stage of stages) for (const out of stage.outs) makers.add(out.path, { stage, out, order: order++ });
  return makers;
}

/**
 * Finds who needs whom and puts the stages in order (the file's own order where the graph leaves it free).
 * @returns `output-twice` and `cycle` failures, all of them.
 */
export function toGraph(stages: readonly LooseStage[]): Result<Stage[]> {
  const makers = makersOf(stages);
  const edges = new Map(stages.map((stage) => [stage.name, edgesOf(stage, makers)]));
  const broken = failedIfAny([...outputsTwice(stages, makers), ...cycles(stages, edges)]);
  if (broken) return broken;
  const linked = stages.map((stage): Stage => ({
    ...stage,
    needs: stage.frozen ? [] : [...edges.get(stage.name)!.keys()].sort(compareCodeUnits),
  }));
  return ok(inOrder(linked));
}

/** Two outputs clash when they are one path or one lies in the other; a stage's own may nest (predictions in an out). */
export function outputsTwice(stages: readonly LooseStage[], makers: Makers): Failure[] {
  let order = 0;
  return stages.flatMap((stage) =>
    stage.outs.flatMap((out): Failure[] => {
      const mine = order++;
      let first: { name: string; order: number } | undefined;
      for (const other of makers.meeting(out.path)) {
        if (other.stage.name === stage.name || other.order >= mine) continue;
        if (first === undefined || other.order < first.order) first = { name: other.stage.name, order: other.order };
      }
      if (first === undefined) return [];
      return [{ code: "output-twice", at: stage.at(out.where), path: out.path, stages: [first.name, stage.name] }];
    }),
  );
}

/** The stages whose outputs a stage depends on (through a path that is the output, holds it or lies in it), with that dep. */
export function edgesOf(stage: LooseStage, makers: Makers): Map<string, readonly PropertyKey[]> {
  const found = new Map<string, readonly PropertyKey[]>();
  for (const dep of [...stage.deps, ...stage.env.files]) {
    for (const { stage: maker } of makers.meeting(dep.path))
      if (!found.has(maker.name)) found.set(maker.name, dep.where);
  }
  return found;
}

/** Each cycle once, as its path. Depth first, with the way kept by hand: a chain may be longer than the call stack. */
function cycles(
  stages: readonly LooseStage[],
  edges: ReadonlyMap<string, ReadonlyMap<string, readonly PropertyKey[]>>,
): Failure[] {
  const failures: Failure[] = [];
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  const done = new Set<string>();
  for (const { name: start } of stages) {
    const way: { name: string; next: Iterator<string> }[] = [];
    const onWay = new Map<string, number>();
    const enter = (name: string): void => {
      const met = onWay.get(name);
      if (met !== undefined) {
        const loop = [...way.slice(met).map((step) => step.name), name];
        const from = way.at(-1)!.name;
        const at = byName.get(from)!.at(edges.get(from)!.get(name)!);
        failures.push({ code: "cycle", at, stages: loop });
      } else if (!done.has(name)) {
        onWay.set(name, way.length);
        way.push({ name, next: edges.get(name)!.keys()[Symbol.iterator]() });
      }
    };
    enter(start);
    while (way.length > 0) {
      const step = way.at(-1)!;
      const next = step.next.next();
      if (next.done !== true) {
        enter(next.value);
        continue;
      }
      way.pop();
      onWay.delete(step.name);
      done.add(step.name);
    }
  }
  return failures;
}

function inOrder(stages: readonly Stage[]): Stage[] {
  const position = new Map(stages.map(({ name }, at) => [name, at]));
  const sorted: Stage[] = [];
  const placed = new Set<number>();
  for (const start of stages.keys()) {
    const way = [start];
    while (way.length > 0) {
      const at = way.at(-1)!;
      const before = stages[at]!.needs.map((name) => position.get(name)!).filter((need) => !placed.has(need));
      if (before.length > 0) {
        // The first in the file goes first.
        way.push(Math.min(...before));
        continue;
      }
      way.pop();
      if (placed.has(at)) continue;
      placed.add(at);
      sorted.push(stages[at]!);
    }
  }
  return sorted;
}
