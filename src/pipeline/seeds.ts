import { canonicalJson, compareCodeUnits } from "../core/index.ts";
import type { Json } from "../core/index.ts";
import type { Pipeline } from "./stage.ts";

/** A metrics file that a pipeline writes once for each seed. */
export interface SeedGroup {
  /** The same on both sides: the entry of the pipeline file, its other axes, and which of its metrics files. */
  readonly id: string;
  /** As in `build/metrics-*.json`. */
  readonly file: string;
  /** Seed -> path. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Axes of a `matrix`, and members of what a `foreach` goes over, that say which random numbers are drawn. */
const SEED = /(^|[._-])(seed|random_state)$/i;

/** What a pipeline writes per seed. */
export function seedGroups({ stages }: Pick<Pipeline, "stages">): SeedGroup[] {
  const groups = new Map<string, Map<string, string>>();
  for (const { name, item, outs } of stages) {
    if (item === null || typeof item !== "object" || Array.isArray(item)) continue;
    const fields = Object.entries(item as Readonly<Record<string, Json>>);
    const seed = fields.filter(([field]) => SEED.test(field));
    if (seed.length === 0) continue;
    const others = Object.fromEntries(fields.filter(([field]) => !SEED.test(field)));
    const metrics = outs.filter(({ uses }) => uses.includes("metric"));
    for (const [index, { path }] of metrics.entries()) {
      const id = canonicalJson([name.slice(0, name.lastIndexOf("@")), others, index]);
      const paths = groups.get(id) ?? new Map<string, string>();
      groups.set(id, paths.set(seed.map(([, value]) => canonicalJson(value)).join(" "), path));
    }
  }
  return [...groups]
    .map(([id, paths]) => ({ id, file: pattern([...paths.values()]), paths }))
    .sort((a, b) => compareCodeUnits(a.file, b.file));
}

/** What paths have in common at both ends, with a star for the rest. */
function pattern(paths: readonly string[]): string {
  const [first = "", ...others] = paths;
  let start = first.length;
  let end = first.length;
  for (const path of others) {
    while (!path.startsWith(first.slice(0, start))) start--;
    while (!path.endsWith(first.slice(first.length - end))) end--;
  }
  return start === first.length
    ? first
    : `${first.slice(0, start)}*${first.slice(Math.max(start, first.length - end))}`;
}
