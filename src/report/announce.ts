import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { findCheck, fitLine, isOlder, LIMITS, setStatus, upsertCheck, upsertComment } from "../github/index.ts";
import type { GitHub, PullRequest, UpsertCommentOptions } from "../github/index.ts";
import { fill, headline } from "./headline.ts";
import { visible } from "./markdown.ts";
import { renderHtml } from "./render-html.ts";
import { renderMarkdown } from "./render-markdown.ts";
import type { Report } from "./schema.ts";
import { reasons } from "./side.ts";
import { orderOf } from "./workflow-run.ts";
import type { Names, Published, PublishOptions, WorkflowRun } from "./workflow-run.ts";

export interface Place {
  readonly pull: PullRequest;
  readonly names: Names;
  readonly run: WorkflowRun;
  readonly keepPage?: PublishOptions["keepPage"];
}

/** Stands between what is told of a run that goes on and the report that was there before. No foreign text can hold it. */
const BEFORE = "<!-- lockstep:before -->";

/**
 * Writes comment, check run and commit status of a report, in this order; each is found again and updated. What a
 * later run wrote stays, in all three.
 */
export async function announce(
  context: Context,
  github: GitHub,
  report: Report,
  place: Place,
): Promise<Result<Published>> {
  const { pull, names, run } = place;
  const { verdict, conclusion } = report;
  const page = await pageOf(context, report, place);
  const markdown = renderMarkdown(report, { page });
  const done = (commentUrl: string | null): Published => ({
    verdict,
    conclusion,
    pullRequest: pull.number,
    commentUrl,
    markdown,
  });
  const order = orderOf(run);
  const comment = await write(context, github, place, { body: markdown, order });
  if (!comment.ok) return comment;
  const { url, superseded } = comment.value;
  if (superseded) return ok(done(url));
  const detailsUrl = url ?? run.url;
  const { title, sentences } = headline(report);
  const line = `${title}. ${sentences.map((one) => fill(one, (name) => visible(name, 60))).join(" ")}`;
  const check = await upsertCheck(github, {
    name: names.check,
    headSha: run.headSha,
    externalId: names.marker,
    order,
    conclusion,
    title: fitLine(line, LIMITS.title),
    // With room for the line that says whose it is.
    summary: renderMarkdown(report, { page, maxCharacters: LIMITS.checkText - 200 }),
    detailsUrl,
  });
  if (!check.ok) return check;
  if (check.value.superseded) return ok(done(url));
  const status = await setStatus(github, {
    sha: run.headSha,
    context: names.status,
    state: conclusion === "failure" ? "failure" : "success",
    description: fitLine(line, LIMITS.description),
    targetUrl: detailsUrl,
  });
  return status.ok ? ok(done(url)) : status;
}

/** Where the whole report can be fetched. A comment without that link is better than none. */
async function pageOf(context: Context, report: Report, { keepPage }: Place): Promise<string | null> {
  if (keepPage === undefined || report.state === "refused") return null;
  const kept = await keepPage(await renderHtml(report));
  if (kept.ok) return kept.value;
  const message = `the report's page could not be kept, so the comment links to none: ${reasons(kept).join("; ")}`;
  context.emit({ type: "warning", message });
  return null;
}

/** Says in the comment and the commit status that a run goes on; the report that was there stays below. */
export async function announceProgress(
  context: Context,
  github: GitHub,
  told: { readonly markdown: string; readonly line: string },
  place: Place,
): Promise<Result<Published>> {
  const { pull, names, run } = place;
  const comment = await writeProgress(context, github, told.markdown, place);
  if (!comment.ok) return comment;
  const { url, superseded } = comment.value;
  const done: Published = {
    verdict: "none",
    conclusion: "neutral",
    pullRequest: pull.number,
    commentUrl: url,
    markdown: told.markdown,
  };
  if (superseded) return ok(done);
  const status = await setStatus(github, {
    sha: run.headSha,
    context: names.status,
    state: "pending",
    description: fitLine(told.line, LIMITS.description),
    targetUrl: run.url,
  });
  return status.ok ? ok(done) : status;
}

/** The comment's part of it, which may be written again while the run goes on. */
export async function writeProgress(
  context: Context,
  github: GitHub,
  markdown: string,
  place: Place,
): Promise<Result<Written>> {
  const body = (before: string | undefined): string => {
    const report = before?.startsWith(RUNNING) ? before.split(`${BEFORE}\n`)[1] : before;
    if (report === undefined || report === "") return markdown;
    return `${markdown}\n\n---\n\nThe report of the run before:\n\n${BEFORE}\n${report}`;
  };
  return write(context, github, place, { body, order: orderOf(place.run, true) });
}

interface Written {
  /** Null: there is no comment. */
  readonly url: string | null;
  /** A later run's text was there, and was left. */
  readonly superseded: boolean;
}

/** First words of what is told of a run that goes on. */
export const RUNNING = "> [!NOTE]\n> **The experiment is running.**";

/**
 * The comment, unless a later run has written one, or a check of this commit: somebody may have deleted its comment.
 * In a locked conversation there is none, and the check tells everything.
 */
async function write(
  context: Context,
  github: GitHub,
  { pull, names, run }: Place,
  { body, order }: Pick<UpsertCommentOptions, "body" | "order">,
): Promise<Result<Written>> {
  const check = await findCheck(github, { name: names.check, headSha: run.headSha, externalId: names.marker });
  if (!check.ok) return check;
  const newest = check.value?.order;
  if (newest !== undefined && isOlder(order, newest)) return ok({ url: null, superseded: true });
  const comment = await upsertComment(github, { issue: pull.number, marker: names.marker, body, order });
  if (comment.ok) return ok({ url: comment.value.url, superseded: comment.value.action === "superseded" });
  const [failure] = comment.failures;
  if (failure.code !== "github" || failure.status !== 403 || !/\blocked\b/i.test(failure.message)) return comment;
  context.emit({ type: "warning", message: `the conversation of #${pull.number} is locked: the check has the report` });
  return ok({ url: null, superseded: false });
}
