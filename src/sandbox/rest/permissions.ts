import type { Need } from "../http/access.ts";
import type { RouteName } from "../http/route.ts";

const needs =
  (person: Need["person"], writes: boolean) =>
  (...token: readonly string[]): Need => ({ person, token, writes });

/** What the public may look at. */
const look = needs("anyone", false);
/** What anyone who is signed in may do on a public repository. */
const join = needs("anyone", true);
const write = needs("write", true);
const admin = needs("admin", true);

/**
 * What each route asks of its caller. The rights of job tokens are those of GitHub's table "Permissions required for
 * GitHub Apps", spelled as in a workflow's `permissions:`. Reading needs the right too, also on a public repository.
 */
export const NEEDS: Readonly<Record<RouteName, Need>> = {
  "GET /rate_limit": look(),
  "GET /user": look(),
  "GET /users/{username}": look(),
  "POST /user/repos": join(),
  "GET /repos/{owner}/{repo}": look(),
  "POST /repos/{owner}/{repo}/forks": join("administration:write"),
  "GET /repos/{owner}/{repo}/collaborators/{username}/permission": look(),
  "GET /repos/{owner}/{repo}/actions/permissions/workflow": admin("administration:read"),
  "PUT /repos/{owner}/{repo}/actions/permissions/workflow": admin("administration:write"),

  "GET /repos/{owner}/{repo}/pulls": look("pull-requests:read"),
  "POST /repos/{owner}/{repo}/pulls": join("pull-requests:write"),
  "GET /repos/{owner}/{repo}/pulls/{pull_number}": look("pull-requests:read"),
  "PATCH /repos/{owner}/{repo}/pulls/{pull_number}": join("pull-requests:write"),
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/files": look("pull-requests:read"),
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/commits": look("pull-requests:read"),
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/merge": look("pull-requests:read"),
  "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge": write("contents:write"),
  "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls": look("pull-requests:read"),

  "GET /repos/{owner}/{repo}/issues": look("issues:read", "pull-requests:read"),
  "POST /repos/{owner}/{repo}/issues": join("issues:write"),
  "GET /repos/{owner}/{repo}/issues/{issue_number}": look("issues:read", "pull-requests:read"),
  "PATCH /repos/{owner}/{repo}/issues/{issue_number}": join("issues:write", "pull-requests:write"),
  "PUT /repos/{owner}/{repo}/issues/{issue_number}/lock": write("issues:write", "pull-requests:write"),
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock": write("issues:write", "pull-requests:write"),
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": look("issues:read", "pull-requests:read"),
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": join("issues:write", "pull-requests:write"),
  "GET /repos/{owner}/{repo}/issues/comments/{comment_id}": look("issues:read", "pull-requests:read"),
  "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": join("issues:write", "pull-requests:write"),
  "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}": join("issues:write", "pull-requests:write"),
  "GET /repos/{owner}/{repo}/issues/{issue_number}/labels": look("issues:read", "pull-requests:read"),
  "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": write("issues:write", "pull-requests:write"),
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": write("issues:write", "pull-requests:write"),
  "GET /repos/{owner}/{repo}/labels": look("issues:read", "pull-requests:read"),
  "POST /repos/{owner}/{repo}/labels": write("issues:write", "pull-requests:write"),
  "GET /repos/{owner}/{repo}/labels/{name}": look("issues:read", "pull-requests:read"),

  "POST /repos/{owner}/{repo}/check-runs": write("checks:write"),
  "GET /repos/{owner}/{repo}/check-runs/{check_run_id}": look("checks:read"),
  "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": write("checks:write"),
  "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations": look("checks:read"),
  "GET /repos/{owner}/{repo}/commits/{ref}/check-runs": look("checks:read"),
  "POST /repos/{owner}/{repo}/statuses/{sha}": write("statuses:write"),
  "GET /repos/{owner}/{repo}/commits/{ref}/status": look("statuses:read"),
  "GET /repos/{owner}/{repo}/commits/{ref}/statuses": look("statuses:read"),

  "GET /repos/{owner}/{repo}/immutable-releases": admin("administration:read"),
  "PUT /repos/{owner}/{repo}/immutable-releases": admin("administration:write"),
  "DELETE /repos/{owner}/{repo}/immutable-releases": admin("administration:write"),
  "GET /repos/{owner}/{repo}/releases": look("contents:read"),
  "POST /repos/{owner}/{repo}/releases": write("contents:write"),
  "GET /repos/{owner}/{repo}/releases/latest": look("contents:read"),
  "GET /repos/{owner}/{repo}/releases/tags/{tag}": look("contents:read"),
  "GET /repos/{owner}/{repo}/releases/{release_id}": look("contents:read"),
  "PATCH /repos/{owner}/{repo}/releases/{release_id}": write("contents:write"),
  "DELETE /repos/{owner}/{repo}/releases/{release_id}": write("contents:write"),
  "GET /repos/{owner}/{repo}/releases/{release_id}/assets": look("contents:read"),
  "POST /repos/{owner}/{repo}/releases/{release_id}/assets": write("contents:write"),
  "GET /repos/{owner}/{repo}/releases/assets/{asset_id}": look("contents:read"),
  "PATCH /repos/{owner}/{repo}/releases/assets/{asset_id}": write("contents:write"),
  "DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}": write("contents:write"),

  "POST /repos/{owner}/{repo}/git/blobs": write("contents:write"),
  "GET /repos/{owner}/{repo}/git/blobs/{file_sha}": look("contents:read"),
  "POST /repos/{owner}/{repo}/git/trees": write("contents:write"),
  "GET /repos/{owner}/{repo}/git/trees/{tree_sha}": look("contents:read"),
  "POST /repos/{owner}/{repo}/git/commits": write("contents:write"),
  "GET /repos/{owner}/{repo}/git/commits/{commit_sha}": look("contents:read"),
  "GET /repos/{owner}/{repo}/git/ref/{ref}": look("contents:read"),
  "GET /repos/{owner}/{repo}/git/matching-refs/{ref}": look("contents:read"),
  "POST /repos/{owner}/{repo}/git/refs": write("contents:write"),
  "PATCH /repos/{owner}/{repo}/git/refs/{ref}": write("contents:write"),
  "DELETE /repos/{owner}/{repo}/git/refs/{ref}": write("contents:write"),
  "GET /repos/{owner}/{repo}/contents/{path}": look("contents:read"),
  "PUT /repos/{owner}/{repo}/contents/{path}": write("contents:write"),
  "GET /repos/{owner}/{repo}/branches": look("contents:read"),
  "GET /repos/{owner}/{repo}/branches/{branch}": look("contents:read"),
  "GET /repos/{owner}/{repo}/commits": look("contents:read"),
  "GET /repos/{owner}/{repo}/commits/{ref}": look("contents:read"),
  "GET /repos/{owner}/{repo}/compare/{basehead}": look("contents:read"),

  "GET /repos/{owner}/{repo}/actions/workflows": look("actions:read"),
  "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches": write("actions:write"),
  "GET /repos/{owner}/{repo}/actions/runs": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/jobs/{job_id}": look("actions:read"),
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/approve": write("actions:write"),
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun": write("actions:write"),
  "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel": write("actions:write"),
  "GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/artifacts": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": look("actions:read"),
  "DELETE /repos/{owner}/{repo}/actions/artifacts/{artifact_id}": write("actions:write"),
  "GET /repos/{owner}/{repo}/actions/caches": look("actions:read"),
  "GET /repos/{owner}/{repo}/actions/variables": write("variables:read"),
  "POST /repos/{owner}/{repo}/actions/variables": write("variables:write"),
  "GET /repos/{owner}/{repo}/actions/variables/{name}": write("variables:read"),
  "PATCH /repos/{owner}/{repo}/actions/variables/{name}": write("variables:write"),
  "DELETE /repos/{owner}/{repo}/actions/variables/{name}": write("variables:write"),
  "POST /repos/{owner}/{repo}/dispatches": write("contents:write"),

  "GET /repos/{owner}/{repo}/deployments": look("deployments:read"),
  "POST /repos/{owner}/{repo}/deployments": write("deployments:write"),
  "GET /repos/{owner}/{repo}/deployments/{deployment_id}": look("deployments:read"),
  "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses": look("deployments:read"),
  "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses": write("deployments:write"),
};
