import { isMap } from "../../config/index.ts";
import type { Value, ValueMap } from "../../config/index.ts";
import { interpolate } from "./interpolate.ts";
import type { Broken } from "./interpolate.ts";
import { nameOf } from "./scope.ts";
import type { Scope } from "./scope.ts";
import { textOf } from "./text.ts";
import type { Unpacking } from "./text.ts";

/** One stage that a definition makes: its name, what to fill in, and the variables that are its own. */
export interface Expanded {
  readonly name: string;
  readonly template: ValueMap;
  /** From the definition to the template: nothing, or "do". */
  readonly path: readonly PropertyKey[];
  readonly own: ValueMap;
}

/**
 * The stages of one entry of `stages`: itself, one for each item of its `foreach`, or one for each combination of its
 * `matrix`, named `stage@item` as DVC names them.
 */
export function expand(
  name: string,
  definition: ValueMap,
  scope: Scope,
  unpacking: Unpacking,
  broken: Broken[],
): Expanded[] {
  const { foreach, do: body, matrix, ...rest } = definition;
  if (foreach !== undefined && isMap(body)) {
    const items = interpolate(foreach, { scope, unpacking, allow: "any" }, broken, ["foreach"]);
    const byKey = itemsOf(items, broken);
    return [...byKey].map(([key, item]) => ({
      name: `${name}@${key}`,
      template: body,
      path: ["do"],
      own: isMap(items) ? { item, key } : { item },
    }));
  }
  if (matrix === undefined) return [{ name, template: definition, path: [], own: {} }];
  const axes = interpolate(matrix, { scope, unpacking, allow: "any" }, broken, ["matrix"]);
  return [...combinationsOf(isMap(axes) ? axes : {}, broken)].map(([key, item]) => ({
    name: `${name}@${key}`,
    template: rest,
    path: [],
    own: { item, key },
  }));
}

/** A dictionary's items by their keys, a list's by themselves, or by position where one of them is composite. */
function itemsOf(items: Value, broken: Broken[]): Map<string, Value> {
  if (isMap(items)) return new Map(Object.entries(items));
  if (!Array.isArray(items)) {
    if (broken.length === 0)
      broken.push({
        path: ["foreach"],
        problem: `foreach goes over a list or a dictionary, and this is ${nameOf(items)}`,
      });
    return new Map();
  }
  const list = items as readonly Value[];
  const byPosition = list.some((item) => Array.isArray(item) || isMap(item));
  return new Map(list.map((item, at) => [byPosition ? String(at) : textOf(item), item]));
}

/** Every combination of the axes, the last one fastest. A composite value is named by its axis and position. */
function combinationsOf(axes: ValueMap, broken: Broken[]): Map<string, ValueMap> {
  let combinations: [string[], ValueMap][] = [[[], {}]];
  for (const [axis, values] of Object.entries(axes)) {
    const list = Array.isArray(values) ? (values as readonly Value[]) : isMap(values) ? Object.keys(values) : undefined;
    if (list === undefined) {
      if (broken.length === 0)
        broken.push({ path: ["matrix", axis], problem: `an axis is a list, and this is ${nameOf(values)}` });
      return new Map();
    }
    combinations = combinations.flatMap(([names, chosen]) =>
      list.map((value, at): [string[], ValueMap] => [
        [...names, Array.isArray(value) || isMap(value) ? `${axis}${at}` : textOf(value)],
        { ...chosen, [axis]: value },
      ]),
    );
  }
  return new Map(combinations.map(([names, chosen]) => [names.join("-"), chosen]));
}
