import { z } from "zod";
import { reportSchema } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** What is used of a JSON Schema. */
interface Shape {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly pattern?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly propertyNames?: Shape;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly prefixItems?: readonly Shape[];
}

const REPORT = z.toJSONSchema(reportSchema) as Shape;
/** GitHub's event tells these, never the pull request; `state` and the like are enumerations anyway. */
const TOLD_BY_GITHUB = new Set(["runUrl", "commit", "baseCommit"]);

/**
 * The report with every text that its schema lets be anything replaced by the next of these, and one entry wherever a
 * list is empty. The schema leads, so that a field somebody adds is poisoned without anybody thinking of it.
 */
export function poison(report: Report, texts: readonly string[], from = 0): Report {
  let given = from;
  const text = (): string => texts[given++ % texts.length] ?? "";
  return reportSchema.parse(walk(REPORT, JSON.parse(JSON.stringify(report)) as Json, text));
}

function choicesOf(shape: Shape): readonly Shape[] {
  const choices = shape.anyOf ?? shape.oneOf;
  if (choices !== undefined) return choices.flatMap(choicesOf);
  return typeof shape.type === "object" ? shape.type.map((type) => ({ ...shape, type })) : [shape];
}

const isFree = (shape: Shape): boolean =>
  shape.type === "string" && [shape.enum, shape.const, shape.pattern, shape.format].every((one) => one === undefined);

function fits(shape: Shape, value: Json): boolean {
  if (shape.const !== undefined) return shape.const === value;
  if (shape.enum !== undefined) return shape.enum.includes(value);
  if (value === null || shape.type === "null") return shape.type === "null" && value === null;
  if (Array.isArray(value)) return shape.type === "array";
  if (typeof value !== "object") return shape.type === (typeof value === "number" ? "number" : typeof value);
  const kinds = Object.entries(shape.properties ?? {}).filter(([, one]) => one.const !== undefined);
  return shape.type === "object" && kinds.every(([name, one]) => value[name] === one.const);
}

function walk(shape: Shape, value: Json | undefined, text: () => string): Json {
  // Of what has a pattern there is nothing to make up.
  const choices = choicesOf(shape).toSorted(
    (a, b) => Number(a.pattern !== undefined) - Number(b.pattern !== undefined),
  );
  const of = value === undefined ? undefined : choices.find((choice) => fits(choice, value));
  // What is null may be a text as well: then it is.
  const chosen = (value === null ? choices.find(isFree) : undefined) ?? of ?? choices[0] ?? shape;
  if (isFree(chosen)) return text();
  if (chosen.const !== undefined) return chosen.const;
  switch (chosen.type) {
    case "object": {
      const old = (value ?? {}) as { [key: string]: Json };
      const known = Object.entries(chosen.properties ?? {}).map(([name, one]): [string, Json] => [
        name,
        TOLD_BY_GITHUB.has(name) ? (old[name] ?? null) : walk(one, old[name], text),
      ]);
      if (typeof chosen.additionalProperties !== "object") return Object.fromEntries(known);
      const each = chosen.additionalProperties;
      const name = isFree(chosen.propertyNames ?? { type: "string" }) ? text : (old: string) => old;
      return Object.fromEntries(Object.entries(old).map(([key, one]) => [name(key), walk(each, one, text)]));
    }
    case "array": {
      if (chosen.prefixItems !== undefined) {
        return chosen.prefixItems.map((one, index) => walk(one, (value as Json[] | undefined)?.[index], text));
      }
      const list = (value ?? []) as Json[];
      const items = chosen.items ?? {};
      return list.length === 0 ? [walk(items, undefined, text)] : list.map((one) => walk(items, one, text));
    }
    default:
      if (value !== undefined) return value;
      return chosen.enum?.[0] ?? (chosen.type === "boolean" ? false : chosen.type === "null" ? null : 1);
  }
}
