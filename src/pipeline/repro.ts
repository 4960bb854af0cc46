import { randomUUID } from "node:crypto";
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { StageRecord } from "../config/index.ts";
import { fail, isStageKey, ok } from "../core/index.ts";
import type { Context, Failure, Result, StageKey } from "../core/index.ts";
import { git, resolveCommit, workingTree } from "../git/index.ts";
import type { Records } from "../records/index.ts";
import { prepareTemporaryFolder } from "../store/index.ts";
import { loadPipeline } from "./load.ts";
import { run } from "./run.ts";
import type { Workspace } from "./workspace.ts";

/** One recorded stage, run again from what its record says. */
export interface Reproduced {
  readonly pipeline: string;
  readonly stage: string;
  readonly key: StageKey;
  readonly commit: string;
  /** True when every output came out byte for byte. */
  readonly equal: boolean;
  /** Digests; `here` is null where the output was not made. */
  readonly outs: readonly { readonly path: string; readonly recorded: string; readonly here: string | null }[];
  readonly metrics: readonly {
    readonly name: string;
    readonly recorded: number | null;
    readonly here: number | null;
  }[];
  /** Milliseconds. */
  readonly duration: { readonly recorded: number; readonly here: number | null };
  /** Why it could not be done: a stage that failed, inputs that are not what they were. */
  readonly failures: readonly Failure[];
}

export interface ReproduceOptions {
  /** A stage key, or any name of a commit that was run. */
  readonly name: string;
  readonly pipeline?: string;
  readonly stage?: string;
}

/** A stage to reproduce: its record, and the commit whose tree is run. */
interface Recorded {
  readonly record: StageRecord;
  readonly commit: string;
}

/**
 * Runs recorded stages again, each on the recorded outputs of the stages before it, and compares what comes out. All
 * of it happens in a worktree of the commit below `.lockstep/tmp`, which is gone afterwards; nothing is recorded.
 */
export async function reproduce(
  context: Context,
  workspace: Pick<Workspace, "records" | "store">,
  options: ReproduceOptions,
): Promise<Result<Reproduced[]>> {
  const found = isStageKey(options.name)
    ? await ofKey(workspace.records, options.name)
    : await ofRun(context, workspace.records, options);
  if (!found.ok) return found;
  const vars = Object.assign({}, ...found.value.map(({ record }) => record.vars)) as Record<string, string | null>;
  const reproduced: Reproduced[] = [];
  for (const recorded of found.value) {
    const one = await inWorktree(context, recorded.commit, (there) =>
      again({ ...there, env: environment(context.env, vars) }, workspace, recorded),
    );
    if (!one.ok) return one;
    reproduced.push(one.value);
    if (one.value.failures.some(({ code }) => code === "interrupted")) return fail({ code: "interrupted" });
  }
  return ok(reproduced);
}

async function ofKey(records: Records, key: StageKey): Promise<Result<Recorded[]>> {
  const record = await records.anyStage(key);
  if (!record.ok) return record;
  if (record.value === undefined) return unknown("stage record", key);
  const { commit, stage } = record.value;
  if (commit !== null) return ok([{ record: record.value, commit }]);
  return fail({ code: "unsupported", what: `reproducing ${stage}, which was made from a tree that is no commit,` });
}

/** The stages of a commit's runs: as this machine ran it, else as the newest record of it says. */
async function ofRun(
  context: Context,
  records: Records,
  { name, pipeline, stage }: ReproduceOptions,
): Promise<Result<Recorded[]>> {
  const resolved = await resolveCommit(context, name);
  const commit = resolved.ok ? resolved.value : name.toLowerCase();
  const known = await records.list();
  if (!known.ok) return known;
  const runs = known.value.filter(
    (run) => run.commit?.startsWith(commit) === true && (pipeline === undefined || run.pipeline === pipeline),
  );
  const best = new Map(runs.toReversed().map((entry) => [entry.pipeline, entry]));
  for (const entry of runs) if (entry.standing === "here") best.set(entry.pipeline, entry);
  const recorded: Recorded[] = [];
  for (const entry of best.values()) {
    const read = await records.read(entry);
    if (!read.ok) return read;
    for (const { key, stage: of } of read.value?.stages ?? []) {
      if (key === null || entry.commit === null || (stage !== undefined && of !== stage)) continue;
      const record = await records.anyStage(key);
      if (!record.ok) return record;
      if (record.value !== undefined) recorded.push({ record: record.value, commit: entry.commit });
    }
  }
  return recorded.length === 0 ? unknown("record of", name) : ok(recorded);
}

