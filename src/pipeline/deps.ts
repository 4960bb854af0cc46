import { fail, failedIfAny, ok } from "../core/index.ts";
import type { ContentDigest, Digest, Failure, RelativePath, Result } from "../core/index.ts";
import type { Tracked } from "../data/index.ts";
import type { Source } from "../git/index.ts";
import type { Makers } from "./graph.ts";
import type { Content } from "./key.ts";
import { PathIndex } from "./path-index.ts";
import { covers } from "./stage.ts";
import type { LooseStage, Placed, Stage } from "./stage.ts";

/** Where the content of a dep comes from. A folder may be made of several parts. */
export interface DepParts {
  /** Outputs of other stages: the one the dep lies in, or those that lie in it. */
  readonly outs: readonly { readonly stage: string; readonly path: RelativePath }[];
  readonly datasets: readonly Tracked[];
  /** True when files of the repository may be part of it. */
  readonly files: boolean;
}

/** The datasets of a tree by where they lie. */
export type Datasets = PathIndex<Tracked>;

export function datasetsOf(tracked: readonly Tracked[]): Datasets {
  const index: Datasets = new PathIndex();
  for (const one of tracked) index.add(one.dataset.path, one);
  return index;
}

/** Takes a dep apart. What lies in an output or a dataset is that output or dataset as a whole. */
export function partsOf(dep: Placed, stage: string, makers: Makers, datasets: Datasets): DepParts {
  const made = (found: ReturnType<Makers["around"]>): { stage: string; path: RelativePath }[] =>
    found
      .filter((maker) => maker.stage.name !== stage)
      .sort((x, y) => x.order - y.order)
      .map((maker) => ({ stage: maker.stage.name, path: maker.out.path }));
  const outer = made(makers.around(dep.path)).slice(0, 1);
  if (outer.length > 0) return { outs: outer, datasets: [], files: false };
  const holder = datasets.around(dep.path);
  if (holder.length > 0) return { outs: [], datasets: holder, files: false };
  return {
    outs: made([...makers.inside(dep.path)]),
    datasets: datasets.inside(dep.path),
    files: true,
  };
}

/** The paths that a stage's deps stand for. */
export interface Reads {
  /** Outputs of other stages and datasets: they count with all that lies in them. */
  readonly whole: readonly string[];
  /** Files and folders of the repository: of a folder, what git tracks or would track counts. */
  readonly source: readonly string[];
}

export function readsOf(deps: readonly { readonly path: string; readonly parts: DepParts }[]): Reads {
  return {
    whole: deps.flatMap(({ path, parts }) =>
      [...parts.outs.map((out) => out.path), ...parts.datasets.map(({ dataset }) => dataset.path)].map((place) =>
        covers(place, path) ? path : place,
      ),
    ),
    source: deps.flatMap(({ path, parts }) => (parts.files ? [path] : [])),
  };
}

/** What is wrong with deps: they are neither a file, a dataset nor any stage's output, or no file that can be read. */
export async function missingDeps(
  source: Source,
  datasets: Datasets,
  stages: readonly LooseStage[],
  makers: Makers,
): Promise<Failure[]> {
  const failures: Failure[] = [];
  const kinds = new Map<string, boolean>();
  for (const stage of stages) {
    if (stage.frozen) continue;
    for (const dep of [...stage.deps, ...stage.env.files]) {
      const parts = partsOf(dep, stage.name, makers, datasets);
      if (parts.outs.length > 0 || parts.datasets.length > 0) continue;
      if (stage.outs.some(({ path }) => covers(path, dep.path))) continue; // its own output: a cycle, told as one
      let there = kinds.get(dep.path);
      if (there === undefined) {
        const kind = await source.stat(dep.path);
        if (!kind.ok) failures.push(...kind.failures.map((failure) => placed(failure, stage, dep)));
        there = !kind.ok || kind.value !== undefined;
        kinds.set(dep.path, there);
      }
      if (!there) {
        failures.push({ code: "dep-missing", at: stage.at(dep.where), stage: stage.name, path: dep.path });
      }
    }
  }
  return failures;
}

function placed(failure: Failure, stage: LooseStage, dep: Placed): Failure {
  if (failure.code !== "unsupported") return failure;
  const hint =
    "depend on the file that it leads to; what lies outside of the repository comes in with `lockstep data import`";
  return { ...failure, at: stage.at(dep.where), hint };
}

/** What a dep's key entry needs to know beyond its parts. */
export interface DepWorld {
  /** Digest of a stage's output, once it is known. */
  readonly out: (stage: string, path: RelativePath) => ContentDigest | undefined;
  /** Digest of a file, or of a folder's files of its own; undefined where git sees none. */
  readonly file: (path: RelativePath) => Result<Digest | undefined>;
}

/** What lies in a dep and has a digest of its own. */
export function apartIn({ outs, datasets }: DepParts): string[] {
  return [...outs, ...datasets.map(({ dataset }) => dataset)].map(({ path }) => path);
}

/** The key entries of a dep; undefined while an output it takes from is not known. */
export function contentOf(dep: Placed, parts: DepParts, stage: Stage, world: DepWorld): Result<Content[] | undefined> {
  const contents: Content[] = [];
  for (const out of parts.outs) {
    const digest = world.out(out.stage, out.path);
    if (digest === undefined) return ok(undefined);
    contents.push({ path: covers(out.path, dep.path) ? dep.path : out.path, digest });
  }
  for (const { path, digest } of parts.datasets.map(({ dataset }) => dataset))
    contents.push({ path: covers(path, dep.path) ? dep.path : path, digest });
  if (!parts.files) return ok(contents);
  const own = world.file(dep.path);
  if (!own.ok) return failedIfAny(own.failures.map((failure) => placed(failure, stage, dep))) ?? own;
  if (own.value !== undefined) contents.push({ path: dep.path, digest: own.value });
  else if (contents.length === 0) {
    const hint = "git sees nothing there; what git ignores is tracked with `lockstep data add`";
    return fail({ code: "file-missing", path: dep.path, neededBy: `stage "${stage.name}"`, hint });
  }
  return ok(contents);
}
