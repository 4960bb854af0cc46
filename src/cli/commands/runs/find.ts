import type { Command } from "commander";
import type { RunRecord } from "../../../config/index.ts";
import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { resolveCommit, workingTree } from "../../../git/index.ts";
import { openRecords, recordsOptions } from "../../../records/index.ts";
import type { Records, RunEntry } from "../../../records/index.ts";

/** Makes a command of the group. */
export type Group = (name: string, summary: string) => Command;

export const FETCH = ["--fetch", "fetch the records branch first"] as const;

/** The name that stands for runs of a tree that is no commit. */
const WORKING_TREE = "working-tree";

export async function recordsHere(context: Context, fetch: boolean): Promise<Result<Records>> {
  const options = await recordsOptions(context, workingTree(context));
  if (!options.ok) return options;
  const records = openRecords(context, options.value);
  const refreshed = fetch ? await records.refresh() : ok();
  return refreshed.ok ? ok(records) : refreshed;
}

/** The runs of a commit, by any name of it. A commit that this clone does not have is found by its own name too. */
export async function runsOf(
  context: Context,
  runs: readonly RunEntry[],
  revision: string,
  pipeline: string | undefined,
): Promise<Result<[RunEntry, ...RunEntry[]]>> {
  const resolved = revision === WORKING_TREE ? undefined : await resolveCommit(context, revision);
  const commit = resolved?.ok === true ? resolved.value : revision.toLowerCase();
  const [first, ...rest] = runs
    .filter((run) => (run.commit === null ? revision === WORKING_TREE : run.commit.startsWith(commit)))
    .filter((run) => pipeline === undefined || run.pipeline === pipeline);
  if (first !== undefined) return ok([first, ...rest]);
  const what = pipeline === undefined ? "run of commit" : `run of ${pipeline} for commit`;
  return fail({ code: "unknown-name", what, name: revision, known: [], hint: "`lockstep runs list` lists the runs" });
}

/** The records of some runs; one that was replaced or deleted since they were listed is left out. */
export async function readRuns(
  records: Records,
  entries: readonly RunEntry[],
): Promise<Result<{ entry: RunEntry; run: RunRecord }[]>> {
  const runs: { entry: RunEntry; run: RunRecord }[] = [];
  for (const entry of entries) {
    // oxlint-disable-next-line no-await-in-loop -- a few, one after the other
    const run = await records.read(entry);
    if (!run.ok) return run;
    if (run.value !== undefined) runs.push({ entry, run: run.value });
  }
  return ok(runs);
}

export function commitName({ commit }: Pick<RunEntry, "commit">): string {
  return commit?.slice(0, 12) ?? WORKING_TREE;
}
