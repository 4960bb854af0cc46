import type { Positioned, PipelineConfig, StageConfig } from "../config/index.ts";
import { compareCodeUnits } from "../core/index.ts";
import type { RelativePath } from "../core/index.ts";

/** What an output is for. One path may have several uses: an out that is also the predictions. */
export type Use = "out" | "metric" | "plot" | "predictions" | "profile";

/** A path of a stage, from the repository's root, and where in the pipeline file it is written. */
export interface Placed {
  readonly path: RelativePath;
  readonly where: readonly PropertyKey[];
}

export interface Output extends Placed {
  /** In code-unit order. */
  readonly uses: readonly Use[];
  /** False: git keeps it; it is never written to a store nor restored from one. */
  readonly cache: boolean;
  /** True: what is there is left in place when the stage starts. */
  readonly persist: boolean;
}

/** Parameters read from one file: the named ones, or (null) all of it. */
export interface ParamsFrom extends Placed {
  readonly keys: readonly string[] | null;
}

/** One stage with every path spelled from the root, lists sorted, and its place in the graph. */
export interface Stage {
  readonly name: string;
  readonly cmd: readonly string[];
  readonly wdir: RelativePath | null;
  readonly deps: readonly Placed[];
  readonly params: readonly ParamsFrom[];
  readonly outs: readonly Output[];
  readonly alwaysChanged: boolean;
  readonly env: { readonly files: readonly Placed[]; readonly vars: readonly string[]; readonly image: string | null };
  readonly timeoutMs: number | null;
  readonly retry: number;
  readonly predictions: RelativePath | null;
  readonly profile: RelativePath | null;
  /** Names of the stages whose outputs it depends on, in code-unit order. */
  readonly needs: readonly string[];
}

/** A stage before the graph is known. */
export type LooseStage = Omit<Stage, "needs">;

/** A pipeline file, its stages in an order in which each comes after what it needs. */
export interface Pipeline {
  readonly name: string;
  readonly file: string;
  readonly stages: readonly Stage[];
  readonly at: Positioned<PipelineConfig>["at"];
}

const DEFAULT_PARAMS = "params.yaml";
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a stage's settings; lists come out sorted and without repeats, so that their order means nothing. */
export function toStage(name: string, config: StageConfig): LooseStage {
  const wdir = config.wdir ?? null;
  const root = (path: string): RelativePath => (wdir === null ? path : `${wdir}/${path}`) as RelativePath;
  const where = (...path: PropertyKey[]): PropertyKey[] => ["stages", name, ...path];
  const placed = (field: "deps", paths: readonly string[] = []): Placed[] =>
    unique(paths.map((path, index) => ({ path: root(path), where: where(field, index) })));
  return {
    name,
    cmd: typeof config.cmd === "string" ? [config.cmd] : config.cmd,
    wdir,
    deps: placed("deps", config.deps),
    params: toParams(config.params ?? [], root, where),
    outs: toOutputs(config, root, where),
    alwaysChanged: config.always_changed ?? false,
    env: {
      files: unique(
        (config.env?.files ?? []).map((path, index) => ({ path: root(path), where: where("env", "files", index) })),
      ),
      vars: [...new Set(config.env?.vars)].sort(compareCodeUnits),
      image: config.env?.image ?? null,
    },
    timeoutMs: config.timeout === undefined ? null : durationMs(config.timeout),
    retry: config.retry ?? 0,
    predictions: config.predictions === undefined ? null : root(config.predictions),
    profile: config.profile === undefined ? null : root(config.profile),
  };
}

/** True when `inner` is `outer` or lies in it. */
export function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

type Where = (...path: PropertyKey[]) => PropertyKey[];
type Root = (path: string) => RelativePath;

function toParams(list: NonNullable<StageConfig["params"]>, root: Root, where: Where): ParamsFrom[] {
  const files = new Map<string, ParamsFrom>();
  const add = (path: RelativePath, keys: readonly string[] | null, place: PropertyKey[]): void => {
    const known = files.get(path);
    const whole = keys === null || known?.keys === null;
    const merged = whole ? null : [...new Set([...(known?.keys ?? []), ...keys])].sort(compareCodeUnits);
    files.set(path, { path, keys: merged, where: known?.where ?? place });
  };
  list.forEach((entry, index) => {
    if (typeof entry === "string") return add(root(DEFAULT_PARAMS), [entry], where("params", index));
    for (const [file, keys] of Object.entries(entry)) {
      add(root(file), keys === null || keys.length === 0 ? null : keys, where("params", index, file));
    }
  });
  return byPath([...files.values()]);
}

function toOutputs(config: StageConfig, root: Root, where: Where): Output[] {
  const outs = new Map<string, Output>();
  const add = (text: string, use: Use, flags: { cache?: boolean; persist?: boolean }, place: PropertyKey[]): void => {
    const path = root(text);
    const known = outs.get(path);
    outs.set(path, {
      path,
      where: known?.where ?? place,
      uses: [...new Set([...(known?.uses ?? []), use])].sort(compareCodeUnits),
      cache: (known?.cache ?? true) && (flags.cache ?? true),
      persist: (known?.persist ?? false) || (flags.persist ?? false),
    });
  };
  for (const [field, use] of [
    ["outs", "out"],
    ["metrics", "metric"],
    ["plots", "plot"],
  ] as const) {
    config[field]?.forEach((entry, index) => {
      if (typeof entry === "string") return add(entry, use, {}, where(field, index));
      for (const [path, flags] of Object.entries(entry)) {
        const { cache, persist } = flags;
        add(
          path,
          use,
          { ...(cache === undefined ? {} : { cache }), ...(persist === undefined ? {} : { persist }) },
          where(field, index, path),
        );
      }
    });
  }
  if (config.predictions !== undefined) add(config.predictions, "predictions", {}, where("predictions"));
  if (config.profile !== undefined) add(config.profile, "profile", {}, where("profile"));
  return byPath([...outs.values()]);
}

function durationMs(text: string): number {
  return Math.round(Number(text.slice(0, -1)) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS]);
}

function unique<T extends Placed>(list: readonly T[]): T[] {
  return byPath([...new Map(list.toReversed().map((entry) => [entry.path, entry])).values()]);
}

function byPath<T extends Placed>(list: T[]): T[] {
  return list.sort((a, b) => compareCodeUnits(a.path, b.path));
}
