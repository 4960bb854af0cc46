import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Context, Result, StageKey } from "../core/index.ts";
import type { RunRecord, StageRecord } from "../config/index.ts";
import { atRevision, CatFile, fetchBranch, git } from "../git/index.ts";
import { listLocalRuns, readLocal, saveLocal } from "./local.ts";
import { parseRun, parseStage } from "./parse.ts";
import { isTrusted, NO_COMMIT, runPath, stagePath, untrusted } from "./paths.ts";
import { publish } from "./publish.ts";
import type { Records, RecordsOptions } from "./records.ts";

/** The records of a repository. Opening costs nothing; lookups share one git process, started with the first. */
export function openRecords(context: Context, options: RecordsOptions): Records {
  const ref = refOf(options);
  const objects = new CatFile(context);
  const onBranch = async (path: string): Promise<Result<Buffer | undefined>> => {
    const object = await objects.read(`${ref}:${path}`);
    return object.ok ? ok(object.value?.type === "blob" ? object.value.bytes : undefined) : object;
  };

  const trustedStage = async (key: StageKey): Promise<Result<StageRecord | undefined>> => {
    const path = stagePath(key);
    const bytes = await onBranch(path);
    if (!bytes.ok || bytes.value === undefined) return bytes as Result<undefined>;
    const record = parseStage(context, `${options.branch}:${path}`, bytes.value, key);
    return ok(record !== undefined && isTrusted(record) ? record : undefined);
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
    async stage(key) {
      const path = stagePath(key);
      const bytes = await local(path);
      if (!bytes.ok) return bytes;
      const record = bytes.value && parseStage(context, `.lockstep/records/${path}`, bytes.value, key);
      return record === undefined ? trustedStage(key) : ok(record);
    },
    trustedStage,
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
      const there = await branchRuns(context, ref);
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
    async publish(records, { replace = false } = {}) {
      const published = await publish(context, { ...options, remote: options.remote ?? "." }, records, replace);
      if (!published.ok || options.remote === null || published.value.commit === "") return published;
      // What was just pushed is known here too, without another fetch.
      const noted = await git(context, ["update-ref", ref, published.value.commit]);
      return noted.ok ? published : noted;
    },
    async refresh() {
      if (options.remote === null) return ok();
      const fetched = await fetchBranch(context, options.remote, options.branch, ref);
      return fetched.ok ? ok() : fail(...fetched.failures);
    },
  };
}

/** Where the fetched branch is: where a person's `git fetch` puts it too, when the remote has a name. */
function refOf({ branch, remote }: RecordsOptions): string {
  if (remote === null) return `refs/heads/${branch}`;
  return /^[\w.-]+$/.test(remote) ? `refs/remotes/${remote}/${branch}` : `refs/lockstep/records/${branch}`;
}

async function branchRuns(context: Context, ref: string): Promise<Result<string[]>> {
  const source = await atRevision(context, ref);
  if (!source.ok) return source.failures[0].code === "unknown-name" ? ok([]) : source;
  const trusted = await source.value.list("runs");
  if (!trusted.ok) return trusted;
  const others = await source.value.list("untrusted/runs");
  return others.ok ? ok([...trusted.value, ...others.value]) : others;
}
