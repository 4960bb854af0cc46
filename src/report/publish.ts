import type { Provenance, ResultDocument, RunRecord, StageRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result, StageKey } from "../core/index.ts";
import { atRevision } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import {
  downloadArtifact,
  findPullRequestBySha,
  fitLine,
  LIMITS,
  setStatus,
  upsertCheck,
  upsertComment,
} from "../github/index.ts";
import type { GitHub, PullRequest } from "../github/index.ts";
import { loadPipelines, verifyResult } from "../pipeline/index.ts";
import { loadSettings, openRecords, recordsOptions } from "../records/index.ts";
import type { Records } from "../records/index.ts";
import { openStore, storeUrl } from "../store/index.ts";
import { ARTIFACT, readResult } from "./artifact.ts";
import { buildReport, refusedReport } from "./build.ts";
import type { PipelineInput } from "./build.ts";
import { changedFiles, factsOf } from "./facts.ts";
import { fill, headline } from "./headline.ts";
import { gatherModels } from "./models.ts";
import { checkCommit, fetchCommits } from "./origin.ts";
import { renderMarkdown } from "./render-markdown.ts";
import type { Report } from "./schema.ts";
import { findSide, reasons, sideOf } from "./side.ts";
import type { Side } from "./side.ts";

/** The workflow run that has ended, as the `workflow_run` event (so GitHub, not the pull request) tells of it. */
export interface PublishOptions {
  readonly run: {
    readonly id: number;
    readonly attempt: number;
    readonly url: string;
    readonly event: string;
    /** Path of the workflow file. */
    readonly workflow: string;
    readonly headSha: string;
    readonly headBranch: string;
    /** `owner/name` */
    readonly headRepository: string;
    readonly actor: string;
  };
  /** Git remote of the repository. */
  readonly remote: string;
  /** Who commits to the records branch. */
  readonly author?: { readonly name: string; readonly email: string };
}

export interface Published {
  readonly verdict: Report["verdict"];
  readonly conclusion: Report["conclusion"];
  /** Null when no open pull request has this head any more: nothing was done. */
  readonly pullRequest: number | null;
  readonly commentUrl: string | null;
  /** The comment's text, for a job summary. */
  readonly markdown: string;
}

/** What a report is found again by. */
interface Names {
  readonly marker: string;
  readonly check: string;
  readonly status: string;
}

/**
 * Each workflow has a report of its own: `lockstep-digits.yml`, which `lockstep compile` wrote, one about its pipeline,
 * and the experiment one about the rest. GitHub, not the pull request, says which file it was.
 */
function namesOf(workflow: string): Names {
  const compiled = /^\.github\/workflows\/lockstep-([A-Za-z0-9._-]+)\.yml$/.exec(workflow)?.[1] ?? "experiment";
  if (compiled === "experiment") return { marker: "report", check: "lockstep", status: "lockstep/gates" };
  return { marker: `report:${compiled}`, check: `lockstep (${compiled})`, status: `lockstep/gates (${compiled})` };
}

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
  const { run } = options;
  const [headOwner = ""] = run.headRepository.split("/");
  const found = await findPullRequestBySha(github, { sha: run.headSha, headOwner, headBranch: run.headBranch });
  if (!found.ok) return found;
  const pull = found.value;
  if (pull === undefined) {
    context.emit({
      type: "note",
      message: `no open pull request has ${run.headSha} as its head; nothing to report on`,
    });
    return ok({ verdict: "none", conclusion: "neutral", pullRequest: null, commentUrl: null, markdown: "" });
  }
  const report = await reportOn(context, github, pull, options);
  if (!report.ok) return report;
  if (report.value !== undefined) return announce(github, pull, report.value, options);
  context.emit({ type: "note", message: "the experiment had no pipeline to run; nothing to report" });
  return ok({ verdict: "none", conclusion: "neutral", pullRequest: pull.number, commentUrl: null, markdown: "" });
}

/** Undefined: every pipeline has a workflow of its own, and none was left to the experiment. */
async function reportOn(
  context: Context,
  github: GitHub,
  pull: PullRequest,
  options: PublishOptions,
): Promise<Result<Report | undefined>> {
  const { run, remote } = options;
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
    const failures = ["The experiment left no result. Its log says why."];
    return ok(buildReport({ ...frame(null), pipelines: [], models: [], failures, notes: [] }));
  }
  const read = await readResult(artifact.value.zip);
  if (!read.ok) return refused(read);
  const document = read.value;
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
    pullRequest: pull.number,
    commit,
    headSha: run.headSha,
    baseHead,
    mergeBase,
  });
  if (!checked.ok) return refused(checked);
  const headSource = await atRevision(context, commit);
  if (!headSource.ok) return headSource;
  const verified = await verifyResult(context, { document, source: headSource.value });
  if (!verified.ok) return refused(verified);
  const baseSource = await atRevision(context, baseHead);
  if (!baseSource.ok) return baseSource;
  const records = await open(context, baseSource.value, options);
  if (!records.ok) return records;
  const trusted = !pull.fork && TRUSTED_EVENTS.has(run.event);
  const vouched = vouch(document, { github, run, commit, trusted });
  const published = await records.value.publish(vouched);
  if (!published.ok) return published;
  return compare(context, {
    frame: frame(checked.value),
    document,
    records: records.value,
    headSource: headSource.value,
    baseSource: baseSource.value,
    trusted,
  });
}

