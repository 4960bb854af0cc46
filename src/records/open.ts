import { ok } from "../core/index.ts";
import type { Context, Result, StageKey } from "../core/index.ts";
import type { RunRecord, StageRecord } from "../config/index.ts";
import { RecordsBranch } from "./lookups.ts";
import { readLocal, saveLocal } from "./local.ts";
import { readLooks } from "./looks.ts";
import { parseRun, parseStage } from "./parse.ts";
import { isTrusted, runPath, stagePath, untrusted } from "./paths.ts";
import { publish } from "./publish.ts";
import type { Records, RecordsOptions } from "./records.ts";
import { pathOf, runAt } from "./run-entry.ts";
import { listRuns } from "./runs.ts";

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
    const wanted = runAt(path);
    return ok(wanted && parseRun(context, `${where}${path}`, bytes.value, wanted.commit, wanted.pipeline));
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
    list: () => listRuns(context, options.branch, branch.fetched.ref),
    read(entry) {
      const read = entry.place === "here" ? local : (path: string) => branch.fetched.read(path);
      return runFrom(read, pathOf(entry), entry.place === "here" ? ".lockstep/records/" : `${options.branch}:`);
    },
    saveLocal: (records) => saveLocal(context, records),
    publish: (records, options = {}) => publish(context, branch, records, options),
    looks: (testSet) => readLooks(context, branch, testSet),
    refresh: (lookups) => branch.refresh(lookups),
  };
}
