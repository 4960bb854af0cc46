import { posix } from "node:path";
import type { StageConfig } from "../config/index.ts";
import { compareCodeUnits, isRelativePath } from "../core/index.ts";
import type { Failure, Json, Location, RelativePath } from "../core/index.ts";
import { toFunction } from "./functions/declare.ts";
import type { NamedOutput, StageFunction } from "./functions/declare.ts";
import { stageHooks } from "./hooks.ts";
import type { Hooks } from "./hooks.ts";
import { stagePlot } from "./plots.ts";
import type { Plot } from "./plots.ts";
import type { Amounts } from "./schedule.ts";
import type { TopLevel } from "./top-level.ts";

/** What an output is for. One path may have several uses: an out that is also the predictions. */
export type Use = "out" | "metric" | "plot" | "predictions" | "profile" | "checks";

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
  /** How it is drawn, of what is a plot. Not part of the key. */
  readonly plot?: Plot;
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
  /** What its `foreach` or `matrix` goes over, as this one has it; null: it is the only one of its entry. */
  readonly item: Json | null;
  /** Empty for a function. */
  readonly cmd: readonly string[];
  /** What runs in the place of commands. */
  readonly run: StageFunction | null;
  readonly wdir: RelativePath | null;
  readonly deps: readonly Placed[];
  readonly params: readonly ParamsFrom[];
  readonly outs: readonly Output[];
  readonly alwaysChanged: boolean;
  /** It does not run, and its deps are not looked at: see frozen.ts. */
  readonly frozen: boolean;
  readonly env: { readonly files: readonly Placed[]; readonly vars: readonly string[]; readonly image: string | null };
  readonly timeoutMs: number | null;
  readonly retry: number;
  /** The folder it goes on from after it was ended too early, and how often that is stored. Not part of the key. */
  readonly checkpoint: (Placed & { readonly everyMs: number }) | null;
  /** Its own and those of its file. Not part of the key. */
  readonly hooks: Hooks;
  /** What it takes of this machine while it runs: `gpu`, and whatever the team names. Not part of the key. */
  readonly resources: Amounts;
  /** Labels of the runner that it asks for; none: the usual one. Not part of the key. */
  readonly runsOn: readonly string[];
  readonly predictions: RelativePath | null;
  readonly profile: RelativePath | null;
  readonly checks: RelativePath | null;
  /** Names of the stages whose outputs it depends on, in code-unit order; of a frozen stage none. */
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
  /** Around a run, of all files that belong to it. */
  readonly hooks: Hooks;
  readonly top: TopLevel;
}

/** Where a stage is written. */
export interface StagePlace {
  readonly file: string;
  /** Folder that its paths are relative to; "" for the root. */
  readonly folder: string;
  readonly at: Stage["at"];
  /** The way from the file's root to the stage's fields. */
  readonly where: readonly PropertyKey[];
  readonly item: Json | null;
  /** What the file has run around each of its stages. */
  readonly hooks: Hooks;
}

