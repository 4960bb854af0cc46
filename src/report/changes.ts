import type { RunRecord } from "../config/index.ts";
import { canonicalJson, compareCodeUnits } from "../core/index.ts";
import type { Direction, Metrics } from "../metrics/index.ts";
import { bareNumbers } from "./metric-row.ts";
import type { PipelineReport } from "./schema.ts";

/** Parameters that differ, in code-unit order of file and dotted key. Without a base none is told. */
export function paramChanges(head: RunRecord["params"], base: RunRecord["params"] | null): PipelineReport["params"] {
  if (base === null) return [];
  return both(head, base).flatMap((file) => {
    const [before, after] = [leaves(base[file] ?? {}), leaves(head[file] ?? {})];
    return [...new Set([...before.keys(), ...after.keys()])].sort(compareCodeUnits).flatMap((key) => {
      const values = { base: before.get(key) ?? null, head: after.get(key) ?? null };
      return values.base === values.head ? [] : [{ file, key, ...values }];
    });
  });
}

/** Values by dotted key; what a stage names as a section is told value by value. Depth is that of the JSON, bounded. */
function leaves(
  section: Readonly<Record<string, unknown>>,
  prefix = "",
  into = new Map<string, string>(),
): Map<string, string> {
  for (const [key, value] of Object.entries(section)) {
    const name = `${prefix}${key}`;
    const nested = value !== null && typeof value === "object" && !Array.isArray(value);
    if (nested && Object.keys(value).length > 0) leaves(value as Record<string, unknown>, `${name}.`, into);
    else into.set(name, canonicalJson(value));
  }
  return into;
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
export function numberRows(
  { head, base }: { readonly head: Metrics; readonly base: Metrics | null },
  direction: (name: string) => Direction | null,
): PipelineReport["numbers"] {
  return both(head, base ?? {}).flatMap((file) =>
    both(head[file] ?? {}, base?.[file] ?? {}).map((name) => {
      const [before, after] = [base?.[file]?.[name] ?? null, head[file]?.[name] ?? null];
      return {
        file,
        name,
        unit: null,
        direction: direction(name),
        ...bareNumbers(before, after),
        production: null,
        note: null,
      };
    }),
  );
}

function both(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareCodeUnits);
}
