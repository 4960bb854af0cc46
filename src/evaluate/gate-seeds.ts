import type { Numbers, SeedFiles } from "./gate.ts";
import type { BySeed } from "./seeds.ts";

/** A metric that is written once for each seed. */
export interface SeedMetric {
  readonly files: SeedFiles;
  /** In each of the files. */
  readonly name: string;
}

/**
 * What a rule means by a metric's name, alone or as `build/metrics-*.json:name`; undefined: it is not written by seed,
 * or the name alone could be another file's.
 */
export function seedMetric(metric: string, numbers: Numbers, seeds: readonly SeedFiles[] = []): SeedMetric | undefined {
  if (Object.hasOwn(numbers, metric)) return undefined;
  for (const files of seeds) {
    const name = metric.startsWith(`${files.file}:`) ? metric.slice(files.file.length + 1) : metric;
    const found = Object.keys(valuesBySeed({ files, name }, numbers)).length;
    const all = Object.keys(numbers).filter((key) => key.endsWith(`:${name}`)).length;
    if (found > 0 && (name !== metric || found === all)) return { files, name };
  }
  return undefined;
}

/** Undefined: there is none. */
export function meanOf({ files, name }: SeedMetric, numbers: Numbers): { mean: number; n: number } | undefined {
  const values = Object.values(valuesBySeed({ files, name }, numbers));
  if (values.length === 0) return undefined;
  return { mean: values.reduce((sum, one) => sum + one, 0) / values.length, n: values.length };
}

export function valuesBySeed({ files, name }: SeedMetric, numbers: Numbers): BySeed {
  const values = [...files.paths].map(([seed, path]) => [seed, numbers[`${path}:${name}`]] as const);
  return Object.fromEntries(values.filter((entry): entry is readonly [string, number] => entry[1] !== undefined));
}
