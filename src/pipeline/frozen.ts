import type { StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, ContentDigest, RelativePath, Result } from "../core/index.ts";
import { git } from "../git/index.ts";
import { snapshot } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { readChecks } from "./checks.ts";
import type { KeyWorld, Made } from "./inputs.ts";
import { stageKey } from "./key.ts";
import { lastInputs } from "./last.ts";
import { lookUp } from "./look-up.ts";
import type { LookUpOptions } from "./look-up.ts";
import { readMetrics } from "./results.ts";
import { isStored } from "./outputs.ts";
import type { Stage } from "./stage.ts";

/** The result that a frozen stage stands for. */
export interface Standing {
  /** What enters the keys of the stages that need it. */
  readonly outs: readonly Made[];
  /** Undefined: dvc.lock names it, and the bytes are not here. */
  readonly record?: StageRecord;
  /** In a person's words. */
  readonly reason: string;
}

/** First-parent commits that are asked for the stage's last result. */
const DEPTH = 1000;

/**
 * Finds what a frozen stage stands for: what `dvc.lock` names; else its last run on this machine; else its run for the
 * nearest commit along first parents; else, as in DVC, what lies in place. A frozen stage never runs, whatever its deps,
 * its command and `--force` say. Undefined: nothing is known.
 */
export async function standing(
  context: Context,
  world: KeyWorld,
  stage: Stage,
  options: LookUpOptions,
): Promise<Result<Standing | undefined>> {
  const locked = await world.seeds.locked(stage);
  if (!locked.ok) return locked;
  const names = stage.outs.map(({ path }) => ({ path, digest: locked.value?.outs.get(path)?.digest }));
  if (locked.value !== undefined && names.every(({ digest }) => digest !== undefined)) {
    const outs = names as { path: RelativePath; digest: ContentDigest }[];
    const seed = await world.seeds.result(stage, frozenKey(stage, outs), locked.value);
    if (!seed.ok) return seed;
    return ok({ outs, reason: "frozen; dvc.lock has its result", ...("record" in seed.value ? seed.value : {}) });
  }
  const found = (await lastHere(context, world, stage, options)) ?? (await inHistory(context, world, stage, options));
  if (found !== undefined) return found.ok ? ok(standsFor(stage, found.value.record, found.value.reason)) : found;
  const here = world.source.commit === null || stage.outs.length === 0;
  const there = here ? await inPlace(context, world, stage) : undefined;
  if (there === undefined) return ok(undefined);
  return there.ok ? ok(standsFor(stage, there.value, "frozen; what lies in place is its result")) : there;
}

/** The key of a frozen stage: that of its outputs, because nothing else decides about them. No command has it. */
export function frozenKey(stage: Stage, outs: readonly Made[]): StageRecord["key"] {
  return stageKey({
    cmd: [],
    wdir: ".",
    deps: outs.map(({ path, digest }) => ({ path, digest })),
    params: {},
    outs: stage.outs.flatMap(({ path, uses }) => uses.map((use) => ({ path, use }))),
    env: { files: [], vars: {}, image: null },
  });
}

/** A frozen stage that stands for nothing. */
export function nothingStands(stage: Stage): Result<never> {
  const path = stage.outs[0]?.path ?? stage.name;
  const hint = "`dvc pull`, or `git fetch` the records; to run it, take `frozen` away";
  return fail({
    code: "file-missing",
    path,
    neededBy: `stage "${stage.name}", which is frozen and does not run,`,
    hint,
  });
}

function standsFor(stage: Stage, found: StageRecord, reason: string): Standing {
  const { vars: _, ...record } = found;
  const outs = record.outs.filter(({ path }) => stage.outs.some((out) => out.path === path));
  return { outs, reason, record: { ...record, stage: stage.name, outs, key: frozenKey(stage, outs) } };
}

type Found = Result<{ readonly record: StageRecord; readonly reason: string }> | undefined;

async function lastHere(context: Context, world: KeyWorld, stage: Stage, options: LookUpOptions): Promise<Found> {
  if (world.source.commit !== null || options.trustedOnly === true) return undefined;
  const last = lastInputs(context, world.pipeline.name, stage.name);
  if (last === undefined) return undefined;
  const record = await lookUp(stage, stageKey(last), options);
  if (!record.ok || record.value === undefined) return record.ok ? undefined : record;
  return ok({ record: record.value, reason: since(record.value.commit, "its last run here") });
}

async function inHistory(context: Context, world: KeyWorld, stage: Stage, options: LookUpOptions): Promise<Found> {
  const from = world.source.commit ?? "HEAD";
  const listed = await git(context, ["rev-list", "--first-parent", `--max-count=${DEPTH}`, from, "--"]);
  // A repository without a commit has no history.
  const commits = listed.ok ? listed.value.split("\n").filter((commit) => commit !== "") : [];
  const { records, trustedOnly = false } = options;
  for (const commit of commits) {
    const run = await (trustedOnly
      ? records.trustedRun(commit, world.pipeline.name)
      : records.run(commit, world.pipeline.name));
    if (!run.ok) return run;
    const part = run.value?.stages.find(({ stage: name }) => name === stage.name);
    if (part?.key == null || (part.status !== "run" && part.status !== "cached")) continue;
    const record = await lookUp(stage, part.key, options);
    if (!record.ok) return record;
    if (record.value !== undefined)
      return ok({ record: record.value, reason: since(record.value.commit ?? commit, "") });
  }
  return undefined;
}

/** As DVC does: what a person put there is the result. Undefined: an output is missing. */
async function inPlace(context: Context, world: KeyWorld, stage: Stage): Promise<Result<StageRecord> | undefined> {
  const outs: StageRecord["outs"] = [];
  for (const { path } of stage.outs) {
    const taken = await snapshot(context, path);
    if (!taken.ok) return taken.failures[0].code === "file-missing" ? undefined : taken;
    const { kind, digest, size, mode } = taken.value;
    outs.push({ path, kind, digest, size, ...(mode === undefined ? {} : { mode }) });
  }
  const metrics = await readMetrics(context, stage);
  if (!metrics.ok) return metrics;
  const checks = await readChecks(context, stage);
  if (!checks.ok) return checks;
  return ok({
    recordVersion: 1,
    key: frozenKey(stage, outs),
    pipeline: world.pipeline.name,
    stage: stage.name,
    outs,
    metrics: metrics.value,
    profile: null,
    ...checks.value,
    origin: "working tree",
    startedAt: context.now().toISOString(),
    ms: 0,
    commit: null,
    provenance: null,
  });
}

/** An output that a person changed: what stands there is in no store, and putting the result back would lose it. */
export async function editedOutput(
  context: Context,
  world: KeyWorld,
  record: StageRecord,
  stores: readonly Store[],
): Promise<Result<void>> {
  for (const output of record.outs) {
    const there = await snapshot(context, output.path);
    if (!there.ok || there.value.digest === output.digest) continue;
    const stored = await isStored(there.value, stores);
    if (!stored.ok) return stored;
    const kept = stored.value ? stored : await world.seeds.keeps(output.path);
    if (!kept.ok) return kept;
    if (kept.value) continue;
    const hint = "delete it to have the result back; to make it the result, `dvc commit` it, or take `frozen` away";
    const by = `the result of the frozen stage "${record.stage}"`;
    return fail({ code: "data-changed", dataset: record.stage, path: output.path, by, hint });
  }
  return ok();
}

function since(commit: string | null, otherwise: string): string {
  return `frozen since ${commit?.slice(0, 12) ?? otherwise}`;
}
