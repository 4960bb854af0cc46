import { lstat, mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StageRecord } from "../config/index.ts";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result, StageKey } from "../core/index.ts";
import { git } from "../git/index.ts";
import { snapshot } from "../store/index.ts";
import type { LocalStore } from "../store/index.ts";
import type { KeyInputs } from "./key.ts";
import { parseMetrics } from "./metrics.ts";
import { runCommand, shell } from "./process.ts";
import type { Output, Pipeline, Stage } from "./stage.ts";

/** A stage that is to run now: its inputs are in place and its key is known. */
export interface Execution {
  readonly pipeline: Pipeline;
  readonly stage: Stage;
  readonly key: StageKey;
  readonly inputs: KeyInputs;
  readonly cache: LocalStore;
  /** Commit whose tree is run, where it is one. */
  readonly commit: string | null;
  readonly signal: AbortSignal;
  /** Why the inputs are no longer those of the key; undefined when they are. */
  readonly changed: () => Promise<Result<string | undefined>>;
}

/** Runs a stage's commands and takes its outputs into the cache. Nothing is recorded here, and nothing of a failure is. */
export async function execute(context: Context, execution: Execution): Promise<Result<StageRecord>> {
  const { pipeline, stage, key, inputs, cache, commit } = execution;
  const startedAt = context.now();
  const ran = await runWithRetry(context, execution);
  if (!ran.ok) return ran;
  const ms = Math.max(0, context.now().getTime() - startedAt.getTime());
  const changed = await execution.changed();
  if (!changed.ok) return changed;
  if (changed.value !== undefined) {
    const reason = `cannot be recorded: while it ran, ${changed.value}`;
    return fail({ code: "stage-failed", stage: stage.name, reason, tail: "", hint: "run it again" });
  }
  const outs = await takeOutputs(context, stage, cache);
  if (!outs.ok) return outs;
  const metrics = await readMetrics(context, stage);
  if (!metrics.ok) return metrics;
  const profile = await makeProfile(context, stage, cache);
  if (!profile.ok) return profile;
  return ok({
    recordVersion: 1,
    key,
    pipeline: pipeline.name,
    stage: stage.name,
    outs: outs.value,
    metrics: metrics.value,
    profile: profile.value,
    ...(stage.env.vars.length === 0 ? {} : { vars: { ...inputs.env.vars } }),
    startedAt: startedAt.toISOString(),
    ms,
    commit,
    provenance: null,
  });
}

async function runWithRetry(context: Context, execution: Execution): Promise<Result<void>> {
  const { stage } = execution;
  for (let attempts = 0; ; attempts++) {
    const cleared = await clearOutputs(context, execution);
    if (!cleared.ok) return cleared;
    const ran = await runCommands(context, execution);
    const [failure] = ran.ok ? [] : ran.failures;
    if (failure?.code !== "stage-failed" || attempts >= stage.retry) return ran;
    context.emit({
      type: "note",
      message: `${stage.name} ${failure.reason}; try ${attempts + 2} of ${stage.retry + 1}`,
    });
  }
}

async function runCommands(context: Context, { stage, signal }: Execution): Promise<Result<void>> {
  const folder = join(context.cwd, stage.wdir ?? "");
  const there = await lstat(folder).catch(() => undefined);
  if (!there?.isDirectory()) {
    return fail({
      code: "stage-failed",
      stage: stage.name,
      reason: `has no wdir ${stage.wdir}: it is no folder`,
      tail: "",
    });
  }
  for (const command of stage.cmd) {
    const end = await runCommand(context, shell(command), {
      stage: stage.name,
      folder,
      timeoutMs: stage.timeoutMs,
      signal,
    });
    if (end.how === "interrupted") return fail({ code: "interrupted" });
    if (end.how !== "ok") return fail({ code: "stage-failed", stage: stage.name, reason: end.reason, tail: end.tail });
  }
  context.emit({ type: "effect", name: `commands of ${stage.name} ended` });
  return ok();
}

/** A stage starts without its old outputs (those marked persist stay), so that what is there afterwards is its own. */
async function clearOutputs(context: Context, { stage }: Execution): Promise<Result<void>> {
  for (const out of stage.outs) {
    const tracked = out.cache ? await trackedIn(context, out) : ok("");
    if (!tracked.ok) return tracked;
    if (tracked.value !== "") {
      return fail({
        code: "file-invalid",
        at: stage.at(out.where),
        problem: `git tracks ${tracked.value}, and an output is deleted before its stage runs`,
        hint: `\`git rm -r --cached ${out.path}\` and ignore it, or say \`cache: false\` to keep it in git`,
      });
    }
    const done = await attempt(out.path, async () => {
      if (!out.persist) await rm(join(context.cwd, out.path), { recursive: true, force: true });
      await mkdir(dirname(join(context.cwd, out.path)), { recursive: true });
    });
    if (!done.ok) return done;
  }
  context.emit({ type: "effect", name: `outputs of ${stage.name} cleared` });
  return ok();
}

/** The first tracked file of an output; "" when there is none. */
async function trackedIn(context: Context, out: Output): Promise<Result<string>> {
  const there = await lstat(join(context.cwd, out.path)).catch(() => undefined);
  if (there === undefined) return ok("");
  const listed = await git(context, ["--literal-pathspecs", "ls-files", "-z", "--", out.path]);
  return listed.ok ? ok(listed.value.split("\0")[0] ?? "") : listed;
}

async function takeOutputs(context: Context, stage: Stage, cache: LocalStore): Promise<Result<StageRecord["outs"]>> {
  const outs: StageRecord["outs"] = [];
  for (const out of stage.outs) {
    const taken = await snapshot(context, out.path, out.cache ? cache : undefined);
    if (!taken.ok) {
      const [failure] = taken.failures;
      if (failure.code !== "file-missing") return taken;
      return fail({ code: "output-missing", stage: stage.name, path: out.path });
    }
    const { kind, digest, size, mode } = taken.value;
    outs.push({ path: out.path, kind, digest, size, ...(mode === undefined ? {} : { mode }) });
    context.emit({ type: "effect", name: `output ${out.path} taken` });
  }
  return ok(outs);
}

async function readMetrics(context: Context, stage: Stage): Promise<Result<StageRecord["metrics"]>> {
  const metrics: StageRecord["metrics"] = {};
  for (const out of stage.outs.filter(({ uses }) => uses.includes("metric"))) {
    const bytes = await attempt(out.path, () => readFile(join(context.cwd, out.path)));
    if (!bytes.ok) return bytes;
    const parsed = await parseMetrics(out.path, bytes.value);
    if (!parsed.ok) return parsed;
    metrics[out.path] = parsed.value;
  }
  return ok(metrics);
}

async function makeProfile(context: Context, stage: Stage, cache: LocalStore): Promise<Result<Digest | null>> {
  if (stage.profile === null) return ok(null);
  const table = stage.profile;
  const bytes = await attempt(table, () => readFile(join(context.cwd, table)));
  if (!bytes.ok) return bytes;
  const { profileJson, sketchTable } = await import("../profile/index.ts");
  const profile = sketchTable(bytes.value, table);
  if (!profile.ok) return profile;
  return cache.put(Buffer.from(profileJson(profile.value)));
}
