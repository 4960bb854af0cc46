import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fit, LIMITS } from "./limits.ts";
import { isMarked, isOlder, isOurs, markerLine, orderOf } from "./marker.ts";
import type { Order } from "./marker.ts";

export interface Comment {
  readonly id: number;
  readonly url: string;
}

export interface UpsertCommentOptions {
  /** Number of the issue or pull request. */
  readonly issue: number;
  /** Which of Lockstep's comments it is, as `report`: one of each per issue. */
  readonly marker: string;
  /** Markdown without the marker line, or how it comes of the text that stands there; shortened to what GitHub takes. */
  readonly body: string | ((before: string | undefined) => string);
  readonly order: Order;
}

/** `superseded`: a later run's text is there, and was left. */
export type Upserted = "created" | "updated" | "unchanged" | "superseded";

interface Found extends Comment {
  readonly body: string;
}

/**
 * Writes the one comment of a marker: found by marker and author over all pages, then updated, or created. Of two
 * that were created at once the older stays.
 */
export async function upsertComment(
  gh: GitHub,
  options: UpsertCommentOptions,
): Promise<Result<Comment & { action: Upserted }>> {
  const line = markerLine(options.marker, options.order);
  const textAfter = (before: Found | undefined): string => {
    const text = typeof options.body === "string" ? options.body : options.body(before && withoutLine(before.body));
    return `${line}\n${fit(text, LIMITS.body - line.length - 1)}`;
  };
  const { owner, repo } = gh;
  const written = await ensure<Found>(
    async () => {
      const found = await list(gh, options);
      return found.ok ? ok(found.value[0]) : found;
    },
    async () => {
      const body = textAfter(undefined);
      const made = await call(
        gh.octokit.rest.issues.createComment({ owner, repo, issue_number: options.issue, body, ...ONCE }),
      );
      if (!made.ok) return made;
      gh.login = made.value.user?.login ?? gh.login;
      return ok({ id: made.value.id, url: made.value.html_url, body });
    },
  );
  if (!written.ok) return written;
  const { value, created } = written.value;
  if (!created) return rewrite(gh, value, textAfter(value), options.order);

  const all = await list(gh, options);
  if (!all.ok) return all;
  const first = all.value[0];
  if (first === undefined || first.id === value.id) return ok({ id: value.id, url: value.url, action: "created" });
  const kept = await rewrite(gh, first, textAfter(first), options.order);
  if (!kept.ok) return kept;
  const removed = await call(gh.octokit.rest.issues.deleteComment({ owner, repo, comment_id: value.id }));
  if (!removed.ok && removed.failures[0].code === "github" && removed.failures[0].status !== 404) return removed;
  return kept;
}

const withoutLine = (body: string): string => body.slice(body.indexOf("\n") + 1);

async function rewrite(
  gh: GitHub,
  old: Found,
  body: string,
  order: Order,
): Promise<Result<Comment & { action: Upserted }>> {
  const before = orderOf(old.body);
  const { id, url } = old;
  if (before !== undefined && isOlder(order, before)) return ok({ id, url, action: "superseded" });
  if (old.body === body) return ok({ id, url, action: "unchanged" });
  const { owner, repo } = gh;
  const updated = await call(gh.octokit.rest.issues.updateComment({ owner, repo, comment_id: id, body }));
  return updated.ok ? ok({ id, url, action: "updated" }) : updated;
}

/** Ours of this marker, oldest first. */
async function list(gh: GitHub, options: UpsertCommentOptions): Promise<Result<Found[]>> {
  const { owner, repo } = gh;
  const comments = await call(
    gh.octokit
      .paginate(gh.octokit.rest.issues.listComments, {
        owner,
        repo,
        issue_number: options.issue,
        per_page: LIMITS.page,
      })
      .then((data) => ({ data })),
  );
  if (!comments.ok) return fail(...comments.failures);
  return ok(
    comments.value
      .filter((comment) => isOurs(gh, comment.user) && isMarked(comment.body, options.marker))
      .map((comment) => ({ id: comment.id, url: comment.html_url, body: comment.body ?? "" }))
      .sort((a, b) => a.id - b.id),
  );
}
