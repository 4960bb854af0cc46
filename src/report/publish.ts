import type { Provenance, ResultDocument, RunRecord, StageRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Failed, Result } from "../core/index.ts";
import { atCommit } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { downloadArtifact } from "../github/index.ts";
import type { GitHub, PullRequest } from "../github/index.ts";
import { verifyResult } from "../pipeline/index.ts";
import { openRecords, recordsOptions } from "../records/index.ts";
import type { Records } from "../records/index.ts";
import { announce } from "./announce.ts";
import { ARTIFACT, readResult, refuse } from "./artifact.ts";
import { buildReport, refusedReport } from "./build.ts";
import { gather } from "./gather.ts";
import { looksAt, withKnownLooks, withLooks } from "./looks.ts";
import { checkCommit, fetchCommits } from "./origin.ts";
import { prepareCharts } from "./page/vega.ts";
import type { Report } from "./schema.ts";
import { reasons } from "./side.ts";
import { NOTHING, pullRequestOf } from "./workflow-run.ts";
import type { Names, Published, PublishOptions } from "./workflow-run.ts";

/**
 * Reports an experiment on its pull request. The result is hostile until it is shown to be about this pull request's
 * commit; one that is not is refused, and the comment says so. Then in this order: records, comment, check, status;
 * each is found again and updated, so that running twice changes nothing.
 */
export async function publishReport(
  context: Context,
  github: GitHub,
  options: PublishOptions,
): Promise<Result<Published>> {
  const { run, keepPage } = options;
  if (keepPage !== undefined) prepareCharts(); // while git works
  const found = await pullRequestOf(context, github, run);
  if (!found.ok) return found;
  if (found.value === undefined) return ok({ ...NOTHING, pullRequest: null });
  const { pull, names } = found.value;
  const report = await reportOn(context, github, { ...options, pull, names });
  if (!report.ok) return report;
  if (report.value !== undefined)
    return announce(context, github, report.value, { pull, names, run, ...(keepPage && { keepPage }) });
  context.emit({ type: "note", message: "the experiment had no pipeline to run; nothing to report" });
  return ok({ ...NOTHING, pullRequest: pull.number });
}

/** Undefined: every pipeline has a workflow of its own, and none was left to the experiment. */
async function reportOn(
  context: Context,
  github: GitHub,
  options: PublishOptions & { readonly pull: PullRequest; readonly names: Names },
): Promise<Result<Report | undefined>> {
  const { run, remote, pull, names } = options;
  const frame = (base: string | null): Pick<Report, "head" | "base" | "pullRequest" | "runUrl"> => ({
    head: { label: pull.headBranch, commit: run.headSha },
    base: { label: pull.baseBranch, commit: base },
    pullRequest: pull.number,
    runUrl: run.url,
  });
  const refused = (result: Extract<Result<never>, { ok: false }>): Result<Report> =>
    result.failures.every(({ code }) => code === "result-refused")
      ? ok(refusedReport(frame(null), reasons(result)))
      : result;
  const artifact = await downloadArtifact(github, { runId: run.id, name: ARTIFACT.name, maxBytes: ARTIFACT.zipBytes });
  if (!artifact.ok) return refused(artifact);
  if (artifact.value === undefined) {
    const failures = [NO_RESULT[run.conclusion ?? ""] ?? "The experiment left no result. Its log says why."];
    return ok(buildReport({ ...frame(null), pipelines: [], models: [], failures, notes: [] }));
  }
  const read = await readResult(artifact.value.zip);
  if (!read.ok) return refused(read);
  const document = read.value;
  const other = document.runs.find((one) => names.pipeline !== null && one.pipeline !== names.pipeline);
  if (other !== undefined) {
    const reason = `its run of "${other.pipeline}" is not of the pipeline that ${run.workflow} is compiled from`;
    return refused(refuse(reason));
  }
  if (document.runs.length === 0 && document.failures.length === 0) return ok(undefined);
  const fetched = await fetchCommits(context, {
    remote,
    baseBranch: pull.baseBranch,
    pullRequest: pull.number,
    headSha: run.headSha,
  });
  if (!fetched.ok) return fetched;
  const { baseHead, mergeBase } = fetched.value;
  const { commit } = document;
  const checked = await checkCommit(context, {
    remote,
    commit,
    headSha: run.headSha,
    baseHead,
    mergeBase,
  });
  if (!checked.ok) return refused(checked);
  const headSource = atCommit(context, commit);
  const verified = await verifyResult(context, { document, source: headSource });
  if (!verified.ok) return refused(verified);
  const baseSource = atCommit(context, baseHead);
  const records = await open(context, baseSource, options);
  if (!records.ok) return records;
  const trusted = !pull.fork && TRUSTED_EVENTS.has(run.event);
  const vouched = vouch(document, { github, run, commit, trusted, pull });

  const seen = await gather(context, {
    document,
    base: checked.value,
    records: records.value,
    vouched: trusted ? vouched.stages : [],
    headSource,
    baseSource,
    trusted,
  });
  // A fork's report is no look that the team has chosen to take, and may not write.
  const runs = new Map(document.runs.map((one) => [one.pipeline, one]));
  const looks = seen.ok ? looksAt(seen.value.models, runs) : [];
  let made: Report | undefined;
  const judge = seen.ok ? () => (made ??= buildReport({ ...frame(checked.value), ...seen.value })) : undefined;
  const counted = { ...vouched, looks: trusted ? looks : [] };
  const published = await records.value.publish(counted, judge && { meanwhile: judge });
  if (!published.ok) return published;
  if (!seen.ok || judge === undefined) return seen as Failed; // a report of the same run finds the records
  return trusted ? ok(withLooks(judge(), looks, published.value.looks)) : withKnownLooks(judge(), looks, records.value);
}

/** How runs end that leave no result. GitHub calls a job that ran out of its time cancelled. */
const NO_RESULT: Readonly<Record<string, string>> = {
  cancelled: "The experiment was cancelled, or ran out of time, before it left a result.",
  timed_out: "The experiment ran out of time before it left a result.",
  startup_failure: "The experiment's workflow could not be started. The run's page says why.",
};

/** Runs of other events are not of code that somebody with write access proposes. */
const TRUSTED_EVENTS = new Set(["pull_request", "workflow_dispatch", "push"]);

/** Says who vouches for a result. Nothing of this is taken from the result itself. */
function vouch(
  document: ResultDocument,
  {
    github,
    run,
    commit,
    trusted,
    pull,
  }: { github: GitHub; run: PublishOptions["run"]; commit: string; trusted: boolean; pull: PullRequest },
): { stages: StageRecord[]; runs: RunRecord[] } {
  const provenance: Provenance = {
    trusted,
    event: run.event,
    repository: `${github.owner}/${github.repo}`,
    headRepository: run.headRepository,
    workflow: run.workflow,
    // A pull request's workflow file is taken from the commit that is run.
    workflowCommit: commit,
    runId: String(run.id),
    runAttempt: run.attempt,
    actor: run.actor,
    pullRequest: pull.number,
  };
  return {
    stages: document.stages.map((record) => ({ ...record, provenance })),
    runs: document.runs.map((record) => ({ ...record, provenance })),
  };
}

async function open(context: Context, baseSource: Source, options: PublishOptions): Promise<Result<Records>> {
  const settings = await recordsOptions(context, baseSource);
  if (!settings.ok) return settings;
  const { author, remote } = options;
  const records = openRecords(context, { ...settings.value, remote, ...(author === undefined ? {} : { author }) });
  const refreshed = await records.refresh();
  return refreshed.ok ? ok(records) : refreshed;
}
