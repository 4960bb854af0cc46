import { createHash } from "node:crypto";
import { canonicalJson } from "../../core/index.ts";
import type { Pipeline, Stage } from "../stage.ts";
import { LIMITS } from "./limits.ts";

/** One job of the workflow: a stage, or stages of one `foreach` or `matrix` as the matrix of the job. */
export interface StageJob {
  readonly id: string;
  /** In the pipeline's order; all of them run on the same kind of runner and are equally far from the graph's start. */
  readonly stages: readonly [Stage, ...Stage[]];
  /** Ids of the jobs that make what its stages read, in the order of the jobs. */
  readonly needs: readonly string[];
}

/** Ids of the first and the last job. */
export const PLAN = "plan";
export const RESULT = "result";

/**
 * The graph as jobs, each after what it needs. Stages share a job only when the longest way to each is equally long, so
 * every edge of the graph of jobs leads from one length to a greater one: there is no cycle, whatever depends on what.
 */
export function jobsOf(pipeline: Pipeline): StageJob[] {
  const depth = new Map<string, number>();
  for (const { name, needs } of pipeline.stages) {
    depth.set(
      name,
      needs.reduce((most, need) => Math.max(most, depth.get(need)! + 1), 0),
    );
  }
  const groups = [...Map.groupBy(pipeline.stages, (stage) => `${depth.get(stage.name)} ${likeness(stage)}`).values()]
    .toSorted(([a], [b]) => depth.get(a!.name)! - depth.get(b!.name)!)
    .flatMap((group) => parts(group));
  const ids = uniqueIds(groups.map(([stage]) => familyOf(stage)));
  const jobOf = new Map(groups.flatMap((stages, at) => stages.map(({ name }) => [name, at] as const)));
  return groups.map((stages, at) => ({
    id: ids[at]!,
    stages,
    needs: [...new Set(stages.flatMap(({ needs }) => needs.map((name) => jobOf.get(name)!)))]
      .sort((a, b) => a - b)
      .map((need) => ids[need]!),
  }));
}

/** Says which graph of jobs a workflow file is of: SHA-256 in hex. */
export function graphDigest(jobs: readonly StageJob[]): string {
  const graph = jobs.map(({ id, stages, needs }) => ({ id, needs, stages: stages.map(({ name }) => name) }));
  return createHash("sha256").update(canonicalJson(graph)).digest("hex");
}

/** The name in the file of what a stage was made from: `train` of `sub/dvc.yaml:train@us-2`. */
export function familyOf({ name, file }: Stage): string {
  const own = name.startsWith(`${file}:`) ? name.slice(file.length + 1) : name;
  return own.split("@")[0]!;
}

/** Equal for stages that one job can run, one instance each. */
function likeness(stage: Stage): string {
  const { file, runsOn, resources, env, timeoutMs, retry, cmd } = stage;
  const gpu = (resources["gpu"] ?? 0) > 0;
  return canonicalJson([file, familyOf(stage), runsOn, gpu, env.image, timeoutMs, retry, cmd.length]);
}

function parts(group: readonly Stage[]): [Stage, ...Stage[]][] {
  const [first, ...rest] = group.slice(0, LIMITS.matrix);
  return first === undefined ? [] : [[first, ...rest], ...parts(group.slice(LIMITS.matrix))];
}

/** A job's id is letters, digits, `-` and `_`, and starts with a letter; GitHub does not tell `A` from `a`. */
function uniqueIds(names: readonly string[]): string[] {
  const taken = new Set([PLAN, RESULT]);
  return names.map((name) => {
    const plain = name
      .replace(/[^A-Za-z0-9_]+/g, "-")
      .replace(/^[^A-Za-z]+|-+$/g, "")
      .slice(0, LIMITS.jobId - 8);
    const base = plain === "" ? "stage" : plain;
    let id = base;
    for (let count = 2; taken.has(id.toLowerCase()); count++) id = `${base}-${count}`;
    taken.add(id.toLowerCase());
    return id;
  });
}
