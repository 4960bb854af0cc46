import { posix } from "node:path";
import { all, compareCodeUnits, fail, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Result } from "../core/index.ts";
import { loadDatasets } from "../data/index.ts";
import type { Source } from "../git/index.ts";
import { checkpointsMet } from "./checkpoint-paths.ts";
import { datasetsOf, missingDeps } from "./deps.ts";
import type { Datasets } from "./deps.ts";
import { readStages } from "./file.ts";
import type { FileRead, PipelineFile } from "./file.ts";
import { edgesOf, makersOf, outputsTwice, toGraph } from "./graph.ts";
import { ModuleFiles } from "./functions/modules.ts";
import type { Hooks } from "./hooks.ts";
import { ParamFiles } from "./params.ts";
import type { LooseStage, Pipeline } from "./stage.ts";
import { together } from "./top-level.ts";

const DVC = { name: "dvc", file: "dvc.yaml" };

/** Every pipeline of a tree, in order of name. Outputs of different pipelines must not meet either. */
export async function loadPipelines(source: Source): Promise<Result<Pipeline[]>> {
  const tree = await readTree(source);
  if (!tree.ok) return tree;
  const pipelines = all(await Promise.all(namesOf(tree.value).map((name) => assemble(tree.value, name))));
  if (!pipelines.ok) return pipelines;
  const everyone = tree.value.files.flatMap((file) => named(file, ""));
  return failedIfAny(outputsTwice(everyone, makersOf(everyone))) ?? pipelines;
}

/**
 * One pipeline by name: `pipelines/<name>.yaml` (or .yml), or `dvc` for all `dvc.yaml` of the tree. Stages of other
 * pipelines that it needs, directly or not, are part of it, as `file:stage`.
 */
export async function loadPipeline(source: Source, name: string): Promise<Result<Pipeline>> {
  const tree = await readTree(source);
  if (!tree.ok) return tree;
  const known = namesOf(tree.value);
  return known.includes(name)
    ? assemble(tree.value, name)
    : fail({ code: "unknown-name", what: "pipeline", name, known });
}

type ReadFile = PipelineFile & FileRead;

interface Tree {
  readonly source: Source;
  readonly datasets: Datasets;
  readonly files: readonly ReadFile[];
}

async function readTree(source: Source): Promise<Result<Tree>> {
  const tracked = await loadDatasets(source);
  if (!tracked.ok) return tracked;
  const files = await pipelineFiles(source);
  if (!files.ok) return files;
  const shared = { params: new ParamFiles(source), modules: new ModuleFiles(source) };
  const read = all(
    await Promise.all(
      files.value.map(async (file): Promise<Result<ReadFile>> => {
        const stages = await readStages(source, shared, file);
        return stages.ok ? ok({ ...file, ...stages.value }) : stages;
      }),
    ),
  );
  return read.ok ? ok({ source, datasets: datasetsOf(tracked.value), files: read.value }) : read;
}

function namesOf({ files }: Tree): string[] {
  return [...new Set(files.map(({ pipeline }) => pipeline))].sort(compareCodeUnits);
}

async function pipelineFiles(source: Source): Promise<Result<PipelineFile[]>> {
  const listed = await source.list("");
  if (!listed.ok) return listed;
  const files = listed.value.flatMap((file): PipelineFile[] => {
    const name = /^pipelines\/([^/]+)\.ya?ml$/.exec(file)?.[1];
    if (posix.basename(file) === DVC.file) {
      const folder = posix.dirname(file);
      return [{ pipeline: DVC.name, file, folder: folder === "." ? "" : folder }];
    }
    return name === undefined ? [] : [{ pipeline: name, file, folder: "" }];
  });
  const clashes = [...Map.groupBy(files, ({ pipeline }) => pipeline)].flatMap(([name, group]): Failure[] => {
    const inFolder = group.filter(({ file }) => file.startsWith("pipelines/") && posix.basename(file) !== DVC.file);
    const rival = inFolder.length > 0 ? group.filter((file) => !inFolder.includes(file)).slice(0, 1) : [];
    if (inFolder.length + rival.length < 2) return [];
    return [
      {
        code: "usage",
        message: `${[...inFolder, ...rival].map(({ file }) => file).join(" and ")} are both the pipeline "${name}"`,
        hint: "rename one of them",
      },
    ];
  });
  return failedIfAny(clashes) ?? ok(files.sort((a, b) => depth(a) - depth(b) || compareCodeUnits(a.file, b.file)));
}

/** The root's `dvc.yaml` goes first. */
function depth({ folder }: PipelineFile): number {
  return folder === "" ? 0 : folder.split("/").length;
}

/** A pipeline of its files' stages and of what they need from other files, with all that is wrong with it. */
async function assemble({ source, datasets, files }: Tree, name: string): Promise<Result<Pipeline>> {
  const mine = files.filter(({ pipeline }) => pipeline === name);
  const main = mine.find(({ folder }) => folder === "") ?? mine[0]!;
  const everyone = files.map((file) => ({ file, stages: named(file, main.file) }));
  const own = everyone.filter(({ file }) => file.pipeline === name).flatMap(({ stages }) => stages);
  const makers = makersOf(everyone.flatMap(({ stages }) => stages));
  const chosen = new Map(own.map((stage) => [stage.name, stage]));
  const byName = new Map(everyone.flatMap(({ stages }) => stages.map((stage) => [stage.name, stage])));
  // What is added while it goes on is visited too.
  for (const stage of chosen.values()) {
    if (stage.frozen) continue;
    for (const need of edgesOf(stage, makers).keys()) chosen.set(need, byName.get(need)!);
  }
  const stages = [...chosen.values()];
  const graph = toGraph(stages);
  const missing = await missingDeps(source, datasets, stages, makersOf(stages));
  const lacking = missing.some(({ code }) => code === "dep-missing");
  const broken = files.filter((file) => file.failures.length > 0 && (mine.includes(file) || lacking));
  const failures = [
    ...broken.flatMap((file) => file.failures),
    ...inDatasets(stages, datasets),
    ...checkpointsMet(stages, datasets),
    ...(graph.ok ? [] : graph.failures),
    ...missing,
  ];
  return (
    failedIfAny(failures) ??
    (graph.ok
      ? ok({
          name,
          file: main.file,
          stages: graph.value,
          hooks: hooksOf(mine),
          top: together(mine.map(({ top }) => top)),
        })
      : graph)
  );
}

/** Around what all files have before and after, one after another. */
function hooksOf(files: readonly ReadFile[]): Hooks {
  return {
    before: files.flatMap(({ hooks }) => hooks?.before ?? []),
    after: files.flatMap(({ hooks }) => hooks?.after ?? []),
  };
}

/** A file's stages with names that are unique in a tree: as they are in `main`, and `file:stage` elsewhere. */
function named({ file, stages }: ReadFile, main: string): readonly LooseStage[] {
  return file === main ? stages : stages.map((stage) => ({ ...stage, name: `${file}:${stage.name}` }));
}

/** Outputs are deleted before their stage runs, and datasets are not for deleting. */
function inDatasets(stages: readonly LooseStage[], datasets: Datasets): Failure[] {
  return stages.flatMap(({ outs, at }) =>
    outs.flatMap(({ path, where }): Failure[] => {
      const [met] = datasets.meeting(path);
      if (met === undefined) return [];
      const writer = "file" in met.dataset ? "dvc" : "lockstep data";
      const problem = `${path} meets the dataset "${met.name}" (${met.dataset.path}), which only \`${writer}\` writes`;
      return [{ code: "file-invalid", at: at(where), problem }];
    }),
  );
}
