import { posix } from "node:path";
import type { StageRecord } from "../config/index.ts";
import { fail, failedIfAny, message, ok } from "../core/index.ts";
import type { Context, DvcDigest, Result, StageKey } from "../core/index.ts";
import { digestAt, dvcPlaces, hasObjects, loadDvcLock, missingObject, place } from "../dvc/index.ts";
import type { DvcLock, DvcPlaces, LockedStage } from "../dvc/index.ts";
import { localCache, snapshot } from "../store/index.ts";
import type { KeyWorld } from "./inputs.ts";
import type { KeyInputs } from "./key.ts";
import { isInPlace } from "./outputs.ts";
import { paramReasons } from "./reason.ts";
import { isNamed } from "./seed-deps.ts";
import { lockedMetrics, lockedOutputs } from "./seed-outputs.ts";
import type { FoundOutput } from "./seed-outputs.ts";
import type { Stage } from "./stage.ts";

/** A result that DVC made, as a record; or why dvc.lock is of no use for the stage as it stands. */
export type Seed = { readonly record: StageRecord } | { readonly why: string };

/** What the `dvc.lock` files of a tree say of the stages of its `dvc.yaml` files. They are read, and never written. */
export class Seeds {
  readonly #context: Context;
  readonly #world: KeyWorld;
  readonly #locks = new Map<string, Promise<Result<DvcLock>>>();
  readonly #outputs = new Map<string, Promise<Result<readonly FoundOutput[] | string>>>();
  #places: Promise<Result<DvcPlaces>> | undefined;

  constructor(context: Context, world: KeyWorld) {
    this.#context = context;
    this.#world = world;
  }

  /** The stage's entry; undefined: there is none. */
  async locked(stage: Stage): Promise<Result<LockedStage | undefined>> {
    if (posix.basename(stage.file) !== "dvc.yaml") return ok(undefined);
    const folder = posix.dirname(stage.file);
    const known = this.#locks.get(folder) ?? loadDvcLock(this.#world.source, folder === "." ? "" : folder);
    this.#locks.set(folder, known);
    const lock = await known;
    if (!lock.ok) return lock;
    const prefix = `${stage.file}:`;
    const name = stage.name.startsWith(prefix) ? stage.name.slice(prefix.length) : stage.name;
    return ok(lock.value(name, stage.wdir ?? ""));
  }

  /** The result of a stage's key, if its entry is for the content of that key and its outputs are here. */
  async find(stage: Stage, inputs: KeyInputs, key: StageKey): Promise<Result<Seed | undefined>> {
    const locked = await this.locked(stage);
    if (!locked.ok || locked.value === undefined) return locked as Result<undefined>;
    const changed = await this.#changed(stage, inputs, locked.value);
    if (!changed.ok) return changed;
    return changed.value === undefined ? this.result(stage, key, locked.value) : ok({ why: changed.value });
  }

  /** What a stage's entry names, as the record of a key. */
  async result(stage: Stage, key: StageKey, locked: LockedStage): Promise<Result<Seed>> {
    if (stage.checks !== null) return ok({ why: "dvc.lock tells nothing of its checks" });
    const found = await this.#found(stage, locked);
    if (!found.ok) return found;
    if (typeof found.value === "string") return ok({ why: found.value });
    const metrics = await lockedMetrics(stage, found.value);
    if (!metrics.ok) return ok({ why: message(metrics.failures[0]) });
    const record: StageRecord = {
      recordVersion: 1,
      key,
      pipeline: this.#world.pipeline.name,
      stage: stage.name,
      outs: found.value.map(({ output }) => output),
      metrics: metrics.value,
      profile: null,
      origin: "dvc.lock",
      startedAt: this.#context.now().toISOString(),
      ms: 0,
      commit: null,
      provenance: null,
    };
    return ok({ record });
  }

