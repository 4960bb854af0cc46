import type { Permission, Permissions } from "../world.ts";

/** What a file says under `permissions:`. */
export type PermissionSetting = "read-all" | "write-all" | Readonly<Record<string, Permission>>;

/** Scopes of a job's token. https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions */
const SCOPES = [
  "actions",
  "artifact-metadata",
  "attestations",
  "checks",
  "contents",
  "deployments",
  "discussions",
  "id-token",
  "issues",
  "models",
  "packages",
  "pages",
  "pull-requests",
  "repository-projects",
  "security-events",
  "statuses",
] as const;

/** Repositories made since February 2023 start with the restricted default. */
const DEFAULT: PermissionSetting = { contents: "read", packages: "read" };

/**
 * What a job's token may do: the job's own setting, else the workflow's, else the default. A scope that a setting
 * leaves out is none. For a fork nothing is more than read, and there is no identity token.
 */
export function effectivePermissions(
  workflow: PermissionSetting | undefined,
  job: PermissionSetting | undefined,
  fromFork: boolean,
): Permissions {
  const setting = job ?? workflow ?? DEFAULT;
  const given = (scope: string): Permission => {
    if (setting === "write-all") return scope === "models" ? "read" : "write";
    if (setting === "read-all") return scope === "id-token" ? "none" : "read";
    return setting[scope] ?? "none";
  };
  const entries = SCOPES.map((scope): [string, Permission] => {
    const level = given(scope);
    if (!fromFork || level !== "write") return [scope, level];
    return [scope, scope === "id-token" ? "none" : "read"];
  });
  return Object.fromEntries([...entries, ["metadata", "read"]]);
}
