import { posix } from "node:path";
import type { StageConfig } from "../config/index.ts";
import { compareCodeUnits, isRelativePath } from "../core/index.ts";
import type { Failure, Location, RelativePath } from "../core/index.ts";
import type { Amounts } from "./schedule.ts";

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
  /** Unique in the pipeline; a stage of another file than the pipeline's own is `file:stage`. */
  readonly name: string;
  /** The file it is written in. */
  readonly file: string;
  /** The place of what a `where` leads to. */
  readonly at: (where: readonly PropertyKey[]) => Location;
  /** The way from the file's root to the stage's fields. */
  readonly where: readonly PropertyKey[];
  readonly cmd: readonly string[];
  readonly wdir: RelativePath | null;
  readonly deps: readonly Placed[];
  readonly params: readonly ParamsFrom[];
  readonly outs: readonly Output[];
  readonly alwaysChanged: boolean;
  readonly env: { readonly files: readonly Placed[]; readonly vars: readonly string[]; readonly image: string | null };
  readonly timeoutMs: number | null;
  readonly retry: number;
  /** What it takes of this machine while it runs: `gpu`, and whatever the team names. Not part of the key. */
  readonly resources: Amounts;
  readonly predictions: RelativePath | null;
  readonly profile: RelativePath | null;
  /** Names of the stages whose outputs it depends on, in code-unit order. */
  readonly needs: readonly string[];
}

/** A stage before the graph is known. */
export type LooseStage = Omit<Stage, "needs">;

/** A pipeline, its stages in an order in which each comes after what it needs. */
export interface Pipeline {
  readonly name: string;
  /** The file that names it; stages may come from others. */
  readonly file: string;
  readonly stages: readonly Stage[];
}

/** Where a stage is written. */
export interface StagePlace {
  readonly file: string;
  /** Folder that its paths are relative to; "" for the root. */
  readonly folder: string;
  readonly at: Stage["at"];
  /** The way from the file's root to the stage's fields. */
  readonly where: readonly PropertyKey[];
}

const DEFAULT_PARAMS = "params.yaml";
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a stage's settings; lists come out sorted and without repeats, so that their order means nothing. */
export function toStage(
  name: string,
  config: StageConfig,
  place: StagePlace,
): { readonly stage: LooseStage; readonly failures: Failure[] } {
  const failures: Failure[] = [];
  const where = (...path: PropertyKey[]): PropertyKey[] => [...place.where, ...path];
  const folder = posix.join(place.folder, config.wdir ?? "");
  const root = (text: string, from: readonly PropertyKey[]): RelativePath | undefined => {
    const path = posix.normalize(posix.join(folder, text)).replace(/\/$/, "");
    const problem = problemOfPath(text, path);
    if (problem === undefined) return path as RelativePath;
    failures.push({ ...problem, at: place.at(from) });
    return undefined;
  };
  const wdir = posix.normalize(folder).replace(/\/$/, "");
  const wdirProblem = wdir === "." ? undefined : problemOfPath(config.wdir ?? "", wdir);
  if (wdirProblem !== undefined) failures.push({ ...wdirProblem, at: place.at(where("wdir")) });
  const placed = (paths: readonly string[] | undefined, ...field: PropertyKey[]): Placed[] =>
    unique(
      (paths ?? []).flatMap((text, index) => {
        const path = root(text, where(...field, index));
        return path === undefined ? [] : [{ path, where: where(...field, index) }];
      }),
    );
  const stage = {
    name,
    file: place.file,
    at: place.at,
    where: place.where,
    cmd: typeof config.cmd === "string" ? [config.cmd] : config.cmd,
    wdir: wdir === "." ? null : (wdir as RelativePath),
    deps: placed(config.deps, "deps"),
    params: toParams(config.params ?? [], root, where),
    outs: toOutputs(config, root, where),
    alwaysChanged: config.always_changed ?? false,
    env: {
      files: placed(config.env?.files, "env", "files"),
      vars: [...new Set(config.env?.vars)].sort(compareCodeUnits),
      image: config.env?.image ?? null,
    },
    timeoutMs: config.timeout === undefined ? null : durationMs(config.timeout),
    retry: config.retry ?? 0,
    resources: { ...config.resources, ...(config.gpu ? { gpu: config.gpu } : {}) },
    predictions: config.predictions === undefined ? null : (root(config.predictions, where("predictions")) ?? null),
    profile: config.profile === undefined ? null : (root(config.profile, where("profile")) ?? null),
  };
  return { stage, failures };
}

type Unplaced =
  | { code: "file-invalid"; problem: string; hint?: string }
  | { code: "unsupported"; what: string; hint?: string };

function problemOfPath(text: string, path: string): Unplaced | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || posix.isAbsolute(text)) {
    return {
      code: "unsupported",
      what: `${text}: a path outside of the repository`,
      hint: "bring it in with `lockstep data import`",
    };
  }
  if (isRelativePath(path)) return undefined;
  return {
    code: "file-invalid",
    problem: `"${text}": a path stays in the repository, with / between its parts`,
  };
}

/** True when `inner` is `outer` or lies in it. */
export function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

type Where = (...path: PropertyKey[]) => PropertyKey[];
/** Undefined: it is no path of the repository, and that has been told. */
type Root = (path: string, where: readonly PropertyKey[]) => RelativePath | undefined;

function toParams(list: NonNullable<StageConfig["params"]>, root: Root, where: Where): ParamsFrom[] {
  const files = new Map<string, ParamsFrom>();
  const add = (text: string, keys: readonly string[] | null, place: PropertyKey[]): void => {
    const path = root(text, place);
    if (path === undefined) return;
    const known = files.get(path);
    const whole = keys === null || known?.keys === null;
    const merged = whole ? null : [...new Set([...(known?.keys ?? []), ...keys])].sort(compareCodeUnits);
    files.set(path, { path, keys: merged, where: known?.where ?? place });
  };
  list.forEach((entry, index) => {
    if (typeof entry === "string") return add(DEFAULT_PARAMS, [entry], where("params", index));
    for (const [file, keys] of Object.entries(entry)) {
      add(file, keys === null || keys.length === 0 ? null : keys, where("params", index, file));
    }
  });
  return byPath([...files.values()]);
}

function toOutputs(config: StageConfig, root: Root, where: Where): Output[] {
  const outs = new Map<string, Output>();
  const add = (text: string, use: Use, flags: { cache?: boolean; persist?: boolean }, place: PropertyKey[]): void => {
    const path = root(text, place);
    if (path === undefined) return;
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
