import type { DataFormat, StageConfig } from "../../config/index.ts";
import { compareCodeUnits } from "../../core/index.ts";
import type { Failure, RelativePath } from "../../core/index.ts";
import type { KeyInputs } from "../key.ts";
import type { Placed, Root, Stage, Use, Where } from "../stage.ts";

/** A file that a function takes or gives, by the name it has in the code. */
export interface Named extends Placed {
  readonly name: string;
  readonly format: DataFormat;
}

export interface NamedOutput extends Named {
  readonly use: Use;
  readonly cache: boolean | undefined;
  readonly persist: boolean | undefined;
}

/** A stage that is an exported function: the engine reads its inputs and writes its outputs. */
export interface StageFunction {
  readonly module: RelativePath;
  readonly name: string;
  /** By name, in code-unit order. */
  readonly inputs: readonly Named[];
  readonly outputs: readonly NamedOutput[];
  /** Where it is named. */
  readonly where: readonly PropertyKey[];
}

interface Declaration {
  readonly at: Stage["at"];
  readonly root: Root;
  readonly where: Where;
  /** Takes what is wrong. */
  readonly failures: Failure[];
}

const BY_ENDING: readonly (readonly [RegExp, DataFormat])[] = [
  [/\.csv$/i, "csv"],
  [/\.json$/i, "json"],
  [/\.(jsonl|ndjson)$/i, "jsonl"],
  [/\.parquet$/i, "parquet"],
  [/\.(txt|md)$/i, "text"],
];

/** Reads `run`, `inputs` and `outputs` of a stage; null where it has commands, and where it has neither. */
export function toFunction(config: StageConfig, { at, root, where, failures }: Declaration): StageFunction | null {
  const wrong = (path: PropertyKey[], problem: string, hint?: string): void => {
    failures.push({ code: "file-invalid", at: at(where(...path)), problem, ...(hint === undefined ? {} : { hint }) });
  };
  const shown = where().map(String).join(".");
  if (config.run === undefined) {
    if (config.cmd === undefined) wrong([], `"cmd" is missing in "${shown}"`, "a command, or `run: file.ts#function`");
    for (const field of ["inputs", "outputs"] as const)
      if (config[field] !== undefined) wrong([field], `"${field}" goes with "run", and this stage has none`);
    return null;
  }
  if (config.cmd !== undefined) wrong(["run"], `"${shown}" has both "cmd" and "run"; a stage is one of them`);
  const [file = "", name = ""] = config.run.split("#");
  const module = root(file, where("run"));
  const inputs = Object.entries(config.inputs ?? {}).flatMap(([input, entry]): Named[] => {
    const fields = typeof entry === "string" ? { path: entry } : entry;
    const place = where("inputs", input);
    const path = root(fields.path, place);
    return path === undefined ? [] : [{ name: input, path, format: fields.format ?? formatOf(path), where: place }];
  });
  const outputs = Object.entries(config.outputs ?? {}).flatMap(([output, entry]): NamedOutput[] => {
    const { use = "out", cache, persist, ...fields } = typeof entry === "string" ? { path: entry } : entry;
    const place = where("outputs", output);
    const path = root(fields.path, place);
    if (path === undefined) return [];
    return [{ name: output, path, format: fields.format ?? formatOf(path), use, cache, persist, where: place }];
  });
  for (const [first, second] of twice(outputs))
    wrong(["outputs", second], `"${second}" and "${first}" are one file; a file holds one output`);
  if (module === undefined) return null;
  return { module, name, inputs: byName(inputs), outputs: byName(outputs), where: where("run") };
}

/** What the key holds of it; the content of its modules is among the deps. */
export function keyOf({ module, name, inputs, outputs }: StageFunction): NonNullable<KeyInputs["function"]> {
  const files = (list: readonly Named[]): { name: string; path: RelativePath; format: DataFormat }[] =>
    list.map(({ name: known, path, format }) => ({ name: known, path, format }));
  return { module, name, inputs: files(inputs), outputs: files(outputs) };
}

function formatOf(path: string): DataFormat {
  return BY_ENDING.find(([ending]) => ending.test(path))?.[1] ?? "bytes";
}

function twice(outputs: readonly NamedOutput[]): [string, string][] {
  const first = new Map<string, string>();
  return outputs.flatMap(({ path, name }): [string, string][] => {
    const other = first.get(path);
    first.set(path, other ?? name);
    return other === undefined ? [] : [[other, name]];
  });
}

function byName<T extends Named>(list: T[]): T[] {
  return list.sort((a, b) => compareCodeUnits(a.name, b.name));
}
