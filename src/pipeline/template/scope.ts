import { posix } from "node:path";
import { isMap } from "../../config/index.ts";
import type { Value, ValueMap } from "../../config/index.ts";
import { nearest, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";

/** Reads a parameter file of the tree; undefined: it is not there. */
export type ReadValues = (file: string) => Promise<Result<Value | undefined>>;

/** Why variables cannot be loaded, in a person's words; the caller knows the place. */
export class ScopeProblem {
  readonly problem: string;
  readonly hint: string | undefined;

  constructor(problem: string, hint?: string) {
    this.problem = problem;
    this.hint = hint;
  }
}

type Variables = Map<string, Variable>;
type Variable = Variables | { readonly value: Value; readonly source: string };

/**
 * The variables that `${...}` may name: parameter files and `vars`, merged without one replacing another. A scope is
 * not changed by what is made from it.
 */
export class Scope {
  readonly #variables: Variables;
  /** File -> keys that were taken from it; null: all. */
  readonly #imports: Map<string, readonly string[] | null>;
  readonly #reserved: ReadonlySet<string>;

  private constructor(
    variables: Variables,
    imports: ReadonlyMap<string, readonly string[] | null>,
    reserved: ReadonlySet<string>,
  ) {
    this.#variables = variables;
    this.#imports = new Map(imports);
    this.#reserved = reserved;
  }

  static empty(): Scope {
    return new Scope(new Map(), new Map(), new Set());
  }

  /** A scope with these in the place of what has their names, which nothing may redefine. */
  with(values: ValueMap): Scope {
    const variables = new Map(this.#variables);
    for (const [name, value] of Object.entries(values)) variables.set(name, toVariable(value, "the iteration"));
    return new Scope(variables, this.#imports, new Set([...this.#reserved, ...Object.keys(values)]));
  }

  /**
   * A scope with `vars` besides: dictionaries, and files (relative to `folder`) as `file` or `file:key,key`.
   * @param label says where a dictionary of the list stands: `vars[0]`, `train.vars[0]`.
   */
  async load(
    vars: readonly (string | ValueMap)[],
    folder: string,
    read: ReadValues,
    label: (index: number) => string,
  ): Promise<Result<Scope | { readonly index: number; readonly problem: ScopeProblem }>> {
    const scope = new Scope(copyOf(this.#variables), this.#imports, this.#reserved);
    for (const [index, item] of vars.entries()) {
      if (typeof item === "string") {
        const loaded = await scope.#loadFile(item, folder, read);
        if (!loaded.ok) return loaded;
        if (loaded.value !== undefined) return ok({ index, problem: loaded.value });
        continue;
      }
      const problem = scope.#merge(item, label(index), item);
      if (problem !== undefined) return ok({ index, problem });
    }
    return ok(scope);
  }

  async #loadFile(item: string, folder: string, read: ReadValues): Promise<Result<ScopeProblem | undefined>> {
    const colon = item.indexOf(":");
    const file = posix.normalize(posix.join(folder, colon === -1 ? item : item.slice(0, colon)));
    const keys =
      colon === -1
        ? []
        : item
            .slice(colon + 1)
            .split(",")
            .filter((key) => key !== "");
    const before = this.#imports.get(file);
    if (before !== undefined) {
      if (keys.length === 0 && before === null) return ok(undefined);
      if (before === null) return problem(`"${item}": all of ${file} is loaded already`);
      const again = keys.filter((key) => before.includes(key));
      if (keys.length === 0 || again.length > 0) return problem(`"${item}": a part of ${file} is loaded already`);
    }
    const found = await read(file);
    if (!found.ok) return found;
    if (found.value === undefined) return problem(`${file} is not there`);
    if (!isMap(found.value)) return problem(`${file} holds ${nameOf(found.value)}, and a dictionary is needed`);
    const values = found.value;
    const lost = keys.find((key) => !Object.hasOwn(values, key));
    if (lost !== undefined) return problem(`there is no "${lost}" in ${file}`, hintFor(lost, Object.keys(values)));
    const taken = keys.length === 0 ? values : Object.fromEntries(keys.map((key) => [key, values[key] as Value]));
    const clash = this.#merge(taken, file, taken);
    if (clash !== undefined) return ok(clash);
    this.#imports.set(file, keys.length === 0 ? null : [...(before ?? []), ...keys]);
    return ok(undefined);
  }

  #merge(values: ValueMap, source: string, top: ValueMap): ScopeProblem | undefined {
    const reserved = Object.keys(top).filter((name) => this.#reserved.has(name));
    if (reserved.length > 0) {
      return new ScopeProblem(
        `${reserved.map((name) => `"${name}"`).join(" and ")} is the iteration's own and cannot be set in ${source}`,
      );
    }
    return merge(this.#variables, values, source, []);
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** The value at a path of names and list positions; undefined: there is none. */
  select(parts: readonly string[]): Value | undefined {
    const [first = "", ...rest] = parts;
    let variable = this.#variables.get(first);
    for (const [at, part] of rest.entries()) {
      if (variable === undefined) return undefined;
      if (!(variable instanceof Map)) return inside(variable.value, rest.slice(at));
      variable = variable.get(part);
    }
    return variable === undefined ? undefined : toValue(variable);
  }

  /** The name nearest to a path that is not there, as text after the problem; undefined: nothing is near. */
  hint(parts: readonly string[]): string | undefined {
    for (let depth = 0; depth < parts.length; depth++) {
      const here = depth === 0 ? toValue(this.#variables) : this.select(parts.slice(0, depth));
      const name = parts[depth]!;
      if (!isMap(here) || Object.hasOwn(here, name)) continue;
      return hintFor(name, Object.keys(here), parts.slice(0, depth));
    }
    return undefined;
  }
}

function problem(text: string, hint?: string): Result<ScopeProblem> {
  return ok(new ScopeProblem(text, hint));
}

function merge(into: Variables, values: ValueMap, source: string, path: readonly string[]): ScopeProblem | undefined {
  for (const [name, value] of Object.entries(values)) {
    const known = into.get(name);
    if (known === undefined) into.set(name, toVariable(value, source));
    else if (known instanceof Map && isMap(value)) {
      const clash = merge(known, value, source, [...path, name]);
      if (clash !== undefined) return clash;
    } else {
      const first = known instanceof Map ? sourceOf(known) : known.source;
      return new ScopeProblem(
        `"${[...path, name].join(".")}" of ${source} is there already, from ${first}`,
        "a variable has one place; rename one of them",
      );
    }
  }
  return undefined;
}

function sourceOf(variables: Variables): string {
  for (const variable of variables.values()) return variable instanceof Map ? sourceOf(variable) : variable.source;
  return "another place";
}

function toVariable(value: Value, source: string): Variable {
  if (!isMap(value)) return { value, source };
  return new Map(Object.entries(value).map(([name, member]) => [name, toVariable(member, source)]));
}

function toValue(variable: Variable): Value {
  if (!(variable instanceof Map)) return variable.value;
  return Object.fromEntries([...variable].map(([name, member]) => [name, toValue(member)]));
}

function copyOf(variables: Variables): Variables {
  return new Map(
    [...variables].map(([name, variable]) => [name, variable instanceof Map ? copyOf(variable) : variable]),
  );
}

/** Inside of lists (and of what lies in them), a position from the end counts from -1. */
function inside(value: Value, parts: readonly string[]): Value | undefined {
  let here: Value | undefined = value;
  for (const part of parts) {
    if (Array.isArray(here)) here = /^[-+]?\d+$/.test(part) ? (here as readonly Value[]).at(Number(part)) : undefined;
    else if (isMap(here)) here = Object.hasOwn(here, part) ? here[part] : undefined;
    else return undefined;
  }
  return here;
}

export function nameOf(value: Value): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isMap(value)) return "a dictionary";
  return typeof value === "string" ? "a text" : typeof value === "boolean" ? "true or false" : "a number";
}

function hintFor(name: string, known: readonly string[], before: readonly string[] = []): string | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : `did you mean "${[...before, near].join(".")}"?`;
}
