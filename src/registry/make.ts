import type { Provenance, StageRecord } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { workingTree } from "../git/index.ts";
import { experiment, loadPipeline, openWorkspace, seedGroups } from "../pipeline/index.ts";
import type { Made } from "./candidate.ts";

export interface MakeOptions {
  readonly pipeline: string;
  readonly commit: string;
  /** Context whose git may write to the remote; stages get the plain one. */
  readonly forGit: Context;
  readonly provenance: Provenance;
}

/**
 * What a pipeline makes of HEAD, on trusted records alone. Without a record a stage runs here, on the default
 * branch's code, and its record is published before anything is built on it. Where another job published other
 * outputs for a key meanwhile, those count, and what follows from them is made again.
 */
export async function make(context: Context, options: MakeOptions): Promise<Result<Made>> {
  const { pipeline, forGit } = options;
  const workspace = await openWorkspace(forGit);
  if (!workspace.ok) return workspace;
  const declared = await loadPipeline(workingTree(context), pipeline);
  if (!declared.ok) return declared;
  const seeds = seedGroups(declared.value);
  for (let last = false; ; last = true) {
    const outcome = await experiment(context, { pipelines: [pipeline], trustedOnly: true, forGit });
    if (!outcome.ok) return outcome;
    const { document, failures, ran } = outcome.value;
    const [first, ...rest] = failures;
    if (first !== undefined) return fail(first, ...rest);
    const [run] = document.runs;
    if (run === undefined || !run.ok) throw new Error(`pipeline ${pipeline} neither ran nor failed`);
    const { store, records } = workspace.value;
    const made = { run, stages: document.stages, store, records, seeds, cached: ran.length === 0 };
    const published = await publish(made, options, last);
    if (!published.ok) return published;
    if (published.value) return ok(made);
  }
}

/** False: others' outputs stay on the branch, so that what was made here is not what counts. */
async function publish(
  { records, run, stages, cached }: Made,
  { commit, pipeline, provenance }: MakeOptions,
  last: boolean,
): Promise<Result<boolean>> {
  const known = await records.trustedRun(commit, pipeline);
  if (!known.ok) return known;
  if (cached && known.value !== undefined) return ok(true);
  const isNew = new Set(run.stages.filter(({ status }) => status === "run").map(({ key }) => key));
  const added = stages.filter(({ key }) => isNew.has(key)).map((record): StageRecord => ({ ...record, provenance }));
  // Made again although there is a record: its bytes were lost, or they came out different a second time.
  const outcome = await records.publish({ stages: added, runs: [{ ...run, provenance }] }, { replace: last });
  return outcome.ok ? ok(outcome.value.kept.length === 0) : outcome;
}
