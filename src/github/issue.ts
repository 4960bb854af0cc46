import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fit, fitLine, LIMITS } from "./limits.ts";
import { isMarked, isOurs, markerLine } from "./marker.ts";

export interface Issue {
  readonly number: number;
  readonly url: string;
  /** As found, the marker line included. */
  readonly body: string;
}

export interface UpsertIssueOptions {
  /** What the issue is about, as `drift:digits`: one open issue of each. */
  readonly marker: string;
  readonly title: string;
  /** Markdown without the marker line; shortened to what GitHub takes. */
  readonly body: string;
  readonly labels?: readonly string[];
}

/** Writes the one open issue of a marker. An issue that was closed stays closed: the next one is a new one. */
export async function upsertIssue(
  gh: GitHub,
  options: UpsertIssueOptions,
): Promise<Result<{ number: number; url: string; action: "created" | "updated" | "unchanged" }>> {
  const line = markerLine(options.marker);
  const body = `${line}\n${fit(options.body, LIMITS.body - line.length - 1)}`;
  const title = fitLine(options.title, LIMITS.title);
  const { owner, repo } = gh;
  const written = await ensure<Issue & { title: string }>(
    async () => {
      const open = await openIssues(gh, options.marker);
      return open.ok ? ok(open.value[0]) : open;
    },
    async () => {
      const labels = [...(options.labels ?? [])];
      const made = await call(gh.octokit.rest.issues.create({ owner, repo, title, body, labels, ...ONCE }));
      if (!made.ok) return made;
      gh.login = made.value.user?.login ?? gh.login;
      return ok({ number: made.value.number, url: made.value.html_url, title, body });
    },
  );
  if (!written.ok) return written;
  const { value, created } = written.value;
  const { number, url } = value;
  if (!created) return rewrite(gh, value, { title, body });

  const all = await openIssues(gh, options.marker);
  if (!all.ok) return all;
  const first = all.value[0];
  if (first === undefined || first.number >= number) return ok({ number, url, action: "created" });
  const closed = await call(
    gh.octokit.rest.issues.update({ owner, repo, issue_number: number, state: "closed", state_reason: "not_planned" }),
  );
  return closed.ok ? rewrite(gh, first, { title, body }) : closed;
}

async function rewrite(
  gh: GitHub,
  old: Issue & { readonly title: string },
  now: { readonly title: string; readonly body: string },
): Promise<Result<{ number: number; url: string; action: "updated" | "unchanged" }>> {
  const { number, url } = old;
  if (old.body === now.body && old.title === now.title) return ok({ number, url, action: "unchanged" });
  const { owner, repo } = gh;
  const updated = await call(gh.octokit.rest.issues.update({ owner, repo, issue_number: number, ...now }));
  return updated.ok ? ok({ number, url, action: "updated" }) : updated;
}

/** The open issue of a marker, if there is one. */
export async function findIssue(gh: GitHub, marker: string): Promise<Result<Issue | undefined>> {
  const open = await openIssues(gh, marker);
  return open.ok ? ok(open.value[0]) : open;
}

/** Closes every open issue of a marker as done, with a last comment; nothing happens when there is none. */
export async function closeIssue(
  gh: GitHub,
  options: { readonly marker: string; readonly comment?: string },
): Promise<Result<{ closed: number[] }>> {
  const open = await openIssues(gh, options.marker);
  if (!open.ok) return open;
  const { owner, repo } = gh;
  for (const { number } of open.value) {
    if (options.comment !== undefined) {
      const body = fit(options.comment, LIMITS.body);
      const said = await call(gh.octokit.rest.issues.createComment({ owner, repo, issue_number: number, body }));
      if (!said.ok) return said;
    }
    const closed = await call(
      gh.octokit.rest.issues.update({ owner, repo, issue_number: number, state: "closed", state_reason: "completed" }),
    );
    if (!closed.ok) return closed;
  }
  return ok({ closed: open.value.map((issue) => issue.number) });
}

/** Ours, open, of this marker, oldest first. Labels are not asked for: anyone may have taken one off. */
async function openIssues(gh: GitHub, marker: string): Promise<Result<(Issue & { title: string })[]>> {
  const { owner, repo } = gh;
  const issues = await call(
    gh.octokit
      .paginate(gh.octokit.rest.issues.listForRepo, {
        owner,
        repo,
        state: "open",
        creator: gh.login,
        per_page: LIMITS.page,
      })
      .then((data) => ({ data })),
  );
  if (!issues.ok) return issues;
  return ok(
    issues.value
      .filter((issue) => issue.pull_request === undefined && isOurs(gh, issue.user) && isMarked(issue.body, marker))
      .map((issue) => ({ number: issue.number, url: issue.html_url, title: issue.title, body: issue.body ?? "" }))
      .sort((a, b) => a.number - b.number),
  );
}
