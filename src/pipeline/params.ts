import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { conform, plain, readPython, readToml, readValues } from "../config/index.ts";
import type { Positioned, Value } from "../config/index.ts";
import { all, fail, ok } from "../core/index.ts";
import type { Failure, Json, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import type { Pipeline, Stage } from "./stage.ts";

type Values = Readonly<Record<string, Json>>;

const schema = z.record(z.string(), z.json());

/** The parameter files of one tree, each read and parsed once. */
export class ParamFiles {
  readonly #source: Source;
  readonly #before: ParamFiles | undefined;
  readonly #files = new Map<string, Promise<Result<Parsed | undefined>>>();

  /** @param before what was read earlier: a file that has not changed since is not parsed again. */
  constructor(source: Source, before?: ParamFiles) {
    this.#source = source;
    this.#before = before;
  }

  /** With integers and floats apart. Undefined: the file is not there. */
  async values(file: string): Promise<Result<Positioned<Value> | undefined>> {
    const parsed = await this.#file(file);
    return parsed.ok ? (parsed.value?.values ?? ok(undefined)) : parsed;
  }

  /** As JSON. Undefined: the file is not there. */
  async read(file: string): Promise<Result<Positioned<Values> | undefined>> {
    const parsed = await this.#file(file);
    if (!parsed.ok || parsed.value === undefined) return parsed as Result<undefined>;
    const { values } = parsed.value;
    return (parsed.value.plain ??= values.ok ? toJson(values.value) : values);
  }

  #file(file: string): Promise<Result<Parsed | undefined>> {
    const known = this.#files.get(file) ?? this.#parse(file);
    this.#files.set(file, known);
    return known;
  }

  async #parse(file: string): Promise<Result<Parsed | undefined>> {
    const bytes = await this.#source.read(file);
    if (!bytes.ok || bytes.value === undefined) return bytes as Result<undefined>;
    const before = this.#before && (await this.#before.#files.get(file));
    if (before?.ok && before.value?.bytes.equals(bytes.value)) return before;
    const text = textIn(file, bytes.value);
    return ok({ bytes: bytes.value, values: text.ok ? await parseValues(file, text.value) : text });
  }
}

/** Beyond it, parsing takes minutes and the values are data. */
const LARGEST = 16 * 1024 * 1024;

function textIn(file: string, bytes: Buffer): Result<string> {
  const at = { file, line: 1, column: 1 };
  if (bytes.length > LARGEST) {
    const problem = `it has ${Math.ceil(bytes.length / 1e6)} MB, and a parameter file has at most 16`;
    return fail({ code: "file-invalid", at, problem, hint: "what is data goes into `deps`" });
  }
  if (isUtf8(bytes)) return ok(bytes.toString("utf8"));
  return fail({ code: "file-invalid", at, problem: "it is no text (UTF-8)" });
}

interface Parsed {
  readonly bytes: Buffer;
  readonly values: Result<Positioned<Value>>;
  plain?: Result<Positioned<Values>>;
}

/** Reads yaml, json, toml or Python's literals, by the file's ending. */
export async function parseParams(file: string, text: string): Promise<Result<Positioned<Values>>> {
  const values = await parseValues(file, text);
  return values.ok ? toJson(values.value) : values;
}

async function parseValues(file: string, text: string): Promise<Result<Positioned<Value>>> {
  if (/\.(ya?ml|json)$/.test(file)) return readValues(file, text);
  if (file.endsWith(".toml")) return readToml(file, text);
  if (file.endsWith(".py")) return readPython(file, text);
  const hint = "yaml, json, toml and py are read";
  return fail({ code: "unsupported", what: `${file} as a parameter file`, hint });
}

function toJson({ file, value, at }: Positioned<Value>): Result<Positioned<Values>> {
  const values = conform(plain(value), schema, at);
  return values.ok ? ok({ file, value: values.value, at }) : values;
}

/** The values a stage reads: file -> parameter -> value. Everything that is missing is told, with its place in the pipeline. */
export async function stageParams(
  files: ParamFiles,
  stage: Stage,
): Promise<Result<Record<string, Record<string, Json>>>> {
  const read = await Promise.all(
    stage.params.map(async ({ path, keys, where }): Promise<Result<[string, Record<string, Json>]>> => {
      const parsed = await files.read(path);
      if (!parsed.ok) return parsed;
      if (parsed.value === undefined) {
        return fail({ code: "file-missing", path, neededBy: `stage "${stage.name}" (${stage.file})` });
      }
      const picked = (keys ?? Object.keys(parsed.value.value)).map((key) =>
        pick(parsed.value as Positioned<Values>, key),
      );
      const failures = picked.flatMap((result, index): Failure[] => {
        if (result.ok) return [];
        const key = keys?.[index] ?? "";
        return result.failures.map((failure) =>
          failure.code === "param-missing" ? { ...failure, key, at: stage.at(where) } : failure,
        );
      });
      const [first, ...rest] = failures;
      if (first !== undefined) return fail(first, ...rest);
      return ok([path, Object.fromEntries(picked.flatMap((result) => (result.ok ? [result.value] : [])))]);
    }),
  );
  const values = all(read);
  return values.ok ? ok(Object.fromEntries(values.value)) : values;
}

/** What every stage of a pipeline reads, by stage; a frozen one reads nothing. */
export async function readParams(
  source: Source,
  pipeline: Pipeline,
): Promise<Result<[string, Record<string, Record<string, Json>>][]>> {
  const files = new ParamFiles(source);
  const read = pipeline.stages
    .filter(({ frozen }) => !frozen)
    .map(async (stage): Promise<Result<[string, Record<string, Record<string, Json>>]>> => {
      const values = await stageParams(files, stage);
      return values.ok ? ok([stage.name, values.value]) : values;
    });
  return all(await Promise.all(read));
}

/** `a.b.c`, where a member's own name may hold dots too; numbers count into lists. */
export function pathOf(value: Json, key: string): readonly string[] | undefined {
  const parts = key.split(".");
  if (value === null || typeof value !== "object") return undefined;
  for (let length = 1; length <= parts.length; length++) {
    const name = parts.slice(0, length).join(".");
    if (!Object.hasOwn(value, name)) continue;
    if (length === parts.length) return [name];
    const rest = pathOf((value as Values)[name] as Json, parts.slice(length).join("."));
    if (rest !== undefined) return [name, ...rest];
  }
  return undefined;
}

function pick(file: Positioned<Values>, key: string): Result<[string, Json]> {
  // Of a whole file the members are taken by their own names, which `pathOf` finds first.
  const path = pathOf(file.value, key);
  if (path === undefined) return fail({ code: "param-missing", at: file.at([]), file: file.file, key });
  const value = path.reduce<Json>((inner, name) => (inner as Values)[name] as Json, file.value);
  const inexact = tooLarge(value, path);
  if (inexact === undefined) return ok([key, value]);
  const at = file.at(inexact);
  const written = at.source?.slice(at.column - 1, at.column - 1 + (at.length ?? 0)) ?? "";
  if (/[.eE]/.test(written)) return ok([key, value]);
  return fail({
    code: "file-invalid",
    at,
    problem: `"${inexact.join(".")}" is an integer beyond 2^53, which would be rounded`,
    hint: "write it as a text (in quotes) or as a float",
  });
}

function tooLarge(value: Json, path: readonly PropertyKey[]): readonly string[] | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? path.map(String) : undefined;
  }
  if (value === null || typeof value !== "object") return undefined;
  for (const [name, member] of Object.entries(value)) {
    const found = tooLarge(member as Json, [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}
