import { compareCodeUnits } from "../core/index.ts";

/** Metrics files by path, as the records keep them. */
export type Metrics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What a rule may name: each number as `file:name`, and by name alone where only one file has it. */
export function flatNumbers(metrics: Metrics): Record<string, number> {
  const flat: Record<string, number> = {};
  const seen = new Set<string>();
  for (const file of Object.keys(metrics).sort(compareCodeUnits)) {
    for (const [name, value] of Object.entries(metrics[file] ?? {})) {
      flat[`${file}:${name}`] = value;
      if (seen.has(name)) delete flat[name];
      else flat[name] = value;
      seen.add(name);
    }
  }
  return flat;
}

/** What a version keeps: each number once, by name alone where only one file has it, else as `file:name`. */
export function versionNumbers(metrics: Metrics): Record<string, number> {
  const flat = flatNumbers(metrics);
  const once = Object.entries(metrics).flatMap(([file, numbers]) =>
    Object.entries(numbers).map(
      ([name, value]) => [Object.hasOwn(flat, name) ? name : `${file}:${name}`, value] as const,
    ),
  );
  return Object.fromEntries(once);
}
