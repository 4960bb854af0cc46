import type { RunRecord } from "../config/index.ts";
import { canonicalJson, compareCodeUnits } from "../core/index.ts";
import { directionOf } from "../evaluate/index.ts";
import type { PipelineReport } from "./schema.ts";

/** Metrics files by path, as the records keep them. */
export type Metrics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Parameters that differ, in code-unit order of file and key. Without a base every parameter counts as new. */
export function paramChanges(head: RunRecord["params"], base: RunRecord["params"] | null): PipelineReport["params"] {
  if (base === null) return [];
  return both(head, base).flatMap((file) =>
    both(head[file] ?? {}, base[file] ?? {}).flatMap((key) => {
      const [before, after] = [json(base[file]?.[key]), json(head[file]?.[key])];
      return before === after ? [] : [{ file, key, base: before, head: after }];
    }),
  );
}

/** Datasets whose digest differs. */
export function dataChanges(head: RunRecord["data"], base: RunRecord["data"] | null): PipelineReport["data"] {
  if (base === null) return [];
  return both(head, base).flatMap((name) => {
    const [before, after] = [base[name] ?? null, head[name] ?? null];
    return before === after ? [] : [{ name, base: before, head: after }];
  });
}

/** All numbers of the metrics files, side by side; those that are on one side only as well. */
export function numberRows(head: Metrics, base: Metrics | null): PipelineReport["numbers"] {
  return both(head, base ?? {}).flatMap((file) =>
    both(head[file] ?? {}, base?.[file] ?? {}).map((name) => {
      const [before, after] = [base?.[file]?.[name] ?? null, head[file]?.[name] ?? null];
      return {
        file,
        name,
        direction: directionOf(name),
        base: before,
        head: after,
        difference: before === null || after === null ? null : after - before,
        interval: null,
        test: null,
        p: null,
        verdict: null,
        production: null,
        note: null,
      };
    }),
  );
}

/** Metrics of all files by name alone; a name that two files have is told apart as `file:name`. */
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

function both(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareCodeUnits);
}

function json(value: unknown): string | null {
  return value === undefined ? null : canonicalJson(value);
}
