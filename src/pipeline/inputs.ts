import type { DataLock } from "../config/index.ts";
import { all, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import { loadDataLock } from "../data/index.ts";
import type { Source } from "../git/index.ts";
import { contentOf, partsOf } from "./deps.ts";
import { makersOf } from "./graph.ts";
import type { Makers } from "./graph.ts";
import type { Content, KeyInputs } from "./key.ts";
import { ParamFiles, stageParams } from "./params.ts";
import type { Pipeline, Stage } from "./stage.ts";

/** One pipeline in one tree, and what is known so far of its stages' outputs. */
export class KeyWorld {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly lock: DataLock;
  readonly params: ParamFiles;
  readonly #context: Context;
  readonly #makers: Makers;
  readonly #outs = new Map<string, ReadonlyMap<string, Digest>>();
  readonly #contents = new Map<string, Promise<Result<Content[] | undefined>>>();

  private constructor(context: Context, pipeline: Pipeline, source: Source, lock: DataLock) {
    this.#context = context;
    this.pipeline = pipeline;
    this.#makers = makersOf(pipeline.stages);
    this.source = source;
    this.lock = lock;
    this.params = new ParamFiles(source);
  }

  static async open(context: Context, pipeline: Pipeline, source: Source): Promise<Result<KeyWorld>> {
    const lock = await loadDataLock(source);
    return lock.ok ? ok(new KeyWorld(context, pipeline, source, lock.value)) : lock;
  }

  /** Makes a stage's outputs known, from its record. */
  learn(stage: string, outs: readonly { readonly path: RelativePath; readonly digest: Digest }[]): void {
    this.#outs.set(stage, new Map(outs.map(({ path, digest }) => [path, digest])));
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
    const [params, deps, files] = await Promise.all([
      stageParams(this.params, stage),
      this.#all(stage, stage.deps),
      this.#all(stage, stage.env.files),
    ]);
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
    });
  }

  /** Names of the datasets a stage depends on. */
  datasets(stage: Stage): string[] {
    const deps = [...stage.deps, ...stage.env.files];
    const names = deps.flatMap((dep) => partsOf(dep, stage.name, this.#makers, this.lock).datasets);
    return [...new Set(names.map(({ name }) => name))];
  }

  async #all(stage: Stage, deps: Stage["deps"]): Promise<Result<Content[] | undefined>> {
    const contents = all(
      await Promise.all(
        deps.map((dep) => {
          const parts = partsOf(dep, stage.name, this.#makers, this.lock);
          if (parts.outs.length > 0) return this.#contentOf(dep, stage);
          // Files and datasets stay what they are for the life of this world: asked once.
          const known = this.#contents.get(dep.path) ?? this.#contentOf(dep, stage);
          this.#contents.set(dep.path, known);
          return known;
        }),
      ),
    );
    if (!contents.ok) return contents;
    if (contents.value.includes(undefined)) return ok(undefined);
    const unique = new Map(contents.value.flatMap((list) => list ?? []).map((content) => [content.path, content]));
    return ok([...unique.values()]);
  }

  #contentOf(dep: Stage["deps"][number], stage: Stage): Promise<Result<Content[] | undefined>> {
    return contentOf(dep, stage, {
      context: this.#context,
      source: this.source,
      lock: this.lock,
      makers: this.#makers,
      out: (name, path) => this.#outs.get(name)?.get(path),
    });
  }
}