/** Runs of other events are not of code that somebody with write access proposes. */
const TRUSTED_EVENTS = new Set(["pull_request", "workflow_dispatch", "push"]);

interface CompareOptions {
  readonly frame: Pick<Report, "head" | "base" | "pullRequest" | "runUrl">;
  readonly document: ResultDocument;
  readonly records: Records;
  readonly headSource: Source;
  readonly baseSource: Source;
  readonly trusted: boolean;
}

async function compare(context: Context, options: CompareOptions): Promise<Result<Report>> {
  const { frame, document, records, headSource, baseSource, trusted } = options;
  const url = await storeUrl(context, baseSource);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const settings = await loadSettings(baseSource);
  if (!settings.ok) return settings;
  const declared = await loadPipelines(headSource);
  // A key that a trusted run has answered keeps that answer: it is what a promotion would use.
  const claimed = new Map(document.stages.map((record) => [record.key as string, record]));
  const stage = async (key: StageKey): Promise<Result<StageRecord | undefined>> => {
    const known = await records.trustedStage(key);
    return known.ok && known.value === undefined ? ok(claimed.get(key)) : known;
  };
  const heads = new Map<string, Side>();
  const bases = new Map<string, Side | undefined>();
  const pipelines: PipelineInput[] = [];
  for (const run of document.runs) {
    // oxlint-disable-next-line no-await-in-loop -- local look-ups
    const head = await sideOf(run, stage);
    if (!head.ok) return head;
    heads.set(run.pipeline, head.value);
    // oxlint-disable-next-line no-await-in-loop
    const base = await findSide(context, frame.base.commit ?? "", { records, pipeline: run.pipeline, trusted: true });
    if (!base.ok) return base;
    bases.set(run.pipeline, base.value);
    const pipeline = declared.ok ? declared.value.find(({ name }) => name === run.pipeline) : undefined;
    const sides = { head: head.value, base: base.value, headSource };
    // oxlint-disable-next-line no-await-in-loop
    const facts = await factsOf(context, {
      ...sides,
      pipeline,
      stores: [store.value],
      settings: settings.value,
      trusted,
    });
    const notes = [...baseNotes(base.value, frame.base.commit), ...facts.notes];
    pipelines.push({ head: run, base: base.value?.run ?? null, ...facts, notes });
  }
  const failed = document.failures.length > 0 || document.runs.some((run) => !run.ok);
  const gathered = failed
    ? ok({ models: [], failures: [] })
    : await gatherModels({
        baseSource,
        headSource,
        heads,
        bases,
        stores: [store.value],
        trusted,
        performance: document.performance ?? [],
      });
  if (!gathered.ok) return gathered;
  const notes = trusted ? [] : ["This result is from a fork: it is shown, and no promotion uses it."];
  const { models, failures } = gathered.value;
  const files = frame.base.commit === null ? ok(null) : await changedFiles(context, frame.base.commit, document.commit);
  if (!files.ok) return files;
  return ok(
    buildReport({
      ...frame,
      files: files.value,
      pipelines,
      models,
      failures: [...document.failures, ...failures],
      notes,
    }),
  );
}

function baseNotes(base: Side | undefined, commit: string | null): string[] {
  if (base === undefined) return ["The records hold no result of this pipeline at the base or before it."];
  if (base.run.commit === commit || base.run.commit === null) return [];
  return [`Compared with ${base.run.commit.slice(0, 7)}, the newest commit before the base that was run.`];
}

/** Says who vouches for a result. Nothing of this is taken from the result itself. */
function vouch(
  document: ResultDocument,
  { github, run, commit, trusted }: { github: GitHub; run: PublishOptions["run"]; commit: string; trusted: boolean },
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

async function announce(
  github: GitHub,
  pull: PullRequest,
  report: Report,
  options: PublishOptions,
): Promise<Result<Published>> {
  const { run } = options;
  const names = namesOf(run.workflow);
  const markdown = renderMarkdown(report);
  const order = { runId: run.id, attempt: run.attempt };
  const comment = await upsertComment(github, { issue: pull.number, marker: names.marker, body: markdown, order });
  if (!comment.ok) return comment;
  const { verdict, conclusion } = report;
  const done = { verdict, conclusion, pullRequest: pull.number, commentUrl: comment.value.url, markdown };
  if (comment.value.action === "superseded") return ok(done);
  const { title, sentences } = headline(report);
  const line = `${title}. ${sentences.map((one) => fill(one, (name) => name)).join(" ")}`;
  const check = await upsertCheck(github, {
    name: names.check,
    headSha: run.headSha,
    externalId: names.marker,
    conclusion,
    title: fitLine(line, LIMITS.title),
    summary: renderMarkdown(report, { maxCharacters: LIMITS.checkText }),
    detailsUrl: comment.value.url,
  });
  if (!check.ok) return check;
  const status = await setStatus(github, {
    sha: run.headSha,
    context: names.status,
    state: conclusion === "failure" ? "failure" : "success",
    description: fitLine(line, LIMITS.description),
    targetUrl: comment.value.url,
  });
  return status.ok ? ok(done) : status;
}
