import type { Provenance, RecordedOutput, RunRecord, StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, git, repositoryOf } from "../git/index.ts";
import { LOCAL } from "../records/index.ts";
import { localCache } from "../store/index.ts";
import { isStored } from "./outputs.ts";
import { sendOutputs } from "./push.ts";
import type { Workspace } from "./workspace.ts";

/** What became of the runs of this machine. */
export interface Sent {
  /** On the records branch now, with their stages. */
  readonly runs: readonly RunRecord[];
  readonly stages: number;
  /** False: all of it was there already. */
  readonly changed: boolean;
  /** Why a run stays here. */
  readonly left: readonly { readonly pipeline: string; readonly commit: string | null; readonly reason: string }[];
}

/**
 * Sends this machine's runs of commits, and the records of their stages, to the records branch: as untrusted, with
 * this person's name. Their outputs go to the store first, so that no record names bytes that are not there; a run
 * whose outputs are gone stays here.
 */
export async function sendRuns(
  context: Context,
  { records, store }: Pick<Workspace, "records" | "store">,
): Promise<Result<Sent>> {
  const url = await git(context, ["config", "--get", "remote.origin.url"]);
  if (!url.ok) return fail({ code: "usage", message: "there is no remote `origin` to send records to" });
  const provenance = await personHere(context, url.value.trim());
  const refreshed = await records.refresh(); // what was sent before is told by the branch
  if (!refreshed.ok) return refreshed;
  const known = await records.list();
  if (!known.ok) return known;
  const runs: RunRecord[] = [];
  const stages = new Map<string, StageRecord>();
  const left: Sent["left"][number][] = [];
  for (const entry of known.value.filter(({ standing }) => standing === "here")) {
    const run = await records.read(entry);
    if (!run.ok) return run;
    if (run.value === undefined) continue;
    const { pipeline, commit } = run.value;
    const made = commit === null ? ok("its tree is no commit") : await stagesOf(context, { records, store }, run.value);
    if (!made.ok) return made;
    if (typeof made.value === "string") left.push({ pipeline, commit, reason: made.value });
    else {
      runs.push({ ...run.value, provenance });
      for (const record of made.value) stages.set(record.key, { ...record, provenance });
    }
  }
  const published = await records.publish({ runs, stages: [...stages.values()] });
  if (!published.ok) return published;
  return ok({ runs, stages: stages.size, changed: published.value.changed, left });
}

/** The records of a run's stages, their outputs sent; a text says why they cannot be. What is trusted is there already. */
async function stagesOf(
  context: Context,
  { records, store }: Pick<Workspace, "records" | "store">,
  run: RunRecord,
): Promise<Result<StageRecord[] | string>> {
  const cache = localCache(context);
  const stages: StageRecord[] = [];
  const stored: StageRecord[] = [];
  for (const { key, status } of run.stages) {
    if (key === null || (status !== "run" && status !== "cached")) continue;
    const record = await records.stage(key);
    if (!record.ok) return record;
    if (record.value === undefined) return ok(`the record of stage ${key.slice(0, 12)} is gone`);
    if (record.value.provenance !== null) continue;
    const inGit = await keptByGit(context, run.commit, record.value.outs);
    const outs = record.value.outs.filter(({ path }) => !inGit.has(path));
    for (const out of outs) {
      const stored = await isStored(out, [cache, store]);
      if (!stored.ok) return stored;
      if (!stored.value) return ok(`its output ${out.path} is in no store`);
    }
    stages.push(record.value);
    stored.push({ ...record.value, outs });
  }
  const sent = await sendOutputs(context, stored, cache, store);
  return sent.ok ? ok(stages) : sent;
}

/** Outputs that the run's own commit holds are in no store, and need not be. */
async function keptByGit(
  context: Context,
  commit: string | null,
  outs: readonly RecordedOutput[],
): Promise<ReadonlySet<string>> {
  const source = await atRevision(context, commit ?? "");
  const kept = new Set<string>();
  if (!source.ok) return kept;
  for (const { path } of outs) {
    const there = await source.value.stat(path);
    if (there.ok && there.value !== undefined) kept.add(path);
  }
  return kept;
}

async function personHere(context: Context, origin: string): Promise<Provenance> {
  const name = await git(context, ["config", "--get", "user.name"]);
  const repository = repositoryOf(origin) ?? "";
  return {
    trusted: false,
    event: LOCAL,
    repository,
    headRepository: repository,
    workflow: "",
    workflowCommit: "",
    runId: "",
    runAttempt: 1,
    actor: name.ok ? name.value.trim() : "",
  };
}
