import type { Commit, FileChange } from "../repository/commits.ts";
import type { Repository, World } from "../world.ts";
import { nodeId, pageUrl, repositoryUrl, userJson, type Json } from "./shape.ts";

const UNSIGNED = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

function parents(world: World, repository: Repository, commit: Commit, kind: "commits" | "git/commits"): Json[] {
  return commit.parents.map((sha) => ({
    sha,
    url: `${repositoryUrl(world, repository)}/${kind}/${sha}`,
    html_url: `${pageUrl(world, repository)}/commit/${sha}`,
  }));
}

/** `git-commit`: the git object. */
export function gitCommitJson(world: World, repository: Repository, commit: Commit): Json {
  const api = repositoryUrl(world, repository);
  return {
    sha: commit.sha,
    node_id: nodeId("C", commit.sha),
    url: `${api}/git/commits/${commit.sha}`,
    html_url: `${pageUrl(world, repository)}/commit/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
    message: commit.message,
    parents: parents(world, repository, commit, "git/commits"),
    verification: UNSIGNED,
  };
}

/** GitHub finds a person by e-mail; here the part before the @ (or before it the `id+`) that is a known login. */
function personJson(world: World, email: string): Json | null {
  const login = (email.split("@")[0] ?? "").replace(/^\d+\+/, "");
  return world.users.has(login) ? userJson(world, login) : null;
}

/** `commit`: the commit as people see it. */
export function commitJson(world: World, repository: Repository, commit: Commit): Json {
  const api = repositoryUrl(world, repository);
  return {
    sha: commit.sha,
    node_id: nodeId("C", commit.sha),
    url: `${api}/commits/${commit.sha}`,
    html_url: `${pageUrl(world, repository)}/commit/${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    commit: {
      url: `${api}/git/commits/${commit.sha}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      comment_count: 0,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      verification: UNSIGNED,
    },
    author: personJson(world, commit.author.email),
    committer: personJson(world, commit.committer.email),
    parents: parents(world, repository, commit, "commits"),
  };
}

/** `simple-commit`: what a workflow run embeds. */
export function simpleCommitJson(commit: Commit): Json {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.committer.date,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
  };
}

/** `diff-entry`. */
export function fileJson(world: World, repository: Repository, sha: string, file: FileChange): Json {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const page = pageUrl(world, repository);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${sha}/${path}`,
    raw_url: `${page}/raw/${sha}/${path}`,
    contents_url: `${repositoryUrl(world, repository)}/contents/${path}?ref=${sha}`,
    ...(file.previousPath === undefined ? {} : { previous_filename: file.previousPath }),
    ...(file.patch === undefined ? {} : { patch: file.patch }),
  };
}