const DEFAULT_PARAMS = "params.yaml";
const CHECKPOINT_EVERY = "10m";
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
    const path = fromRoot(folder, text, place.at(from));
    if (typeof path === "string") return path;
    failures.push(path);
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
  const run = toFunction(config, { at: place.at, root, where, failures });
  const returned = (use: Use): RelativePath[] =>
    (run?.outputs ?? []).flatMap((output) => (output.use === use ? [output.path] : []));
  const only = (field: "predictions" | "profile" | "checks"): RelativePath | null => {
    const text = config[field];
    const declared = text === undefined ? undefined : root(text, where(field));
    const [first, second] = [...(declared === undefined ? [] : [declared]), ...returned(field)];
    if (second !== undefined)
      failures.push({
        code: "file-invalid",
        at: place.at(where("outputs")),
        problem: `a stage has one ${field} ${field === "checks" ? "file" : "table"}`,
      });
    return first ?? null;
  };
  const stage = {
    name,
    file: place.file,
    at: place.at,
    where: place.where,
    item: place.item,
    cmd: typeof config.cmd === "string" ? [config.cmd] : (config.cmd ?? []),
    run,
    wdir: inRoot(wdir),
    deps: unique([...placed(config.deps, "deps"), ...(run?.inputs ?? [])]),
    params: toParams(config.params ?? [], root, where),
    outs: toOutputs(config, run?.outputs ?? [], root, where),
    alwaysChanged: config.always_changed ?? false,
    frozen: config.frozen ?? false,
    env: {
      files: placed(config.env?.files, "env", "files"),
      vars: [...new Set(config.env?.vars)].sort(compareCodeUnits),
      image: config.env?.image ?? null,
    },
    timeoutMs: config.timeout === undefined ? null : durationMs(config.timeout),
    retry: config.retry ?? 0,
    hooks: stageHooks(config.hooks, { ...place, folder: inRoot(wdir) }, place.hooks),
    checkpoint: toCheckpoint(config.checkpoint, root, where),
    resources: { ...config.resources, ...(config.gpu ? { gpu: config.gpu } : {}) },
    runsOn: [config["runs-on"] ?? []].flat(),
    predictions: only("predictions"),
    profile: only("profile"),
    checks: only("checks"),
  };
  return { stage, failures };
}

/** A path that is spelled from a folder ("" is the root), spelled from the root; a failure when it leads out. */
export function fromRoot(folder: string, text: string, at: Location): RelativePath | Failure {
  const path = posix.normalize(posix.join(folder, text)).replace(/\/$/, "");
  const problem = problemOfPath(text, path);
  return problem === undefined ? (path as RelativePath) : { ...problem, at };
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

export type Where = (...path: PropertyKey[]) => PropertyKey[];
/** Undefined: it is no path of the repository, and that has been told. */
export type Root = (path: string, where: readonly PropertyKey[]) => RelativePath | undefined;

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

function toOutputs(config: StageConfig, returned: readonly NamedOutput[], root: Root, where: Where): Output[] {
  const outs = new Map<string, Output>();
  type Flags = Parameters<typeof stagePlot>[1];
  const add = (text: string, use: Use, flags: Flags, place: readonly PropertyKey[]): void => {
    const path = root(text, place);
    if (path !== undefined) put(path, use, flags, place);
  };
  const put = (path: RelativePath, use: Use, flags: Flags, place: readonly PropertyKey[]): void => {
    const known = outs.get(path);
    outs.set(path, {
      path,
      where: known?.where ?? place,
      uses: [...new Set([...(known?.uses ?? []), use])].sort(compareCodeUnits),
      cache: (known?.cache ?? true) && (flags.cache ?? true),
      persist: (known?.persist ?? false) || (flags.persist ?? false),
      ...(use === "plot" ? { plot: stagePlot(path, flags) } : known?.plot === undefined ? {} : { plot: known.plot }),
    });
  };
  for (const [field, use] of [
    ["outs", "out"],
    ["metrics", "metric"],
    ["plots", "plot"],
  ] as const) {
    config[field]?.forEach((entry, index) => {
      if (typeof entry === "string") return add(entry, use, {}, where(field, index));
      for (const [path, flags] of Object.entries(entry)) add(path, use, flags, where(field, index, path));
    });
  }
  if (config.predictions !== undefined) add(config.predictions, "predictions", {}, where("predictions"));
  if (config.profile !== undefined) add(config.profile, "profile", {}, where("profile"));
  if (config.checks !== undefined) add(config.checks, "checks", {}, where("checks"));
  for (const output of returned) put(output.path, output.use, output, output.where);
  return byPath([...outs.values()]);
}

function inRoot(folder: string): RelativePath | null {
  return folder === "." ? null : (folder as RelativePath);
}

function toCheckpoint(config: StageConfig["checkpoint"], root: Root, where: Where): Stage["checkpoint"] {
  if (config === undefined) return null;
  const { path: text, every = CHECKPOINT_EVERY } = typeof config === "string" ? { path: config } : config;
  const place = where("checkpoint");
  const path = root(text, place);
  return path === undefined ? null : { path, where: place, everyMs: durationMs(every) };
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
