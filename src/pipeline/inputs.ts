import { all, foldersOf, ok } from "../core/index.ts";
import type { ContentDigest, Context, Digest, RelativePath, Result } from "../core/index.ts";
import { loadDatasets } from "../data/index.ts";
import type { Tracked } from "../data/index.ts";
import type { Source } from "../git/index.ts";
import { contentDigests } from "../store/index.ts";
import type { Wanted } from "../store/index.ts";
import { apartIn, contentOf, datasetsOf, partsOf, readsOf } from "./deps.ts";
import type { Datasets, DepParts, Reads } from "./deps.ts";
import { keyOf } from "./functions/declare.ts";
import { makersOf } from "./graph.ts";
import type { Makers } from "./graph.ts";
import type { Content, KeyInputs } from "./key.ts";
import { ParamFiles, stageParams } from "./params.ts";
import { Seeds } from "./seed.ts";
import type { Pipeline, Placed, Stage } from "./stage.ts";

/** What a stage made. An output without a kind is known by DVC's name alone. */
export interface Made {
  readonly path: RelativePath;
  readonly digest: ContentDigest;
  readonly kind?: "file" | "tree";
  readonly mode?: "755" | undefined;
}

/** One pipeline in one tree, and what is known so far of its stages' outputs. */
export class KeyWorld {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly datasets: Datasets;
  readonly params: ParamFiles;
  /** What DVC knows of its stages. */
  readonly seeds: Seeds;
  readonly #context: Context;
  readonly #makers: Makers;
  readonly #outs: Map<string, ReadonlyMap<string, Made>>;
  /** Files stay what they are for the life of this world: each is looked at once. */
  readonly #files = new Map<string, Result<Digest | undefined>>();

  private constructor(context: Context, pipeline: Pipeline, source: Source, datasets: Datasets, before?: KeyWorld) {
    this.#context = context;
    this.pipeline = pipeline;
    this.#makers = before === undefined ? makersOf(pipeline.stages) : before.#makers;
    this.#outs = before === undefined ? new Map() : before.#outs;
    this.source = source;
    this.datasets = datasets;
    this.params = new ParamFiles(source, before?.params);
    this.seeds = new Seeds(context, this);
  }

  static async open(context: Context, pipeline: Pipeline, source: Source): Promise<Result<KeyWorld>> {
    const tracked = await loadDatasets(source);
    return tracked.ok ? ok(new KeyWorld(context, pipeline, source, datasetsOf(tracked.value))) : tracked;
  }

  /** The same world as its files are now, as far as a stage reads them. What is known of outputs is shared. */
  async again(stage: Stage): Promise<Result<KeyWorld>> {
    const read = async (): Promise<Result<Datasets>> => {
      const tracked = await loadDatasets(this.source);
      return tracked.ok ? ok(datasetsOf(tracked.value)) : tracked;
    };
    const datasets = this.datasetsFor(stage).length === 0 ? ok(this.datasets) : await read();
    return datasets.ok ? ok(new KeyWorld(this.#context, this.pipeline, this.source, datasets.value, this)) : datasets;
  }

  /** Makes a stage's outputs known, from its record. */
  learn(stage: string, outs: readonly Made[]): void {
    this.#outs.set(stage, new Map(outs.map((out) => [out.path, out])));
  }

  /** A stage's output, once it is known. */
  outOf(stage: string, path: string): Made | undefined {
    return this.#outs.get(stage)?.get(path);
  }

  /** Where a dep's content comes from. */
  parts(dep: Placed, stage: Stage): DepParts {
    return partsOf(dep, stage.name, this.#makers, this.datasets);
  }

  /** Makes known what a stage made just now. It may have left more in the folders of its outputs. */
  ran(stage: string, outs: Parameters<KeyWorld["learn"]>[1]): void {
    this.learn(stage, outs);
    for (const { path } of outs) for (const folder of foldersOf(path)) this.#files.delete(folder);
  }

  /** Makes a stage's outputs unknown again: it will run. */
  forget(stage: string): void {
    this.#outs.delete(stage);
  }

  /**
   * Everything that goes into a stage's key; undefined while a stage it needs has no outputs yet.
   * @param vars goes in the place of this process's environment: what a result claims of another machine's.
   */
  async inputs(
    stage: Stage,
    vars: Readonly<Record<string, string | null | undefined>> = this.#context.env,
  ): Promise<Result<KeyInputs | undefined>> {
    await this.look([stage]);
    const params = await stageParams(this.params, stage);
    const deps = this.#contents(stage, stage.deps);
    const files = this.#contents(stage, stage.env.files);
    const both = all<unknown>([params, deps, files]);
    if (!both.ok) return both;
    if (!params.ok || !deps.ok || !files.ok || deps.value === undefined || files.value === undefined)
      return ok(undefined);
    return ok({
      cmd: stage.cmd,
      wdir: stage.wdir ?? ".",
      deps: deps.value,
      params: params.value,
      outs: stage.outs.flatMap(({ path, uses }) => uses.map((use) => ({ path, use }))),
      env: {
        files: files.value,
        vars: Object.fromEntries(stage.env.vars.map((name) => [name, vars[name] ?? null])),
        image: stage.env.image,
      },
      ...(stage.run === null ? {} : { function: keyOf(stage.run) }),
    });
  }

  /** The datasets a stage depends on. */
  datasetsFor(stage: Stage): Tracked[] {
    const deps = [...stage.deps, ...stage.env.files];
    return [...new Set(deps.flatMap((dep) => this.parts(dep, stage).datasets))];
  }

  /** What a stage declares that it reads. */
  reads(stage: Stage): Reads {
    const deps = [...stage.deps, ...stage.env.files];
    return readsOf(deps.map((dep) => ({ path: dep.path, parts: this.parts(dep, stage) })));
  }

  /** Hashes the files that stages read. One call for many stages costs less than one for each. */
  async look(stages: readonly Stage[]): Promise<void> {
    const wanted = new Map<string, Wanted>();
    for (const stage of stages) {
      for (const dep of [...stage.deps, ...stage.env.files]) {
        if (this.#files.has(dep.path) || wanted.has(dep.path)) continue;
        const parts = this.parts(dep, stage);
        if (parts.files) wanted.set(dep.path, { path: dep.path, apart: apartIn(parts) });
      }
    }
    const list = [...wanted.values()];
    const contents = list.length === 0 ? [] : await contentDigests(this.#context, this.source, list);
    for (const [at, content] of contents.entries()) {
      // Git does not know empty folders.
      const known = content.ok ? ok(content.value?.files === 0 ? undefined : content.value?.digest) : content;
      this.#files.set(list[at]!.path, known);
    }
  }

  #contents(stage: Stage, deps: Stage["deps"]): Result<Content[] | undefined> {
    const contents = all(
      deps.map((dep) =>
        contentOf(dep, this.parts(dep, stage), stage, {
          out: (name, path) => this.outOf(name, path)?.digest,
          file: (path) => this.#files.get(path)!,
        }),
      ),
    );
    if (!contents.ok) return contents;
    if (contents.value.includes(undefined)) return ok(undefined);
    const unique = new Map(contents.value.flatMap((list) => list ?? []).map((content) => [content.path, content]));
    return ok([...unique.values()]);
  }
}
