import type { ResultDocument, RunRecord, StageRecord } from "../config/index.ts";
import { canonicalJson, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { frozenKey } from "./frozen.ts";
import { KeyWorld } from "./inputs.ts";
import type { Made } from "./inputs.ts";
import { stageKey } from "./key.ts";
import { loadPipeline } from "./load.ts";
import type { Stage } from "./stage.ts";
import { inputsOf } from "./summary.ts";

export interface VerifyOptions {
  /** Has passed the schema, and nothing else about it is believed. */
  readonly document: ResultDocument;
  /** The tree of `document.commit`, from git's objects. */
  readonly source: Source;
}

/**
 * Holds that a result speaks of this tree: every key is recomputed from git's objects and the outputs it claims for
 * the stages before it; params, data, metrics and the list of outputs must be those that the files imply. What a
 * stage produced cannot be checked without running it: that is what trust in the run is for. Fails with
 * "result-refused".
 */
export async function verifyResult(context: Context, { document, source }: VerifyOptions): Promise<Result<void>> {
  if (source.commit !== document.commit) {
    return refuse(`it is for commit ${document.commit}, not for ${source.commit ?? source.label}`);
  }
  const records = new Map(document.stages.map((record) => [record.key, record]));
  if (records.size !== document.stages.length) return refuse("it has two records for one key");
  const names = new Set(document.runs.map(({ pipeline }) => pipeline));
  if (names.size !== document.runs.length) return refuse("it has two runs of one pipeline");
  const used = new Set<string>();
  for (const run of document.runs) {
    const verified = await verifyRun(context, run, source, document.commit, records, used);
    if (!verified.ok) return verified;
  }
  const extra = document.stages.find(({ key }) => !used.has(key));
  return extra === undefined ? ok() : refuse(`its record ${extra.key} belongs to no stage of its runs`);
}

async function verifyRun(
  context: Context,
  run: RunRecord,
  source: Source,
  commit: string,
  records: ReadonlyMap<string, StageRecord>,
  used: Set<string>,
): Promise<Result<void>> {
  if (run.commit !== commit) return refuse(`its run of "${run.pipeline}" is for another commit`);
  const pipeline = await loadPipeline(source, run.pipeline);
  if (!pipeline.ok) return refuse(`pipeline "${run.pipeline}" cannot be read at that commit`, pipeline.failures);
  const world = await KeyWorld.open(context, pipeline.value, source);
  if (!world.ok) return refuse("its datasets cannot be read", world.failures);
  const { stages } = pipeline.value;
  if (
    canonicalJson(stages.map(({ name, needs }) => [name, needs])) !==
    canonicalJson(run.stages.map(({ stage, needs }) => [stage, needs]))
  ) {
    return refuse(`its stages are not those of pipeline "${run.pipeline}"`);
  }
  const metrics: Partial<StageRecord["metrics"]> = {};
  for (const [index, stage] of stages.entries()) {
    const told = run.stages[index] as RunRecord["stages"][number];
    const where = `stage "${stage.name}" of pipeline "${run.pipeline}"`;
    const ended = told.status === "cached" || told.status === "run";
    const record = ended && told.key !== null ? records.get(told.key) : undefined;
    if (ended && record === undefined) return refuse(`${where} has no record`);
    if (stage.frozen) {
      if (record === undefined) continue;
      const locked = await world.value.seeds.locked(stage);
      if (!locked.ok) return refuse("its dvc.lock cannot be read", locked.failures);
      // Nothing but its outputs decides about a frozen stage's key: those of dvc.lock, or those it claims.
      const outs = record.outs.map((out) => ({ path: out.path, digest: locked.value?.outs.get(out.path)?.digest }));
      const made = outs.every(({ digest }) => digest !== undefined) ? (outs as Made[]) : record.outs;
      if (frozenKey(stage, made) !== record.key) return refuse(`the key of ${where} is not that of its outputs`);
      const problem = recordProblem(stage, record);
      if (problem !== undefined) return refuse(`the record of ${where} ${problem}`);
      world.value.learn(stage.name, made);
      used.add(record.key);
      Object.assign(metrics, record.metrics);
      continue;
    }
    const inputs = await world.value.inputs(stage, claimedVars(stage, record) ?? context.env);
    if (!inputs.ok) return refuse(`the inputs of ${where} cannot be read at that commit`, inputs.failures);
    if (record === undefined) continue;
    if (inputs.value === undefined) return refuse(`${where} ended although a stage it needs did not`);
    if (stageKey(inputs.value) !== record.key) return refuse(`the key of ${where} is not that of this commit's files`);
    const problem = recordProblem(stage, record);
    if (problem !== undefined) return refuse(`the record of ${where} ${problem}`);
    world.value.learn(stage.name, record.outs);
    used.add(record.key);
    Object.assign(metrics, record.metrics);
  }
  if (canonicalJson(metrics) !== canonicalJson(run.metrics))
    return refuse(`the metrics of "${run.pipeline}" are not its stages'`);
  if (run.ok !== run.stages.every(({ status }) => status === "cached" || status === "run")) {
    return refuse(`whether "${run.pipeline}" went well is not what its stages say`);
  }
  const implied = await inputsOf(world.value, stages);
  if (!implied.ok) return refuse(`the parameters of "${run.pipeline}" cannot be read at that commit`, implied.failures);
  if (canonicalJson(implied.value) !== canonicalJson({ params: run.params, data: run.data })) {
    return refuse(`the params or data of "${run.pipeline}" are not those of this commit`);
  }
  return ok();
}

/** Another machine's environment, restricted to the variables the stage declares. */
function claimedVars(stage: Stage, record: StageRecord | undefined): Record<string, string | null> | undefined {
  if (record?.vars === undefined) return undefined;
  const claimed = record.vars;
  return Object.fromEntries(
    stage.env.vars.map((name) => [name, Object.hasOwn(claimed, name) ? (claimed[name] ?? null) : null]),
  );
}

/** Why a record cannot be this stage's, whatever its key. */
function recordProblem(stage: Stage, record: StageRecord): string | undefined {
  const same = (a: readonly string[], b: readonly string[]): boolean => canonicalJson(a) === canonicalJson(b);
  if (
    !same(
      record.outs.map(({ path }) => path),
      stage.outs.map(({ path }) => path),
    )
  )
    return "does not have its outputs";
  const metrics = stage.outs.filter(({ uses }) => uses.includes("metric")).map(({ path }) => path);
  if (!same(Object.keys(record.metrics).sort(), metrics)) return "does not have its metrics";
  if (!same(Object.keys(record.vars ?? {}).sort(), stage.frozen ? [] : stage.env.vars))
    return "does not have its variables";
  if ((record.profile !== null) !== (stage.profile !== null)) return "does not have its profile";
  if ((record.checks !== undefined) !== (stage.checks !== null)) return "does not have its checks";
  return record.provenance === null ? undefined : "claims who vouches for it";
}

function refuse(reason: string, cause?: unknown): Result<never> {
  return fail({ code: "result-refused", reason, ...(cause === undefined ? {} : { cause }) });
}
