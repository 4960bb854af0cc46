import type { RunRecord } from "../config/index.ts";
import { compareCodeUnits } from "../core/index.ts";
import type { Context } from "../core/index.ts";
import { compareSeeds } from "../evaluate/index.ts";
import type { BySeed } from "../evaluate/index.ts";
import type { Direction, Metrics } from "../metrics/index.ts";
import { atRevision } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { loadPipelines, seedGroups } from "../pipeline/index.ts";
import type { Pipeline, SeedGroup } from "../pipeline/index.ts";
import type { PipelineReport } from "./schema.ts";

/** Metrics of both sides by seed. */
export interface Seeds {
  readonly head: readonly SeedGroup[];
  readonly base: readonly SeedGroup[];
}

/** What both sides' pipelines write per seed. The base's tree is that of the run that stands for it. */
export async function seedsOf(context: Context, pipeline: Pipeline, base: RunRecord | undefined): Promise<Seeds> {
  const head = seedGroups(pipeline);
  if (head.length === 0 || base === undefined || base.commit === null) return { head, base: [] };
  const source = await atRevision(context, base.commit);
  // A base whose tree is not here is one without seeds: its numbers are still told one by one.
  return { head, base: source.ok ? await seedsAt(source.value, pipeline.name) : [] };
}

/** What a tree's pipeline writes per seed; nothing where it has no such pipeline or cannot be loaded. */
async function seedsAt(source: Source, pipeline: string): Promise<SeedGroup[]> {
  const pipelines = await loadPipelines(source);
  const found = pipelines.ok ? pipelines.value.find(({ name }) => name === pipeline) : undefined;
  return found === undefined ? [] : seedGroups(found);
}

/** One row for each metric of each group, compared over the seeds. */
export function seedRows(
  seeds: Seeds,
  metrics: { readonly head: Metrics; readonly base: Metrics | null },
  direction: (name: string) => Direction | null,
  margins: Readonly<Record<string, number>> = {},
): PipelineReport["seeds"] {
  const asked = seeds.head.flatMap((group) => {
    const other = seeds.base.find(({ id }) => id === group.id);
    const after = bySeed(group, metrics.head);
    const before =
      other === undefined || metrics.base === null ? new Map<string, BySeed>() : bySeed(other, metrics.base);
    return [...after].map(([name, head]) => {
      const known = { direction: direction(name), margin: Object.hasOwn(margins, name) ? margins[name] : undefined };
      return { file: group.file, name, ...known, head, base: before.get(name) ?? null };
    });
  });
  const compared = compareSeeds(asked);
  return asked.flatMap(({ file, name, direction: way }, index) => {
    const one = compared[index];
    return one === undefined ? [] : [{ file, name, direction: way, ...(structuredClone(one) as Mutable) }];
  });
}

type Mutable = Omit<PipelineReport["seeds"][number], "file" | "name" | "direction">;

function bySeed({ paths }: SeedGroup, metrics: Metrics): Map<string, BySeed> {
  const values = new Map<string, Record<string, number>>();
  for (const [seed, path] of paths) {
    for (const [name, value] of Object.entries(metrics[path] ?? {})) {
      values.set(name, { ...values.get(name), [seed]: value });
    }
  }
  return new Map([...values].sort(([a], [b]) => compareCodeUnits(a, b)));
}

/** The files that are told as groups, so that their numbers are not told one by one too. */
export function withoutSeeds(metrics: RunRecord["metrics"], groups: readonly SeedGroup[]): Metrics {
  const grouped = new Set(groups.flatMap(({ paths }) => [...paths.values()]));
  return Object.fromEntries(Object.entries(metrics).filter(([file]) => !grouped.has(file)));
}
