import { compareCodeUnits, ok } from "../core/index.ts";
import type { Context, Result, StageKey } from "../core/index.ts";
import type { RunRecord, StageRecord } from "../config/index.ts";
import { atRevision } from "../git/index.ts";
import { RecordsBranch } from "./lookups.ts";
import { listLocalRuns, readLocal, saveLocal } from "./local.ts";
import { parseRun, parseStage } from "./parse.ts";
import { isTrusted, NO_COMMIT, runPath, stagePath, untrusted } from "./paths.ts";
import { publish } from "./publish.ts";
import type { Records, RecordsOptions } from "./records.ts";

/** The records of a repository. Opening costs nothing; lookups share one git process or are one request each. */
export function openRecords(context: Context, options: RecordsOptions): Records {
  const branch = new RecordsBranch(context, options);
  const onBranch = (path: string): Promise<Result<Buffer | undefined>> => branch.read(path);

  const stageAt = async (path: string, key: StageKey): Promise<Result<StageRecord | undefined>> => {
    const bytes = await onBranch(path);
    if (!bytes.ok || bytes.value === undefined) return bytes as Result<undefined>;
    return ok(parseStage(context, `${options.branch}:${path}`, bytes.value, key));
  };
  const trustedStage = async (key: StageKey): Promise<Result<StageRecord | undefined>> => {
    const record = await stageAt(stagePath(key), key);
    return !record.ok || (record.value !== undefined && isTrusted(record.value)) ? record : ok(undefined);
  };
  const stage = async (key: StageKey): Promise<Result<StageRecord | undefined>> => {
    const path = stagePath(key);
    const bytes = await local(path);
    if (!bytes.ok) return bytes;
    const record = bytes.value && parseStage(context, `.lockstep/records/${path}`, bytes.value, key);
    return record === undefined ? trustedStage(key) : ok(record);
  };
  const runFrom = async (
    read: (path: string) => Promise<Result<Buffer | undefined>>,
    path: string,
    where: string,
  ): Promise<Result<RunRecord | undefined>> => {
    const bytes = await read(path);
    if (!bytes.ok || bytes.value === undefined) return bytes as Result<undefined>;
    const [file = "", folder = ""] = path.split("/").toReversed();
    const commit = folder === NO_COMMIT ? null : folder;
    return ok(parseRun(context, `${where}${path}`, bytes.value, commit, file.replace(/\.json$/, "")));
  };
  const local = (path: string): Promise<Result<Buffer | undefined>> => readLocal(context, path);

  return {
    stage,
    trustedStage,
    async anyStage(key) {
      const known = await stage(key);
      return !known.ok || known.value !== undefined ? known : stageAt(untrusted(stagePath(key)), key);
    },
    async run(commit, pipeline) {
      const path = runPath(commit, pipeline);
      if (/[^\w.-]/.test(`${commit}${pipeline}`)) return ok(undefined);
      const here = await runFrom(local, path, ".lockstep/records/");
      if (!here.ok || here.value !== undefined) return here;
      const trusted = await runFrom(onBranch, path, `${options.branch}:`);
      if (!trusted.ok || (trusted.value !== undefined && isTrusted(trusted.value))) return trusted;
      return runFrom(onBranch, untrusted(path), `${options.branch}:`);
    },
    async trustedRun(commit, pipeline) {
      if (/[^\w.-]/.test(`${commit}${pipeline}`)) return ok(undefined);
      const run = await runFrom(onBranch, runPath(commit, pipeline), `${options.branch}:`);
      return !run.ok || (run.value !== undefined && isTrusted(run.value)) ? run : ok(undefined);
    },
    async list() {
      const here = await listLocalRuns(context);
      if (!here.ok) return here;
      const there = await branchRuns(context, branch.fetched.ref);
      if (!there.ok) return there;
      const known = new Set(here.value);
      const runs: RunRecord[] = [];
      for (const [paths, read, where] of [
        [here.value, local, ".lockstep/records/"],
        [there.value.filter((path) => !known.has(path)), onBranch, `${options.branch}:`],
      ] as const) {
        for (const path of paths) {
          const run = await runFrom(read, path, where);
          if (!run.ok) return run;
          if (run.value !== undefined) runs.push(run.value);
        }
      }
      return ok(runs.sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt)));
    },
    saveLocal: (records) => saveLocal(context, records),
    publish: (records, { replace = false } = {}) => publish(context, branch, records, replace),
    refresh: (lookups) => branch.refresh(lookups),
  };
}

async function branchRuns(context: Context, ref: string): Promise<Result<string[]>> {
  const source = await atRevision(context, ref);
  if (!source.ok) return source.failures[0].code === "unknown-name" ? ok([]) : source;
  const trusted = await source.value.list("runs");
  if (!trusted.ok) return trusted;
  const others = await source.value.list("untrusted/runs");
  return others.ok ? ok([...trusted.value, ...others.value]) : others;
}
