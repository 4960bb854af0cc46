import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fit, fitLine, LIMITS } from "./limits.ts";
import { markerLine } from "./marker.ts";

export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly author: string;
  readonly state: "open" | "closed";
  readonly merged: boolean;
  readonly headSha: string;
  readonly headBranch: string;
  /** `owner/name` of the head's repository; null when the fork was deleted. */
  readonly headRepository: string | null;
  readonly baseBranch: string;
  readonly baseSha: string;
  readonly fork: boolean;
}

interface Raw {
  readonly number: number;
  readonly html_url: string;
  readonly title: string;
  readonly state: string;
  readonly merged_at?: string | null;
  readonly user: { readonly login: string } | null;
  readonly head: { readonly sha: string; readonly ref: string; readonly repo: { full_name: string } | null };
  readonly base: { readonly sha: string; readonly ref: string };
}

function read(gh: GitHub, raw: Raw): PullRequest {
  const headRepository = raw.head.repo?.full_name ?? null;
  return {
    number: raw.number,
    url: raw.html_url,
    title: raw.title,
    author: raw.user?.login ?? "ghost",
    state: raw.state === "open" ? "open" : "closed",
    merged: typeof raw.merged_at === "string",
    headSha: raw.head.sha,
    headBranch: raw.head.ref,
    headRepository,
    baseBranch: raw.base.ref,
    baseSha: raw.base.sha,
    fork: headRepository?.toLowerCase() !== `${gh.owner}/${gh.repo}`.toLowerCase(),
  };
}

/**
 * The open pull request whose head is exactly this commit of this branch. A workflow run of a fork does not name its
 * pull request, so that it is asked for by owner and branch; undefined when the head has moved on since.
 */
export async function findPullRequestBySha(
  gh: GitHub,
  options: { readonly sha: string; readonly headOwner: string; readonly headBranch: string },
): Promise<Result<PullRequest | undefined>> {
  const { owner, repo } = gh;
  const open = await call(
    gh.octokit.rest.pulls.list({
      owner,
      repo,
      state: "open",
      head: `${options.headOwner}:${options.headBranch}`,
      per_page: LIMITS.page,
    }),
  );
  if (!open.ok) return open;
  const match = (open.value as Raw[]).find((pull) => pull.head.sha === options.sha);
  return ok(match === undefined ? undefined : read(gh, match));
}

/** The merged pull request that brought a commit to a branch, newest first when there are several. */
export async function mergedPullRequest(
  gh: GitHub,
  options: { readonly sha: string; readonly baseBranch: string },
): Promise<Result<PullRequest | undefined>> {
  const { owner, repo } = gh;
  const pulls = await call(
    gh.octokit.rest.repos.listPullRequestsAssociatedWithCommit({
      owner,
      repo,
      commit_sha: options.sha,
      per_page: LIMITS.page,
    }),
  );
  if (!pulls.ok) return pulls;
  const merged = (pulls.value as Raw[])
    .map((raw) => read(gh, raw))
    .filter((pull) => pull.merged && pull.baseBranch === options.baseBranch)
    .sort((a, b) => b.number - a.number);
  return ok(merged[0]);
}

export async function getPullRequest(gh: GitHub, number: number): Promise<Result<PullRequest>> {
  const { owner, repo } = gh;
  const pull = await call(gh.octokit.rest.pulls.get({ owner, repo, pull_number: number }));
  return pull.ok ? ok(read(gh, pull.value as Raw)) : pull;
}

export interface EnsurePullRequestOptions {
  /** Branch of this repository; one open pull request of each. It has to be pushed before. */
  readonly head: string;
  readonly base: string;
  readonly marker: string;
  readonly title: string;
  /** Markdown without the marker line; shortened to what GitHub takes. */
  readonly body: string;
  readonly labels?: readonly string[];
}

interface Written {
  readonly number: number;
  readonly html_url: string;
  readonly title: string;
  readonly body: string | null;
  readonly labels: readonly { readonly name: string }[];
}

/** Opens the one pull request of a branch, or refreshes its title and text. Two at once: GitHub refuses the second. */
export async function ensurePullRequest(
  gh: GitHub,
  options: EnsurePullRequestOptions,
): Promise<Result<{ number: number; url: string; action: "created" | "updated" | "unchanged" }>> {
  const { owner, repo } = gh;
  const { head, base } = options;
  const line = markerLine(options.marker);
  const body = `${line}\n${fit(options.body, LIMITS.body - line.length - 1)}`;
  const title = fitLine(options.title, LIMITS.title);
  const written = await ensure<Written>(
    async () => {
      const open = await call<Written[]>(
        gh.octokit.rest.pulls.list({ owner, repo, state: "open", head: `${owner}:${head}`, base, per_page: 1 }),
      );
      return open.ok ? ok(open.value[0]) : open;
    },
    async () => call<Written>(gh.octokit.rest.pulls.create({ owner, repo, head, base, title, body, ...ONCE })),
  );
  if (!written.ok) return written;
  const { created, value } = written.value;
  const { number, html_url: url } = value;
  const missing = (options.labels ?? []).filter((label) => !value.labels.some((has) => has.name === label));
  if (missing.length > 0) {
    const labelled = await call(
      gh.octokit.rest.issues.addLabels({ owner, repo, issue_number: number, labels: missing }),
    );
    if (!labelled.ok) return labelled;
  }
  if (created) return ok({ number, url, action: "created" });
  if (value.body === body && value.title === title) return ok({ number, url, action: "unchanged" });
  const updated = await call(gh.octokit.rest.pulls.update({ owner, repo, pull_number: number, title, body }));
  return updated.ok ? ok({ number, url, action: "updated" }) : updated;
}