function unknown(what: string, name: string): Result<never> {
  const hint =
    "`lockstep runs list` lists the runs, `lockstep --json runs show` their keys; --fetch brings what others made";
  return fail({ code: "unknown-name", what, name, known: [], hint });
}

function environment(
  env: Context["env"],
  vars: Readonly<Record<string, string | null>>,
): Record<string, string | undefined> {
  const recorded = Object.entries(vars).map(([name, value]) => [name, value ?? undefined] as const);
  return { ...env, ...Object.fromEntries(recorded) };
}

async function again(
  context: Context,
  { records, store }: Pick<Workspace, "records" | "store">,
  { record, commit }: Recorded,
): Promise<Result<Reproduced>> {
  const source = workingTree(context);
  const pipeline = await loadPipeline(source, record.pipeline);
  if (!pipeline.ok) return pipeline;
  const { key, stage } = record;
  // To all else the records are as they are; this one is not there, so that the stage runs.
  const lookUp: Records["stage"] = (wanted) =>
    wanted === key ? Promise.resolve(ok(undefined)) : records.anyStage(wanted);
  const without: Records = { ...records, stage: lookUp, trustedStage: lookUp, saveLocal: () => Promise.resolve(ok()) };
  const ran = await run(context, {
    source,
    pipeline: pipeline.value,
    records: without,
    store,
    stage,
    commit,
    restore: "needed",
  });
  if (!ran.ok) return ran;
  const here = ran.value.stages.find((made) => made.stage === stage);
  const other: Failure[] =
    here === undefined || here.key === key
      ? []
      : [{ code: "stage-failed", stage, reason: "has other inputs now than its record: another key", tail: "" }];
  return ok(compare(record, here, commit, [...ran.value.failures, ...other]));
}

function compare(
  record: StageRecord,
  here: StageRecord | undefined,
  commit: string,
  failures: readonly Failure[],
): Reproduced {
  const made = new Map(here?.outs.map((out) => [out.path, out]));
  const outs = record.outs.map(({ path, digest, mode }) => {
    const out = made.get(path);
    return { path, recorded: digest, here: out?.digest ?? null, equal: out?.digest === digest && out.mode === mode };
  });
  const before = flat(record);
  const after = here === undefined ? new Map<string, number>() : flat(here);
  return {
    pipeline: record.pipeline,
    stage: record.stage,
    key: record.key,
    commit,
    equal: failures.length === 0 && here?.profile === record.profile && outs.every(({ equal }) => equal),
    outs: outs.map(({ path, recorded, here: digest }) => ({ path, recorded, here: digest })),
    metrics: [...new Set([...before.keys(), ...after.keys()])].map((name) => ({
      name,
      recorded: before.get(name) ?? null,
      here: after.get(name) ?? null,
    })),
    duration: { recorded: record.ms, here: here?.ms ?? null },
    failures,
  };
}

function flat({ metrics }: StageRecord): Map<string, number> {
  return new Map(
    Object.entries(metrics).flatMap(([file, values]) =>
      Object.entries(values).map(([name, value]) => [`${file}:${name}`, value] as const),
    ),
  );
}

/** Works in a worktree of a commit, with this machine's cache of blobs. No hook of the user's is run for it. */
async function inWorktree<T>(
  context: Context,
  commit: string,
  work: (there: Context) => Promise<Result<T>>,
): Promise<Result<T>> {
  const present = await bring(context, commit);
  if (!present.ok) return present;
  const path = join(await prepareTemporaryFolder(context), `repro-${randomUUID()}`);
  const { signal: _, ...unstoppable } = context; // what is begun is also removed
  const worktree = (...args: string[]): Promise<Result<string>> =>
    git(unstoppable, ["-c", "core.hooksPath=/dev/null", "worktree", ...args]);
  try {
    const added = await worktree("add", "--quiet", "--detach", path, commit);
    if (!added.ok) return added;
    const cache = join(context.cwd, ".lockstep", "cache");
    await mkdir(cache, { recursive: true });
    const there = { ...context, cwd: path };
    await prepareTemporaryFolder(there);
    await symlink(cache, join(path, ".lockstep", "cache"));
    return await work(there);
  } finally {
    await worktree("remove", "--force", "--force", path);
    await rm(path, { recursive: true, force: true });
  }
}

/** A pull request's merge commit is on no branch: a clone has to ask for it by name. */
async function bring(context: Context, commit: string): Promise<Result<unknown>> {
  const here = await resolveCommit(context, commit);
  if (here.ok) return here;
  await git(context, ["fetch", "--quiet", "--no-tags", "--depth=1", "--end-of-options", "origin", commit]);
  return resolveCommit(context, commit);
}