  /** Puts what was found into place where it is not, and into the cache: from here on it is a result like any other. */
  async adopt(stage: Stage, record: StageRecord): Promise<Result<void>> {
    const locked = await this.locked(stage);
    if (!locked.ok) return locked;
    const places = await (this.#places ??= dvcPlaces(this.#context));
    if (!places.ok) return places;
    for (const output of record.outs) {
      const { cache } = stage.outs.find(({ path }) => path === output.path)!;
      const there = await isInPlace(this.#context, output);
      if (!there.ok && there.failures[0].code !== "unsupported") return there;
      const named = locked.value?.outs.get(output.path);
      if (!(there.ok && there.value) && named !== undefined) {
        const placed = await place(this.#context, places.value, { path: output.path, ...named });
        if (!placed.ok) return placed;
      }
      const taken = await snapshot(this.#context, output.path, cache ? localCache(this.#context) : undefined);
      if (!taken.ok) return taken;
      if (taken.value.digest !== output.digest) return fail({ code: "file-changed", path: output.path });
    }
    return ok();
  }

  /** True when DVC has what stands at a path. */
  async keeps(path: string): Promise<Result<boolean>> {
    const places = await (this.#places ??= dvcPlaces(this.#context));
    if (!places.ok) return places;
    const there = await digestAt(this.#context, path, { cache: places.value.cache, legacy: false });
    if (!there.ok) return there;
    return there.value === undefined ? ok(true) : hasObjects(places.value, there.value);
  }

  /** What to say of a stage whose result dvc.lock names and nobody here has. */
  async missing(stage: Stage): Promise<Result<never>> {
    const places = await (this.#places ??= dvcPlaces(this.#context));
    const locked = await this.locked(stage);
    if (!places.ok) return places;
    if (!locked.ok) return locked;
    const failures = stage.outs.flatMap(({ path }) => {
      const digest = locked.value?.outs.get(path)?.digest;
      return digest === undefined ? [] : [missingObject(places.value, digest, `${path} of stage "${stage.name}"`)];
    });
    return failedIfAny(failures) ?? fail({ code: "file-missing", path: stage.name });
  }

  #found(stage: Stage, locked: LockedStage): Promise<Result<readonly FoundOutput[] | string>> {
    const known = this.#outputs.get(stage.name) ?? this.#look(stage, locked);
    this.#outputs.set(stage.name, known);
    return known;
  }

  async #look(stage: Stage, locked: LockedStage): Promise<Result<readonly FoundOutput[] | string>> {
    const places = await (this.#places ??= dvcPlaces(this.#context));
    return places.ok ? lockedOutputs(this.#context, this.#world.source, places.value, stage, locked) : places;
  }

  /** Why the entry is not for this key; undefined: it is. What costs least is asked first. */
  async #changed(stage: Stage, inputs: KeyInputs, locked: LockedStage): Promise<Result<string | undefined>> {
    const { env, cmd } = inputs;
    if (env.files.length + Object.keys(env.vars).length > 0 || env.image !== null || stage.profile !== null)
      return ok("dvc.lock tells nothing of its environment or profile");
    if (cmd.length !== locked.cmd.length || cmd.some((line, at) => line !== locked.cmd[at]))
      return ok("its command is not that of dvc.lock");
    const before = Object.fromEntries(
      Object.entries(inputs.params).map(([file, values]) => {
        const old = locked.params.get(file) ?? {};
        const whole = stage.params.some(({ path, keys }) => path === file && keys === null);
        const names = Object.keys(old).filter((name) => whole || Object.hasOwn(values, name));
        return [file, Object.fromEntries(names.map((name) => [name, old[name]!]))];
      }),
    );
    const [param] = paramReasons(before, inputs.params);
    if (param !== undefined) return ok(param);
    const places = await (this.#places ??= dvcPlaces(this.#context));
    if (!places.ok) return places;
    const side = {
      context: this.#context,
      world: this.#world,
      places: places.value,
      nameOf: async (name: string, path: string) => this.#nameOf(name, path),
    };
    for (const dep of stage.deps) {
      const name = locked.deps.get(dep.path);
      if (name === undefined) return ok(`${dep.path} is new since dvc.lock`);
      const same = await isNamed(dep, stage, name, side);
      if (!same.ok) return same;
      if (same.value === undefined) return ok(`${dep.path} is not here, to be held against dvc.lock`);
      if (!same.value) return ok(`${dep.path} changed since dvc.lock`);
    }
    return ok(undefined);
  }

  async #nameOf(name: string, path: string): Promise<Result<DvcDigest | undefined>> {
    const content = this.#world.outOf(name, path);
    const maker = this.#world.pipeline.stages.find((stage) => stage.name === name);
    if (content === undefined || maker === undefined) return ok(undefined);
    const locked = await this.locked(maker);
    if (!locked.ok) return locked;
    const named = locked.value?.outs.get(path);
    if (named === undefined || named.digest === content.digest) return ok(named?.digest);
    const found = await this.#found(maker, locked.value!);
    if (!found.ok || typeof found.value === "string") return found.ok ? ok(undefined) : found;
    const same = found.value.find(({ output }) => output.path === path && output.digest === content.digest);
    return ok(same?.name);
  }
}
