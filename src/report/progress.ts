import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, git } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import type { GitHub, PullRequest } from "../github/index.ts";
import { forecast, hasWorkflow, loadPipeline, loadPipelines, plan } from "../pipeline/index.ts";
import type { Forecast, Pipeline, Plan } from "../pipeline/index.ts";
import { openRecords, recordsOptions } from "../records/index.ts";
import { announceProgress } from "./announce.ts";
import { checkCommit, fetchCommits, mergeRef } from "./origin.ts";
import { renderProgress } from "./render-progress.ts";
import { NOTHING, pullRequestOf } from "./workflow-run.ts";
import type { Names, Published, PublishOptions } from "./workflow-run.ts";

/** What is to come of one pipeline. */
export interface Coming {
  readonly plan: Plan;
  readonly expected: Forecast;
}

/** What of an experiment that begins can be told from files and records alone. */
export interface Outlook {
  readonly pull: PullRequest;
  readonly names: Names;
  /** Null: its files could not be planned, which the experiment will say itself. */
  readonly coming: readonly Coming[] | null;
}

export interface Begun extends Published {
  /** Milliseconds that the experiment is expected to take; null: of a stage that runs nothing is known. */
  readonly expected: number | null;
}

/**
 * Tells a pull request that its experiment runs, what of it will run, and how long that takes. No code of the pull
 * request is run, and its files are only read.
 */
export async function publishProgress(
  context: Context,
  github: GitHub,
  options: PublishOptions,
): Promise<Result<Begun>> {
  const { run } = options;
  const found = await outlookOf(context, github, options);
  if (!found.ok) return found;
  if ("pullRequest" in found.value) return ok({ ...NOTHING, ...found.value, expected: 0 });
  const { pull, names, coming } = found.value;
  const told = renderProgress(coming, run, { named: !pull.fork });
  const announced = await announceProgress(context, github, told, { pull, names, run });
  return announced.ok ? ok({ ...announced.value, expected: expectedOf(coming ?? []) }) : announced;
}

function expectedOf(coming: readonly Coming[]): number | null {
  if (coming.some(({ expected }) => expected.unknown.length > 0)) return null;
  return coming.reduce((sum, { expected }) => sum + expected.wall, 0);
}

/** The pull request of a run, and what of it is to come; only the former's number when there is nothing to tell. */
export async function outlookOf(
  context: Context,
  github: GitHub,
  { run, remote }: PublishOptions,
): Promise<Result<Outlook | { pullRequest: number | null }>> {
  const found = await pullRequestOf(context, github, run);
  if (!found.ok) return found;
  if (found.value === undefined) return ok({ pullRequest: null });
  const { pull, names } = found.value;
  const fetched = await fetchCommits(context, {
    remote,
    baseBranch: pull.baseBranch,
    pullRequest: pull.number,
    headSha: run.headSha,
  });
  if (!fetched.ok) return fetched;
  const { baseHead, mergeBase } = fetched.value;
  const at = { remote, headSha: run.headSha, baseHead, mergeBase };
  const [head, base] = [
    await atRevision(context, await commitOf(context, pull.number, at)),
    await atRevision(context, baseHead),
  ];
  if (!head.ok) return head;
  if (!base.ok) return base;
  const coming = await lookAhead(context, { head: head.value, base: base.value, names, remote });
  if (coming.ok && coming.value.length === 0) return ok({ pullRequest: pull.number });
  return ok({ pull, names, coming: coming.ok ? coming.value : null });
}

/** The merge that the experiment checks out, where GitHub still has it; else the head, whose plan is nearly the same. */
async function commitOf(
  context: Context,
  pullRequest: number,
  options: Omit<Parameters<typeof checkCommit>[1], "commit">,
): Promise<string> {
  const ref = `${mergeRef(pullRequest)}^{commit}`;
  const merge = await git(context, ["rev-parse", "--verify", "--quiet", ref]);
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
