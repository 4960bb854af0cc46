import { z } from "zod";
import { conform, isMap, pipelineSchema, plain, readValues, stageSchema } from "../config/index.ts";
import type { PipelineConfig, Positioned, StageConfig, Value, ValueMap } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Failure, RelativePath, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import type { ModuleFiles } from "./functions/modules.ts";
import { fileHooks } from "./hooks.ts";
import type { Hooks } from "./hooks.ts";
import type { ParamFiles } from "./params.ts";
import { toStage } from "./stage.ts";
import type { LooseStage } from "./stage.ts";
import { resolveTemplate } from "./template/resolve.ts";
import type { Resolved, Template } from "./template/resolve.ts";
import { NOTHING, toTopLevel } from "./top-level.ts";
import type { TopLevel } from "./top-level.ts";
import { unpackingOf } from "./template/unpacking.ts";

/** A file of pipelines, before its graph is known. */
export interface PipelineFile {
  /** The pipeline that it is, or belongs to. */
  readonly pipeline: string;
  readonly file: string;
  /** Folder that its paths are relative to; "" for the root. */
  readonly folder: string;
}

/** What could be read of a file: also one with faults has stages, so that its graph's faults are told in the same go. */
export interface FileRead {
  readonly stages: readonly LooseStage[];
  /** Around a run of the file's pipeline. */
  readonly hooks?: Hooks;
  readonly top: TopLevel;
  readonly failures: readonly Failure[];
}

const GROUP = ["foreach", "do"];
const LONGEST_NAME = 200;
const loose = z.object(stageSchema.shape);

/** Reads a file's stages: fields, expressions, paths, and what functions are made of. */
export async function readStages(
  source: Source,
  { params, modules }: { readonly params: ParamFiles; readonly modules: ModuleFiles },
  from: PipelineFile,
): Promise<Result<FileRead>> {
  const { file, folder } = from;
  const bytes = await source.read(file);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return fail({ code: "file-missing", path: file });
  const text = bytes.value.toString("utf8");
  const values = readValues(file, text);
  if (!values.ok) return ok({ stages: [], top: NOTHING, failures: values.failures });
  const { at } = values.value;
  const parsed = conform(plain(values.value.value), pipelineSchema, at);
  if (!parsed.ok) return ok({ stages: [], top: NOTHING, failures: parsed.failures });
  const wrong = formProblems(parsed.value, at);
  if (wrong.length > 0) return ok({ stages: [], top: NOTHING, failures: wrong });
  const unpacking = await unpackingOf(source);
  if (!unpacking.ok) return unpacking;
  const template = { file, folder, at, unpacking: unpacking.value, ...fieldsOf(values.value.value) };
  const resolved = await resolveTemplate(template, async (path) => {
    const read = await params.values(path);
    return read.ok ? ok(read.value?.value) : read;
  });
  if (!resolved.ok) return ok({ stages: [], top: NOTHING, failures: resolved.failures });
  const hooks = fileHooks(parsed.value.hooks, { folder: folder === "" ? null : (folder as RelativePath), at });
  const read = resolved.value.stages.map((stage) => stageOf(stage, from, at, hooks.stage));
  const stages = read.flatMap(({ stage }) => (stage === undefined ? [] : [stage]));
  const complete = await Promise.all(stages.map((stage) => modules.complete(stage)));
  const top = toTopLevel(plain(resolved.value.top), folder, at);
  return ok({
    hooks: hooks.run,
    stages: complete.map(({ stage }) => stage),
    failures: [...[...read, ...complete].flatMap(({ failures }) => failures), ...(top.ok ? [] : top.failures)],
    top: top.ok ? top.value : NOTHING,
  });
}

function stageOf(
  { name, config, where, item }: Resolved,
  { file, folder }: PipelineFile,
  at: Positioned<unknown>["at"],
  hooks: Hooks,
): { readonly stage?: LooseStage; readonly failures: readonly Failure[] } {
  const value = plain(config);
  const strict = conform(value, stageSchema, at, where);
  const read = strict.ok ? strict : conform(value, loose, at, where);
  const failures = strict.ok ? [] : [...strict.failures];
  if (!read.ok) return { failures };
  const made = toStage(name, read.value as StageConfig, {
    file,
    folder,
    at,
    where,
    hooks,
    item: item === undefined ? null : plain(item),
  });
  failures.push(...made.failures);
  if (name.length > LONGEST_NAME) {
    failures.push({ code: "file-invalid", at: at(where), problem: `the stage's name has ${name.length} characters` });
  }
  return { stage: made.stage, failures };
}

/** A stage is a dictionary of fields, or of `foreach` and `do`, and these two together and alone. */
function formProblems(value: PipelineConfig, at: Positioned<unknown>["at"]): Failure[] {
  return Object.entries(value.stages ?? {}).flatMap(([name, stage]): Failure[] => {
    const where = ["stages", name];
    const invalid = (path: PropertyKey[], problem: string): Failure => ({
      code: "file-invalid",
      at: at([...where, ...path], { key: path.length > 0 }),
      problem,
    });
    const dictionary = (field: string): Failure[] => {
      const member = stage[field];
      if (member === undefined || (typeof member === "object" && member !== null && !Array.isArray(member))) return [];
      return [invalid([field], `"stages.${name}.${field}" is not a dictionary`)];
    };
    if (!GROUP.some((field) => field in stage)) return dictionary("matrix");
    const lost = GROUP.filter((field) => !(field in stage));
    const odd = Object.keys(stage).filter((field) => !GROUP.includes(field));
    return [
      ...lost.map((field) => invalid([], `"${field}" is missing in "stages.${name}"`)),
      ...odd.map((field) => invalid([field], `"${field}" goes into "do" where there is a "foreach"`)),
      ...dictionary("do"),
    ];
  });
}

function fieldsOf(file: Value): Pick<Template, "vars" | "stages" | "top"> {
  const { vars = [], stages = {}, params = [], metrics = [], plots = [], artifacts = {} } = isMap(file) ? file : {};
  return {
    top: { params, metrics, plots, artifacts },
    vars: vars as Template["vars"],
    stages: stages as Readonly<Record<string, ValueMap>>,
  };
}
