import { canonicalJson, compareCodeUnits } from "../core/index.ts";
import type { Json } from "../core/index.ts";
import type { Content, KeyInputs } from "./key.ts";

const SHOWN = 3;
const WIDEST = 40;

/** Why a stage runs although it ran before, in a person's words: `params.yaml: train.epochs 10 -> 12; src changed`. */
export function reasonOf(before: KeyInputs, after: KeyInputs): string {
  const reasons = [
    ...(commandOf(before) === commandOf(after) ? [] : ["its command changed"]),
    ...paramReasons(before.params, after.params),
    ...contentReasons(before.deps, after.deps),
    ...contentReasons(before.env.files, after.env.files),
    ...valueReasons("environment", before.env.vars, after.env.vars),
    ...(before.env.image === after.env.image ? [] : [`image ${text(before.env.image)} -> ${text(after.env.image)}`]),
    ...(canonicalJson(before.outs) === canonicalJson(after.outs) ? [] : ["its outputs are declared differently"]),
  ];
  if (reasons.length === 0) return "there is no record of it, although nothing it depends on changed";
  const more = reasons.length - SHOWN;
  return reasons.slice(0, SHOWN).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function commandOf({ cmd, wdir, function: code }: KeyInputs): string {
  return canonicalJson([cmd, wdir, code ?? null]);
}

/** What differs between two sets of parameters, one line each. */
export function paramReasons(before: KeyInputs["params"], after: KeyInputs["params"]): string[] {
  return union(before, after).flatMap((file) => valueReasons(file, before[file] ?? {}, after[file] ?? {}));
}

function valueReasons(
  where: string,
  before: Readonly<Record<string, Json>>,
  after: Readonly<Record<string, Json>>,
): string[] {
  return union(before, after).flatMap((name) =>
    difference(name, before[name], after[name]).map((line) => `${where}: ${line}`),
  );
}

/** A group of parameters is told member by member. */
function difference(name: string, before: Json | undefined, after: Json | undefined): string[] {
  if (canonicalJson([before ?? null, before === undefined]) === canonicalJson([after ?? null, after === undefined]))
    return [];
  if (before === undefined) return [`${name} ${text(after)} is new`];
  if (after === undefined) return [`${name} is gone`];
  if (isGroup(before) && isGroup(after)) {
    return union(before, after).flatMap((member) => difference(`${name}.${member}`, before[member], after[member]));
  }
  return [`${name} ${text(before)} -> ${text(after)}`];
}

function contentReasons(before: readonly Content[], after: readonly Content[]): string[] {
  const old = new Map(before.map(({ path, digest }) => [path, digest]));
  const now = new Map(after.map(({ path, digest }) => [path, digest]));
  return [
    ...[...now]
      .filter(([path, digest]) => old.get(path) !== digest)
      .map(([path]) => `${path} ${old.has(path) ? "changed" : "is new"}`),
    ...[...old.keys()].filter((path) => !now.has(path)).map((path) => `${path} is no dep any more`),
  ];
}

function union(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareCodeUnits);
}

function isGroup(value: Json): value is Readonly<Record<string, Json>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function text(value: Json | undefined): string {
  const whole = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return whole.length > WIDEST ? `${whole.slice(0, WIDEST)}...` : whole;
}
