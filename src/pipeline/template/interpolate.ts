import { isMap } from "../../config/index.ts";
import type { Value } from "../../config/index.ts";
import { expressionsIn, partsOfExpression } from "./expression.ts";
import { nameOf } from "./scope.ts";
import type { Scope } from "./scope.ts";
import { optionsOf, textOf } from "./text.ts";
import type { Unpacking } from "./text.ts";

/** What an interpolation met, and where in the value. */
export interface Broken {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
  readonly hint?: string;
}

export interface Interpolation {
  readonly scope: Scope;
  readonly unpacking: Unpacking;
  /** What may stand in a `${...}`: any value (iterables), one value, or in a command also a dictionary. */
  readonly allow: "any" | "single" | "command";
}

/** The value with every `${...}` in its texts and keys filled in. A text that is one `${...}` becomes what that is. */
export function interpolate(
  value: Value,
  how: Interpolation,
  broken: Broken[],
  path: readonly PropertyKey[] = [],
): Value {
  if (typeof value === "string") return fill(value, how, broken, path);
  if (Array.isArray(value)) return value.map((item: Value, at) => interpolate(item, how, broken, [...path, at]));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const key = fill(name, how, broken, [...path, name]);
      return [typeof key === "string" ? key : textOf(key), interpolate(member, how, broken, [...path, name])];
    }),
  );
}

function fill(text: string, how: Interpolation, broken: Broken[], path: readonly PropertyKey[]): Value {
  const expressions = expressionsIn(text);
  const [only] = expressions;
  if (expressions.length === 1 && only!.from === 0 && only!.to === text.length) {
    return valueOf(only!.inner, how, broken, path) ?? null;
  }
  let filled = "";
  let at = 0;
  for (const { from, to, inner } of expressions) {
    const value = valueOf(inner, how, broken, path);
    const spelled = value === undefined ? "" : isMap(value) ? optionsOf(value, how.unpacking) : textOf(value);
    if (spelled === undefined)
      broken.push({ path, problem: `\${${inner}} holds a list of lists or dictionaries, which no option says` });
    filled += text.slice(at, from) + (spelled ?? "");
    at = to;
  }
  return (filled + text.slice(at)).replaceAll("\\${", "${");
}

function valueOf(
  inner: string,
  { scope, allow }: Interpolation,
  broken: Broken[],
  path: readonly PropertyKey[],
): Value | undefined {
  const parts = partsOfExpression(inner) ?? [inner];
  const value = scope.select(parts);
  if (value === undefined) {
    const hint = scope.hint(parts);
    broken.push({
      path,
      problem: `\${${inner}}: there is no variable "${parts.join(".")}"`,
      ...(hint === undefined ? {} : { hint }),
    });
    return undefined;
  }
  const single = !Array.isArray(value) && !isMap(value);
  if (single || allow === "any" || (allow === "command" && isMap(value))) return value;
  broken.push({ path, problem: `\${${inner}} is ${nameOf(value)}, which cannot stand here` });
  return undefined;
}
