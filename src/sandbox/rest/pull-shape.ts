import { changedFiles, log, mergeBase } from "../repository/commits.ts";
import type { Issue, Pull, Repository, World } from "../world.ts";
import {
  association,
  fullName,
  labelsJson,
  nodeId,
  pageUrl,
  repositoryJson,
  repositoryUrl,
  userJson,
  type Json,
} from "./shape.ts";

/** An issue that is known to be a pull request. */
export type PullIssue = Issue & { readonly pull: Pull };

export function isPull(issue: Issue | undefined): issue is PullIssue {
  return issue?.pull !== undefined;
}

function side(world: World, repository: Repository | undefined, name: string, ref: string, sha: string): Json {
  const owner = name.split("/")[0] ?? "";
  return {
    label: `${owner}:${ref}`,
    ref,
    sha,
    user: userJson(world, owner),
    repo: repository === undefined ? null : repositoryJson(world, repository),
  };
}

/** `pull-request-simple`: an item of a list. */
export function simplePullJson(world: World, repository: Repository, issue: PullIssue): Json {
  const { pull } = issue;
  const api = repositoryUrl(world, repository);
  const url = `${api}/pulls/${issue.number}`;
  const issueUrl = `${api}/issues/${issue.number}`;
  const html = `${pageUrl(world, repository)}/pull/${issue.number}`;
  const statuses = `${api}/statuses/${pull.headSha}`;
  const assignees = issue.assignees.map((login) => userJson(world, login));
  return {
    url,
    id: pull.id,
    node_id: nodeId("PR", pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issueUrl,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statuses,
    number: issue.number,
    state: issue.state,
    locked: issue.lockReason !== undefined,
    title: issue.title,
    user: userJson(world, issue.user),
    body: issue.body,
    labels: labelsJson(world, repository, issue.labels).map((label) => ({
      ...label,
      description: label["description"] ?? "",
    })),
    milestone: null,
    active_lock_reason: null,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitSha,
    assignee: assignees[0] ?? null,
    assignees,
    requested_reviewers: [],
    requested_teams: [],
    head: side(world, world.repositories.get(pull.headRepository), pull.headRepository, pull.headBranch, pull.headSha),
    base: side(world, repository, fullName(repository), pull.baseBranch, pull.baseSha),
    _links: {
      self: { href: url },
      html: { href: html },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${api}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
    author_association: association(repository, issue.user),
    auto_merge: null,
    draft: pull.draft,
  };
}

/** `pull-request`: with the numbers that need git. */
export async function pullJson(world: World, repository: Repository, issue: PullIssue): Promise<Json> {
  const { pull } = issue;
  const fork = (await mergeBase(repository, pull.baseSha, pull.headSha)) ?? pull.baseSha;
  const [files, commits] = await Promise.all([
    changedFiles(repository, fork, pull.headSha),
    log(repository, [`${pull.baseSha}..${pull.headSha}`]),
  ]);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    ...simplePullJson(world, repository, issue),
    merged: pull.merged,
    mergeable: issue.state === "open" ? pull.mergeable : null,
    rebaseable: issue.state === "open" ? pull.mergeable : null,
    mergeable_state: issue.state !== "open" ? "unknown" : pull.mergeable ? "clean" : "dirty",
    merged_by: pull.mergedBy === null ? null : userJson(world, pull.mergedBy),
    comments: repository.comments.filter((comment) => comment.issue === issue.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: commits.length,
    additions: sum(files.map((file) => file.additions)),
    deletions: sum(files.map((file) => file.deletions)),
    changed_files: files.length,
  };
}
