import type { DataLock } from "../config/index.ts";
import { all, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import { loadDataLock } from "../data/index.ts";
import type { Source } from "../git/index.ts";
import { contentDigests } from "../store/index.ts";
import type { Wanted } from "../store/index.ts";
import { apartIn, contentOf, partsOf } from "./deps.ts";
import { keyOf } from "./functions/declare.ts";
import { makersOf } from "./graph.ts";
import type { Makers } from "./graph.ts";
import type { Content, KeyInputs } from "./key.ts";
import { ParamFiles, stageParams } from "./params.ts";
import { foldersOf } from "./path-index.ts";
import type { Pipeline, Stage } from "./stage.ts";

/** One pipeline in one tree, and what is known so far of its stages' outputs. */
export class KeyWorld {
  readonly pipeline: Pipeline;
  readonly source: Source;
  readonly lock: DataLock;
  readonly params: ParamFiles;
  readonly #context: Context;
  readonly #makers: Makers;
  readonly #outs: Map<string, ReadonlyMap<string, Digest>>;
  /** Files stay what they are for the life of this world: each is looked at once. */
  readonly #files = new Map<string, Result<Digest | undefined>>();

  private constructor(context: Context, pipeline: Pipeline, source: Source, lock: DataLock, before?: KeyWorld) {
    this.#context = context;
    this.pipeline = pipeline;
    this.#makers = before === undefined ? makersOf(pipeline.stages) : before.#makers;
    this.#outs = before === undefined ? new Map() : before.#outs;
    this.source = source;
    this.lock = lock;
    this.params = new ParamFiles(source, before?.params);
  }

  static async open(context: Context, pipeline: Pipeline, source: Source): Promise<Result<KeyWorld>> {
    const lock = await loadDataLock(source);
    return lock.ok ? ok(new KeyWorld(context, pipeline, source, lock.value)) : lock;
  }

  /** The same world as its files are now, as far as a stage reads them. What is known of outputs is shared. */
  async again(stage: Stage): Promise<Result<KeyWorld>> {
    const lock = this.datasets(stage).length === 0 ? ok(this.lock) : await loadDataLock(this.source);
    return lock.ok ? ok(new KeyWorld(this.#context, this.pipeline, this.source, lock.value, this)) : lock;
  }

  /** Makes a stage's outputs known, from its record. */
  learn(stage: string, outs: readonly { readonly path: RelativePath; readonly digest: Digest }[]): void {
    this.#outs.set(stage, new Map(outs.map(({ path, digest }) => [path, digest])));
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

  /** Names of the datasets a stage depends on. */
  datasets(stage: Stage): string[] {
    const deps = [...stage.deps, ...stage.env.files];
    const names = deps.flatMap((dep) => partsOf(dep, stage.name, this.#makers, this.lock).datasets);
    return [...new Set(names.map(({ name }) => name))];
  }

  /** Hashes the files that stages read. One call for many stages costs less than one for each. */
  async look(stages: readonly Stage[]): Promise<void> {
    const wanted = new Map<string, Wanted>();
    for (const stage of stages) {
      for (const dep of [...stage.deps, ...stage.env.files]) {
        if (this.#files.has(dep.path) || wanted.has(dep.path)) continue;
        const parts = partsOf(dep, stage.name, this.#makers, this.lock);
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
        contentOf(dep, partsOf(dep, stage.name, this.#makers, this.lock), stage, {
          out: (name, path) => this.#outs.get(name)?.get(path),
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
