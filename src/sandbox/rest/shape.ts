import { createHash } from "node:crypto";
import { ACTIONS_BOT } from "../state.ts";
import type { Issue, Repository, Role, World } from "../world.ts";

/** A JSON object of a response. */
export type Json = Record<string, unknown>;

export const fullName = (repository: Pick<Repository, "owner" | "name">): string =>
  `${repository.owner}/${repository.name}`;

export const apiBase = (world: World): string => `${world.origin}/api/v3`;

export const repositoryUrl = (world: World, repository: Repository): string =>
  `${apiBase(world)}/repos/${fullName(repository)}`;

export const pageUrl = (world: World, repository: Repository): string => `${world.origin}/${fullName(repository)}`;

/** GitHub's opaque global id: any stable string will do. */
export const nodeId = (kind: string, id: number | string): string =>
  `${kind}_${createHash("sha256").update(`${kind}:${id}`).digest("base64url").slice(0, 16)}`;

/** `simple-user` of GitHub's description. */
export function userJson(world: World, login: string): Json {
  const user = world.user(login);
  const url = `${apiBase(world)}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id: user.id,
    node_id: nodeId("U", user.id),
    avatar_url: `${world.origin}/avatars/${user.id}`,
    gravatar_id: "",
    url,
    html_url: `${world.origin}/${encodeURIComponent(login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    user_view_type: "public",
    site_admin: false,
  };
}

export function roleOf(repository: Repository, login: string): Role | undefined {
  return login === repository.owner ? "admin" : repository.collaborators[login];
}

/** As in `author_association`. */
export function association(repository: Repository, login: string): string {
  if (login === repository.owner) return "OWNER";
  return repository.collaborators[login] === undefined ? "NONE" : "COLLABORATOR";
}

/** Short names of the URLs below a repository and what follows them. */
const REPOSITORY_URLS: Readonly<Record<string, string>> = {
  archive_url: "/{archive_format}{/ref}",
  assignees_url: "/assignees{/user}",
  blobs_url: "/git/blobs{/sha}",
  branches_url: "/branches{/branch}",
  collaborators_url: "/collaborators{/collaborator}",
  comments_url: "/comments{/number}",
  commits_url: "/commits{/sha}",
  compare_url: "/compare/{base}...{head}",
  contents_url: "/contents/{+path}",
  contributors_url: "/contributors",
  deployments_url: "/deployments",
  downloads_url: "/downloads",
  events_url: "/events",
  forks_url: "/forks",
  git_commits_url: "/git/commits{/sha}",
  git_refs_url: "/git/refs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  hooks_url: "/hooks",
  issue_comment_url: "/issues/comments{/number}",
  issue_events_url: "/issues/events{/number}",
  issues_url: "/issues{/number}",
  keys_url: "/keys{/key_id}",
  labels_url: "/labels{/name}",
  languages_url: "/languages",
  merges_url: "/merges",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  pulls_url: "/pulls{/number}",
  releases_url: "/releases{/id}",
  stargazers_url: "/stargazers",
  statuses_url: "/statuses/{sha}",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  tags_url: "/tags",
  teams_url: "/teams",
  trees_url: "/git/trees{/sha}",
};

/** `minimal-repository`: what other objects embed. */
export function minimalRepositoryJson(world: World, repository: Repository): Json {
  const url = repositoryUrl(world, repository);
  return {
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: userJson(world, repository.owner),
    html_url: pageUrl(world, repository),
    description: null,
    fork: repository.parent !== null,
    url,
    ...Object.fromEntries(Object.entries(REPOSITORY_URLS).map(([name, rest]) => [name, url + rest])),
  };
}

/** `repository`: what pull requests and event payloads embed. */
export function repositoryJson(world: World, repository: Repository): Json {
  const page = pageUrl(world, repository);
  const openIssues = repository.issues.filter((issue) => issue.state === "open").length;
  const forks = [...world.repositories.values()].filter((other) => other.parent === fullName(repository)).length;
  return {
    ...minimalRepositoryJson(world, repository),
    git_url: page.replace(/^http/, "git"),
    ssh_url: `ssh://git@${new URL(page).host}/${fullName(repository)}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    forks_count: forks,
    forks,
    stargazers_count: 0,
    watchers_count: 0,
    watchers: 0,
    size: 0,
    default_branch: repository.defaultBranch,
    open_issues_count: openIssues,
    open_issues: openIssues,
    is_template: false,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    archived: false,
    disabled: false,
    visibility: repository.private ? "private" : "public",
    pushed_at: repository.pushedAt,
    created_at: repository.createdAt,
    updated_at: repository.pushedAt,
    license: null,
    allow_forking: true,
    web_commit_signoff_required: false,
  };
}

/** `full-repository`: the answer to a request for the repository itself. */
export function fullRepositoryJson(world: World, repository: Repository, login: string | undefined): Json {
  const role = login === undefined ? undefined : roleOf(repository, login);
  const parent = repository.parent === null ? undefined : world.repositories.get(repository.parent);
  return {
    ...repositoryJson(world, repository),
    subscribers_count: 0,
    network_count: 0,
    allow_merge_commit: true,
    allow_squash_merge: false,
    allow_rebase_merge: false,
    allow_auto_merge: false,
    delete_branch_on_merge: false,
    permissions: {
      admin: role === "admin",
      maintain: role === "admin",
      push: role === "admin" || role === "write",
      triage: role === "admin" || role === "write",
      pull: true,
    },
    ...(parent === undefined ? {} : { parent: repositoryJson(world, parent), source: repositoryJson(world, parent) }),
  };
}

/** The GitHub App that Actions is. */
export function actionsAppJson(world: World): Json {
  return {
    id: 15368,
    slug: "github-actions",
    node_id: nodeId("A", 15368),
    client_id: "Iv1.05c79e9ad1f6bdfa",
    owner: { ...userJson(world, "github"), type: "Organization" },
    name: "GitHub Actions",
    description: "Automate your workflow from idea to production",
    external_url: `${world.origin}/features/actions`,
    html_url: `${world.origin}/apps/github-actions`,
    created_at: "2018-07-30T09:30:17Z",
    updated_at: "2024-04-10T20:33:16Z",
    permissions: { checks: "write", contents: "write", deployments: "write", issues: "write", metadata: "read" },
    events: ["check_run", "issue_comment", "pull_request", "push", "release", "workflow_dispatch"],
  };
}

/** null for people, as `performed_via_github_app` is. */
export function viaApp(world: World, login: string): Json | null {
  return login === ACTIONS_BOT.login ? actionsAppJson(world) : null;
}

export function reactionsJson(url: string): Json {
  const kinds = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];
  return { url: `${url}/reactions`, total_count: 0, ...Object.fromEntries(kinds.map((kind) => [kind, 0])) };
}

/** Labels of an issue, with their repository-wide colour and description. */
export function labelsJson(world: World, repository: Repository, names: readonly string[]): Json[] {
  return repository.labels
    .filter((label) => names.includes(label.name))
    .map((label) => ({
      id: label.id,
      node_id: nodeId("LA", label.id),
      url: `${repositoryUrl(world, repository)}/labels/${encodeURIComponent(label.name)}`,
      name: label.name,
      color: label.color,
      default: false,
      description: label.description,
    }));
}

/** `issue`; a pull request is one too. */
export function issueJson(world: World, repository: Repository, issue: Issue): Json {
  const url = `${repositoryUrl(world, repository)}/issues/${issue.number}`;
  const assignees = issue.assignees.map((login) => userJson(world, login));
  const kind = issue.pull === undefined ? "issues" : "pull";
  const html = `${pageUrl(world, repository)}/${kind}/${issue.number}`;
  return {
    id: issue.id,
    node_id: nodeId("I", issue.id),
    url,
    repository_url: repositoryUrl(world, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: html,
    number: issue.number,
    state: issue.state,
    state_reason: issue.stateReason,
    title: issue.title,
    body: issue.body,
    user: userJson(world, issue.user),
    labels: labelsJson(world, repository, issue.labels),
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    locked: issue.lockReason !== undefined,
    active_lock_reason: issue.lockReason ?? null,
    comments: repository.comments.filter((comment) => comment.issue === issue.number).length,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    closed_by: issue.closedBy === null ? null : userJson(world, issue.closedBy),
    author_association: association(repository, issue.user),
    performed_via_github_app: viaApp(world, issue.user),
    reactions: reactionsJson(url),
    ...(issue.pull === undefined
      ? {}
      : {
          draft: issue.pull.draft,
          pull_request: {
            url: url.replace("/issues/", "/pulls/"),
            html_url: html,
            diff_url: `${html}.diff`,
            patch_url: `${html}.patch`,
            merged_at: issue.pull.mergedAt,
          },
        }),
  };
}
