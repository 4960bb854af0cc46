import type { StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { dataState, pullData } from "../data/index.ts";
import type { LocalStore, Store } from "../store/index.ts";
import { execute } from "./execute.ts";
import type { Changed } from "./execute.ts";
import type { KeyWorld } from "./inputs.ts";
import { stageKey } from "./key.ts";
import type { KeyInputs } from "./key.ts";
import { rememberInputs } from "./last.ts";
import { bringBack, isInPlace, lostOutput, lostReason, outputsFor, unstoredOutput } from "./outputs.ts";
import { resultOf, someOf, whyRun } from "./plan.ts";
import type { PlannedWithInputs } from "./plan.ts";
import { reasonOf } from "./reason.ts";
import { takeOver } from "./runnable.ts";
import type { RunOptions } from "./run.ts";
import { JOBS } from "./resources.ts";
import { Resources } from "./schedule.ts";
import type { Amounts } from "./schedule.ts";
import type { Stage } from "./stage.ts";
import type { Enter } from "./strict/room.ts";
import { GitFiles } from "./git-files.ts";

/** How it went with one stage. */
export type StageState =
  | { readonly status: "cached" | "run"; readonly record: StageRecord; readonly reason: string; readonly ms: number }
  | {
      readonly status: "failed" | "skipped";
      readonly key: StageRecord["key"] | null;
      readonly reason: string;
      readonly ms: number;
    };

/** The state of one run, stage by stage. */
export class PipelineRun {
  readonly states = new Map<string, StageState>();
  readonly failures: Failure[] = [];
  readonly #context: Context;
  readonly #options: RunOptions;
  readonly #world: KeyWorld;
  readonly #stores: readonly [LocalStore, ...Store[]];
  readonly #stages: ReadonlyMap<string, Stage>;
  readonly #commit: string | null;
  readonly #resources: Resources;
  readonly #enter: Enter | undefined;
  readonly #placing = new Map<string, Promise<Result<void>>>();
  readonly #tracked: GitFiles;
  #stopped = false;

  constructor(
    context: Context,
    options: RunOptions,
    world: KeyWorld,
    stores: readonly [LocalStore, ...Store[]],
    commit: string | null,
    amounts: Amounts,
    enter: Enter | undefined,
  ) {
    this.#context = context;
    this.#options = options;
    this.#world = world;
    this.#stores = stores;
    this.#commit = commit;
    this.#tracked = new GitFiles(context);
    this.#enter = enter;
    this.#stages = new Map(options.pipeline.stages.map((stage) => [stage.name, stage]));
    this.#resources = new Resources(amounts);
  }

  /** Decides about a stage now that all it needs is settled, and runs it if it must. */
  async settle(planned: PlannedWithInputs): Promise<void> {
    const stage = this.#stages.get(planned.stage) as Stage;
    const broken = stage.needs.find((name) => !("record" in (this.states.get(name) ?? {})));
    if (broken !== undefined) return this.#skip(planned, `${broken} did not end well`);
    if (planned.action === "cached" && planned.record !== undefined)
      return this.#cached(stage, planned.record, planned);
    const inputs = planned.inputs === undefined ? await this.#world.inputs(stage) : ok(planned.inputs);
    if (!inputs.ok) return this.#fail(planned, inputs.failures, 0);
    if (inputs.value === undefined)
      throw new Error(`the inputs of ${stage.name} are not known although all it needs is settled`);
    const key = stageKey(inputs.value);
    const decided = await this.#decide(stage, key, inputs.value, planned);
    if (!decided.ok) return this.#fail(planned, decided.failures, 0);
    const { record, reason } = decided.value;
    const known = { ...planned, key, inputs: inputs.value, reason };
    if (record !== undefined) return this.#cached(stage, record, known);
    await this.#resources.use({ ...stage.resources, [JOBS]: 1 }, () => this.#run(stage, known));
  }

  /** Outputs that are not in place; of cached stages, the plan made sure that they can be had. */
  async bringAllBack(inPlace: ReadonlySet<string>): Promise<void> {
    if (this.#context.signal?.aborted) return;
    for (const [name, state] of this.states) {
      if (!("record" in state)) continue;
      const away = state.record.outs.filter(({ path }) => !inPlace.has(path));
      const outs = state.status === "cached" ? ok(away) : await this.#damaged(name, state.record);
      const placed = outs.ok ? await bringBack(this.#context, name, outs.value, this.#stores) : outs;
      if (!placed.ok) this.failures.push(...placed.failures);
    }
  }

  /** Outputs of a stage that ran which are no longer what it wrote: a stage that does not name them has touched them. */
  async #damaged(name: string, { outs }: StageRecord): Promise<Result<StageRecord["outs"]>> {
    const damaged: StageRecord["outs"] = [];
    for (const output of outs) {
      const there = await isInPlace(this.#context, output);
      if (!there.ok) return there;
      if (there.value || this.#stages.get(name)?.outs.some(({ path, cache }) => path === output.path && !cache))
        continue;
      const message = `${output.path} was changed after ${name} had written it; it is put back`;
      this.#context.emit({ type: "warning", message });
      damaged.push(output);
    }
    return ok(damaged);
  }

  /** What the plan could only guess at ("prepare will run"): whether there is a record after all, and if not, why. */
  async #decide(
    stage: Stage,
    key: StageRecord["key"],
    inputs: KeyInputs,
    planned: PlannedWithInputs,
  ): Promise<Result<{ record?: StageRecord; reason: string }>> {
    if (planned.key !== null || this.#options.force === true || stage.alwaysChanged) {
      return ok({ reason: planned.reason });
    }
    const known = await resultOf(this.#world, stage, inputs, key, this.#options);
    if (!known.ok) return known;
    const { record, adopt, why } = known.value;
    if (record === undefined) return ok({ reason: await whyRun(this.#context, stage, inputs, this.#options, why) });
    const adopted = adopt === true ? await takeOver(this.#world, stage, record, this.#options.records) : ok();
    if (!adopted.ok) return adopted;
    const all = this.#options.restore === "all";
    // What git keeps comes from no store: where it is not at hand, a stage that reads it would find nothing.
    const inGit = new Set(stage.outs.flatMap(({ path, cache }) => (cache ? [] : [path])));
    const wanted = all ? record.outs : record.outs.filter(({ path }) => inGit.has(path));
    const lost = await lostOutput(this.#context, stage, wanted, this.#stores);
    if (!lost.ok) return lost;
    const unstored = all ? ok(undefined) : await unstoredOutput(stage, record.outs, this.#stores);
    if (!unstored.ok) return unstored;
    const gone = lost.value ?? unstored.value;
    if (gone !== undefined) return ok({ reason: lostReason(gone.path) });
    return ok({ record, reason: `${someOf(stage.needs)} came out as before` });
  }

  async #cached(stage: Stage, record: StageRecord, planned: PlannedWithInputs): Promise<void> {
    this.states.set(stage.name, { status: "cached", record, reason: planned.reason, ms: 0 });
    // Of a frozen stage the plan knows what the others' keys hold.
    if (!stage.frozen) this.#world.learn(stage.name, record.outs);
    this.#context.emit({ type: "stage-cached", stage: stage.name, key: record.key });
    if (planned.inputs) await rememberInputs(this.#context, this.#options.pipeline.name, stage.name, planned.inputs);
  }

  async #run(stage: Stage, planned: PlannedWithInputs & { key: StageRecord["key"]; inputs: KeyInputs }): Promise<void> {
    const { key, inputs, reason } = planned;
    if (this.#context.signal?.aborted) return this.#interrupt(planned);
    if (this.#stopped) return this.#skip(planned, "another stage failed");
    const placed = await this.#placeInputs(stage);
    if (!placed.ok) return this.#fail(planned, placed.failures, 0);
    const metrics = stage.outs.flatMap(({ path, uses }) => (uses.includes("metric") ? [path] : []));
    const pipeline = this.#options.pipeline.name;
    this.#context.emit({ type: "stage-started", pipeline, stage: stage.name, reason, metrics });
    const from = this.#context.now().getTime();
    const record = await execute(this.#context, {
      pipeline: this.#options.pipeline,
      stage,
      key,
      inputs,
      cache: this.#stores[0],
      tracked: this.#tracked,
      lastingStore: this.#options.lastingStore ?? this.#options.store,
      // A promotion believes nothing that a mere writer of the store may have put there.
      resume: this.#options.force !== true && this.#options.trustedOnly !== true,
      commit: this.#commit,
      signal: this.#context.signal ?? new AbortController().signal,
      wait: this.#options.wait,
      enter: this.#enter && (() => this.#enter!(stage, this.#world.reads(stage))),
      changed: () => this.#changed(stage, inputs),
      keep: (made) => this.#keep(stage, made, inputs),
    });
    const ms = Math.max(0, this.#context.now().getTime() - from);
    this.#context.emit({ type: "stage-ended", stage: stage.name, ms, ok: record.ok });
    if (!record.ok) return this.#fail(planned, record.failures, ms);
    this.states.set(stage.name, { status: "run", record: record.value, reason, ms });
    this.#world.ran(stage.name, record.value.outs);
  }

  async #keep(stage: Stage, record: StageRecord, inputs: KeyInputs): Promise<Result<void>> {
    const saved = await this.#options.records.saveLocal({ stages: [record], runs: [] });
    if (!saved.ok) return saved;
    this.#context.emit({ type: "effect", name: `${stage.name} recorded` });
    await rememberInputs(this.#context, this.#options.pipeline.name, stage.name, inputs);
    return ok();
  }

  /** Datasets and cached outputs that a stage reads, each brought at most once. */
  async #placeInputs(stage: Stage): Promise<Result<void>> {
    const once = (what: string, place: () => Promise<Result<unknown>>): Promise<Result<void>> => {
      const known = this.#placing.get(what) ?? place().then((result) => (result.ok ? ok() : result));
      this.#placing.set(what, known);
      return known;
    };
    for (const { name } of this.#world.datasetsFor(stage)) {
      const pulled = await once(`dataset ${name}`, () =>
        pullData(this.#context, { names: [name], stores: this.#stores }),
      );
      if (!pulled.ok) return pulled;
    }
    for (const name of stage.needs) {
      const state = this.states.get(name);
      if (state?.status !== "cached") continue;
      for (const output of outputsFor(state.record, stage)) {
        const placed = await once(output.path, () => bringBack(this.#context, name, [output], this.#stores));
        if (!placed.ok) return placed;
      }
    }
    return ok();
  }

  /** Looks at the inputs again: somebody may have saved a file while the stage ran, or the stage itself wrote to them. */
  async #changed(stage: Stage, before: KeyInputs): Promise<Result<Changed | undefined>> {
    const again = await this.#world.again(stage);
    if (!again.ok) return again;
    const now = await again.value.inputs(stage);
    if (!now.ok) return now;
    if (now.value !== undefined && stageKey(now.value) !== stageKey(before))
      return ok({ what: reasonOf(before, now.value), hint: "run it again" });
    return this.#overwritten(stage);
  }

  /** Of what the stage read, the first output of another stage or dataset that is not what it was. */
  async #overwritten(stage: Stage): Promise<Result<Changed | undefined>> {
    const outputs = stage.needs.flatMap((name) => {
      const state = this.states.get(name);
      if (state === undefined || !("record" in state)) return [];
      return outputsFor(state.record, stage).map((output) => ({ output, what: `the output of ${name}` }));
    });
    const hint = "a stage writes to its own outputs only: have it copy what it wants to change";
    for (const { output, what } of outputs) {
      const there = await isInPlace(this.#context, output);
      if (!there.ok) return there;
      if (!there.value) return ok({ what: `${output.path} changed, ${what}`, hint });
    }
    for (const tracked of this.#world.datasetsFor(stage)) {
      const there = await dataState(this.#context, tracked);
      if (!there.ok) return there;
      if (there.value !== "unchanged") {
        return ok({ what: `${tracked.dataset.path} changed, the dataset ${tracked.name}`, hint });
      }
    }
    return ok(undefined);
  }

  #fail(planned: PlannedWithInputs, failures: readonly Failure[], ms: number): void {
    if (failures.some(({ code }) => code === "interrupted")) return this.#interrupt(planned, ms);
    this.failures.push(...failures);
    this.states.set(planned.stage, { status: "failed", key: planned.key, reason: planned.reason, ms });
    this.#stopped ||= this.#options.keepGoing !== true;
  }

  #interrupt(planned: PlannedWithInputs, ms = 0): void {
    if (!this.failures.some(({ code }) => code === "interrupted"))
      this.failures.push(...fail({ code: "interrupted" }).failures);
    this.states.set(planned.stage, { status: "skipped", key: planned.key, reason: "the run was interrupted", ms });
    this.#stopped = true;
  }

  #skip(planned: PlannedWithInputs, reason: string): void {
    this.states.set(planned.stage, { status: "skipped", key: planned.key, reason, ms: 0 });
  }
}
