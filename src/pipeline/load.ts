import { z } from "zod";
import { parseConfig, pipelineSchema, stageSchema } from "../config/index.ts";
import type { DataLock, PipelineConfig, Positioned } from "../config/index.ts";
import { all, compareCodeUnits, fail, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Result } from "../core/index.ts";
import { datasetAt, loadDataLock } from "../data/index.ts";
import type { Source } from "../git/index.ts";
import { missingDeps } from "./deps.ts";
import { outputsTwice, toGraph } from "./graph.ts";
import { toStage } from "./stage.ts";
import type { LooseStage, Pipeline, Stage } from "./stage.ts";

const FOLDER = "pipelines";
const DVC_FILE = "dvc.yaml";

/** Every pipeline of a tree, in order of name. Outputs of different pipelines must not meet either. */
export async function loadPipelines(source: Source): Promise<Result<Pipeline[]>> {
  const files = await pipelineFiles(source);
  if (!files.ok) return files;
  const twice = [...Map.groupBy(files.value, ({ name }) => name).values()].filter((group) => group.length > 1);
  const clash = failedIfAny(
    twice.map((group): Failure => ({
      code: "usage",
      message: `${group.map(({ file }) => file).join(" and ")} are both the pipeline "${group[0]?.name}"`,
      hint: "rename one of them",
    })),
  );
  if (clash) return clash;
  const pipelines = all(await Promise.all(files.value.map(({ name, file }) => loadFile(source, name, file))));
  if (!pipelines.ok) return pipelines;
  const overlaps = pipelines.value.flatMap((pipeline, index) => {
    const mine = new Set(pipeline.stages.flatMap(({ outs }) => outs.map(({ path }) => path)));
    const others = pipelines.value.slice(0, index).flatMap((other) => rename(other));
    return outputsTwice([...others, ...rename(pipeline)], pipeline.at).filter(
      (failure) => failure.code === "output-twice" && mine.has(failure.path as never),
    );
  });
  return failedIfAny(overlaps) ?? pipelines;
}

/** One pipeline by name: `pipelines/<name>.yaml` (or .yml), or `dvc` for the `dvc.yaml` at the root. */
export async function loadPipeline(source: Source, name: string): Promise<Result<Pipeline>> {
  const files = await pipelineFiles(source);
  if (!files.ok) return files;
  const found = files.value.find((file) => file.name === name);
  if (found !== undefined) return loadFile(source, name, found.file);
  return fail({ code: "unknown-name", what: "pipeline", name, known: files.value.map((file) => file.name) });
}

async function pipelineFiles(source: Source): Promise<Result<{ name: string; file: string }[]>> {
  const listed = await source.list(FOLDER);
  if (!listed.ok) return listed;
  const dvc = await source.stat(DVC_FILE);
  if (!dvc.ok) return dvc;
  const files = listed.value.flatMap((file) => {
    const name = /^pipelines\/([^/]+)\.ya?ml$/.exec(file)?.[1];
    return name === undefined ? [] : [{ name, file }];
  });
  if (dvc.value === "file") files.push({ name: "dvc", file: DVC_FILE });
  return ok(files.sort((a, b) => compareCodeUnits(a.name, b.name)));
}

/** All that is wrong with one file: its fields, its graph and deps that are nowhere. */
async function loadFile(source: Source, name: string, file: string): Promise<Result<Pipeline>> {
  const text = await source.read(file);
  if (!text.ok) return text;
  if (text.value === undefined) return fail({ code: "file-missing", path: file });
  const lock = await loadDataLock(source);
  if (!lock.ok) return lock;
  const parsed = parse(file, text.value.toString("utf8"));
  if (parsed.config === undefined) return parsed.problems;
  const { value, at } = parsed.config;
  const stages = Object.entries(value.stages).map(([stage, config]) => toStage(stage, config));
  const graph = toGraph(stages, at);
  const missing = await missingDeps(source, lock.value, stages, at);
  if (!missing.ok) return missing;
  const failures = [
    ...(parsed.problems?.failures ?? []),
    ...unsupported(file, value, at),
    ...inDatasets(stages, lock.value, at),
    ...(graph.ok ? [] : graph.failures),
    ...missing.value,
  ];
  return failedIfAny(failures) ?? ok({ name, file, stages: (graph as { value: Stage[] }).value, at });
}

type Parsed =
  | { readonly config: Positioned<PipelineConfig>; readonly problems?: Extract<Result<never>, { ok: false }> }
  | { readonly config?: undefined; readonly problems: Extract<Result<never>, { ok: false }> };

/** A file whose only fault is unknown keys is read without them, so that its graph's faults are told in the same go. */
function parse(file: string, text: string): Parsed {
  const strict = parseConfig(file, text, pipelineSchema);
  if (strict.ok) return { config: strict.value };
  const { name, ...rest } = { name: pipelineSchema.shape.stages.keyType, ...pipelineSchema.shape };
  const loose = parseConfig(file, text, z.object({ ...rest, stages: z.record(name, z.object(stageSchema.shape)) }));
  return loose.ok ? { config: loose.value, problems: strict } : { problems: strict };
}

/** What has a meaning in DVC that Lockstep does not give it: said, never ignored. */
function unsupported(file: string, config: PipelineConfig, at: Positioned<PipelineConfig>["at"]): Failure[] {
  return Object.entries(config.stages).flatMap(([name, stage]): Failure[] => {
    const failures: Failure[] = [];
    if (stage.frozen === true) {
      failures.push({ code: "unsupported", what: "a frozen stage", at: at(["stages", name, "frozen"]) });
    }
    if (file === DVC_FILE && /(^|[^\\])\$\{/.test(JSON.stringify(stage))) {
      failures.push({ code: "unsupported", what: "templating with ${...}", at: at(["stages", name], { key: true }) });
    }
    return failures;
  });
}

/** Outputs are deleted before their stage runs, and datasets are not for deleting. */
function inDatasets(stages: readonly LooseStage[], lock: DataLock, at: Pipeline["at"]): Failure[] {
  return stages.flatMap(({ outs }) =>
    outs.flatMap(({ path, where }): Failure[] => {
      const met = datasetAt(lock, path);
      if (met === undefined) return [];
      const problem = `${path} meets the dataset "${met.name}" (${met.dataset.path}), which only \`lockstep data\` writes`;
      return [{ code: "file-invalid", at: at(where), problem }];
    }),
  );
}

/** Stage names are unique in a pipeline only; across pipelines the pipeline goes before them. */
function rename(pipeline: Pipeline): Stage[] {
  return pipeline.stages.map((stage) => ({ ...stage, name: `${pipeline.name}: ${stage.name}` }));
}
