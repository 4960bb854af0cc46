import { posix } from "node:path";
import type { Positioned, Value, ValueMap } from "../../config/index.ts";
import { fail, failedIfAny, ok } from "../../core/index.ts";
import type { Failure, Result } from "../../core/index.ts";
import { expand } from "./expand.ts";
import { holdsExpression, malformed } from "./expression.ts";
import { interpolate } from "./interpolate.ts";
import type { Broken } from "./interpolate.ts";
import { Scope } from "./scope.ts";
import type { ReadValues } from "./scope.ts";
import { textOf } from "./text.ts";
import type { Unpacking } from "./text.ts";

/** A stage whose expressions are filled in. */
export interface Resolved {
  readonly name: string;
  readonly config: ValueMap;
  /** Where it is written: the way from the file's root to its fields. */
  readonly where: readonly PropertyKey[];
  /** Of its `foreach` or `matrix`. */
  readonly item: Value | undefined;
}

/** A file whose expressions are filled in. */
export interface ResolvedFile {
  readonly stages: readonly Resolved[];
  /** What stands beside the stages. */
  readonly top: ValueMap;
}

export interface Template {
  readonly file: string;
  /** Folder that paths in the file are relative to; "" for the root. */
  readonly folder: string;
  readonly vars: readonly (string | ValueMap)[];
  readonly stages: Readonly<Record<string, ValueMap>>;
  readonly top: ValueMap;
  readonly at: Positioned<unknown>["at"];
  readonly unpacking: Unpacking;
}

const DEFAULT_FILE = "params.yaml";

/**
 * Fills in a pipeline file: `vars` and `params.yaml` as variables, `${...}` in texts and keys, `foreach` and `matrix`.
 * The rules are DVC's (`dvc.parsing`), so that a `dvc.yaml` gives the stages that `dvc` reports. Everything that is
 * wrong is told at once.
 */
export async function resolveTemplate(template: Template, read: ReadValues): Promise<Result<ResolvedFile>> {
  const failures: Failure[] = [];
  const scope = await globalScope(template, read, failures);
  if (!scope.ok) return scope;
  const stages: Resolved[] = [];
  for (const [name, definition] of Object.entries(template.stages)) {
    const wrong = malformed(definition);
    if (wrong !== undefined) {
      failures.push(
        failure(template, ["stages", name], {
          path: wrong.path,
          problem: `${wrong.text} is no expression`,
          hint: "as in ${train.lr} or ${models[0].name}",
        }),
      );
      continue;
    }
    const broken: Broken[] = [];
    const expanded = expand(name, definition, scope.value, template.unpacking, broken);
    failures.push(...broken.map((problem) => failure(template, ["stages", name], problem)));
    for (const { name: stage, template: fields, path, own } of expanded) {
      const where = ["stages", name, ...path];
      const config = await stageOf(template, scope.value.with(own), stage, fields, where, read);
      if (config.ok) stages.push({ name: stage, config: config.value, where, item: own["item"] });
      else {
        failures.push(...config.failures);
        break; // the others of its group have the same faults
      }
    }
  }
  const top = topOf(template, scope.value);
  if (!top.ok) failures.push(...top.failures);
  return failedIfAny(failures) ?? (top.ok ? ok({ stages, top: top.value }) : top);
}

function topOf(template: Template, scope: Scope): Result<ValueMap> {
  const wrong = malformed(template.top);
  if (wrong !== undefined)
    return fail(failure(template, [], { path: wrong.path, problem: `${wrong.text} is no expression` }));
  const broken: Broken[] = [];
  const top = interpolate(template.top, { scope, unpacking: template.unpacking, allow: "single" }, broken);
  return failedIfAny(unique(broken).map((problem) => failure(template, [], problem))) ?? ok(top as ValueMap);
}

async function globalScope(template: Template, read: ReadValues, failures: Failure[]): Promise<Result<Scope>> {
  const { vars, folder } = template;
  const at = vars.findIndex(holdsExpression);
  if (at !== -1)
    return fail(failure(template, ["vars", at], { path: [], problem: "variables cannot be made from variables" }));
  const standard = await read(posix.join(folder, DEFAULT_FILE));
  if (!standard.ok) return standard;
  const loaded = await Scope.empty().load(
    standard.value === undefined ? vars : [DEFAULT_FILE, ...vars],
    folder,
    read,
    (index) => `vars[${index - (standard.value === undefined ? 0 : 1)}]`,
  );
  if (!loaded.ok || loaded.value instanceof Scope) return loaded as Result<Scope>;
  const index = loaded.value.index - (standard.value === undefined ? 0 : 1);
  failures.push(failure(template, index < 0 ? [] : ["vars", index], { path: [], ...said(loaded.value.problem) }));
  return fail(failures[0]!);
}

async function stageOf(
  template: Template,
  scope: Scope,
  name: string,
  fields: ValueMap,
  where: readonly PropertyKey[],
  read: ReadValues,
): Promise<Result<ValueMap>> {
  const broken: Broken[] = [];
  const { vars, ...rest } = fields;
  const single = { unpacking: template.unpacking, allow: "single" } as const;
  const list = Array.isArray(vars) ? (vars as readonly (string | ValueMap)[]) : [];
  let own = scope;
  if (list.length > 0) {
    const at = list.findIndex(holdsExpression);
    if (at !== -1)
      return fail(failure(template, where, { path: ["vars", at], problem: "variables cannot be made from variables" }));
    const wdir =
      rest["wdir"] === undefined ? "" : textOf(interpolate(rest["wdir"], { ...single, scope }, broken, ["wdir"]));
    const loaded = await scope.load(list, posix.join(template.folder, wdir), read, (index) => `${name}.vars[${index}]`);
    if (!loaded.ok) return loaded;
    if (!(loaded.value instanceof Scope)) {
      return fail(failure(template, where, { path: ["vars", loaded.value.index], ...said(loaded.value.problem) }));
    }
    own = loaded.value;
  }
  const config = Object.fromEntries(
    Object.entries(rest).map(([field, value]): [string, Value] => [
      field,
      interpolate(value, { ...single, scope: own, allow: field === "cmd" ? "command" : "single" }, broken, [field]),
    ]),
  );
  const [first, ...more] = unique(broken).map((problem) => failure(template, where, problem));
  return first === undefined ? ok(config) : fail(first, ...more);
}

function unique(broken: readonly Broken[]): Broken[] {
  return [...new Map(broken.map((problem) => [JSON.stringify([problem.path, problem.problem]), problem])).values()];
}

function said({ problem, hint }: { problem: string; hint: string | undefined }): { problem: string; hint?: string } {
  return hint === undefined ? { problem } : { problem, hint };
}

function failure({ at }: Template, where: readonly PropertyKey[], { path, problem, hint }: Broken): Failure {
  return { code: "file-invalid", at: at([...where, ...path]), problem, ...(hint === undefined ? {} : { hint }) };
}
