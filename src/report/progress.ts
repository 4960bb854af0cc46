import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, git } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import type { GitHub } from "../github/index.ts";
import { forecast, hasWorkflow, loadPipeline, loadPipelines, plan } from "../pipeline/index.ts";
import type { Forecast, Pipeline, Plan } from "../pipeline/index.ts";
import { openRecords, recordsOptions } from "../records/index.ts";
import { announceProgress } from "./announce.ts";
import { checkCommit, fetchCommits } from "./origin.ts";
import { renderProgress } from "./render-progress.ts";
import { NOTHING, pullRequestOf } from "./workflow-run.ts";
import type { Names, Published, PublishOptions } from "./workflow-run.ts";

/** What is to come of one pipeline. */
export interface Coming {
  readonly plan: Plan;
  readonly expected: Forecast;
}

/**
 * Tells a pull request that its experiment runs, what of it will run, and how long that takes, from files and records
 * alone: no code of the pull request is run, and its files are only read.
 */
export async function publishProgress(
  context: Context,
  github: GitHub,
  options: PublishOptions,
): Promise<Result<Published>> {
  const { run, remote } = options;
  const found = await pullRequestOf(context, github, run);
  if (!found.ok) return found;
  if (found.value === undefined) return ok({ ...NOTHING, pullRequest: null });
  const { pull, names } = found.value;
  const fetched = await fetchCommits(context, {
    remote,
    baseBranch: pull.baseBranch,
    pullRequest: pull.number,
    headSha: run.headSha,
  });
  if (!fetched.ok) return fetched;
  const { baseHead, mergeBase } = fetched.value;
  const at = { remote, pullRequest: pull.number, headSha: run.headSha, baseHead, mergeBase };
  const [head, base] = [await atRevision(context, await commitOf(context, at)), await atRevision(context, baseHead)];
  if (!head.ok) return head;
  if (!base.ok) return base;
  const coming = await lookAhead(context, { head: head.value, base: base.value, names, remote });
  if (coming.ok && coming.value.length === 0) return ok({ ...NOTHING, pullRequest: pull.number });
  const told = renderProgress(coming.ok ? coming.value : null, run, { named: !pull.fork });
  return announceProgress(context, github, told, { pull, names, run });
}

/** The merge that the experiment checks out, where GitHub still has it; else the head, whose plan is nearly the same. */
async function commitOf(context: Context, options: Omit<Parameters<typeof checkCommit>[1], "commit">): Promise<string> {
  const ref = `refs/lockstep/pull/${options.pullRequest}/merge`;
  const from = `+refs/pull/${options.pullRequest}/merge:${ref}`;
  await git(context, ["fetch", "--quiet", "--no-tags", "--refmap=", "--end-of-options", options.remote, from]);
  const merge = await git(context, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  if (!merge.ok) return options.headSha;
  const commit = merge.value.trim();
  return (await checkCommit(context, { ...options, commit })).ok ? commit : options.headSha;
}

async function lookAhead(
  context: Context,
  { head, base, names, remote }: { head: Source; base: Source; names: Names; remote: string },
): Promise<Result<Coming[]>> {
  const pipelines = await pipelinesOf(head, names);
  if (!pipelines.ok) return pipelines;
  const settings = await recordsOptions(context, base);
  if (!settings.ok) return settings;
  const records = openRecords(context, { ...settings.value, remote });
  const refreshed = await records.refresh();
  if (!refreshed.ok) return refreshed;
  const coming: Coming[] = [];
  for (const pipeline of pipelines.value) {
    // Rates and runners are the base's: they are not the pull request's to say.
    const planned = await plan(context, { source: head, pipeline, records, trustedOnly: true, baseline: base });
    if (!planned.ok) return planned;
    const expected = await forecast(context, planned.value, { source: base, pipeline, records });
    if (!expected.ok) return expected;
    coming.push({ plan: planned.value, expected: expected.value });
  }
  return ok(coming);
}

async function pipelinesOf(head: Source, { pipeline }: Names): Promise<Result<Pipeline[]>> {
  if (pipeline !== null) {
    const one = await loadPipeline(head, pipeline);
    return one.ok ? ok([one.value]) : one;
  }
  const all = await loadPipelines(head);
  if (!all.ok) return all;
  const left: Pipeline[] = [];
  for (const one of all.value) {
    const elsewhere = await hasWorkflow(head, one.name);
    if (!elsewhere.ok) return elsewhere;
    if (!elsewhere.value) left.push(one);
  }
  return ok(left);
}
