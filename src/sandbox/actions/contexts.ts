import { arch, platform } from "node:os";
import type { Repository, WorkflowRun, World } from "../world.ts";
import type { Contexts, Value } from "./evaluate.ts";

/** Folders of the runner that does a job; all absolute. */
export interface Folders {
  /** `_work` of the runner's slot. */
  readonly work: string;
  readonly workspace: string;
  readonly temp: string;
  readonly tools: string;
  readonly actions: string;
}

const RETENTION_DAYS = "90";
const SYSTEMS: Readonly<Record<string, string>> = { linux: "Linux", darwin: "macOS", win32: "Windows" };
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "X64", arm64: "ARM64", ia32: "X86", arm: "ARM" };

/** `http://github.localhost:PORT`: the artifact and cache clients take any other local host for GHES. */
export function serverUrl(world: World): string {
  return world.origin.replace("127.0.0.1", "github.localhost");
}

const field = (value: unknown, ...path: string[]): string => {
  const found = path.reduce<unknown>(
    (at, key) => (at !== null && typeof at === "object" ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );
  return typeof found === "string" ? found : "";
};

/** The parts of the `github` context that are the same for a whole run. */
export function githubContext(world: World, repository: Repository, run: WorkflowRun): Record<string, Value> {
  const fullName = `${repository.owner}/${repository.name}`;
  const isPull = run.event === "pull_request" || run.event === "pull_request_target";
  const refType = run.ref.startsWith("refs/tags/") ? "tag" : "branch";
  return {
    actor: run.actor,
    actor_id: String(world.user(run.actor).id),
    api_url: `${world.origin}/api/v3`,
    artifact_cache_size_limit: "10",
    base_ref: isPull ? field(run.payload, "pull_request", "base", "ref") : "",
    event: run.payload as Value,
    event_name: run.event,
    graphql_url: `${world.origin}/api/graphql`,
    head_ref: isPull ? field(run.payload, "pull_request", "head", "ref") : "",
    ref: run.ref,
    ref_name: run.ref.replace(/^refs\/(?:heads|tags|pull)\//u, ""),
    ref_protected: false,
    ref_type: refType,
    repository: fullName,
    repository_id: String(repository.id),
    repository_owner: repository.owner,
    repository_owner_id: String(world.user(repository.owner).id),
    repositoryUrl: `${serverUrl(world).replace(/^http/u, "git")}/${fullName}.git`,
    retention_days: RETENTION_DAYS,
    run_attempt: String(run.attempt),
    run_id: String(run.id),
    run_number: String(run.runNumber),
    secret_source: "Actions",
    server_url: serverUrl(world),
    sha: run.sha,
    triggering_actor: run.actor,
    workflow: run.name,
    workflow_ref: `${fullName}/${run.path}@${run.ref}`,
    workflow_sha: run.sha,
  };
}

/** The `runner` context. */
export function runnerContext(name: string, folders: Folders): Record<string, Value> {
  return {
    arch: ARCHITECTURES[arch()] ?? arch(),
    environment: "self-hosted",
    name,
    os: SYSTEMS[platform()] ?? platform(),
    temp: folders.temp,
    tool_cache: folders.tools,
    workspace: folders.work,
  };
}

/** Names of the `github` context that a step finds in its environment as `GITHUB_<NAME>`. */
const IN_ENVIRONMENT = [
  "action",
  "action_path",
  "action_ref",
  "action_repository",
  "actor",
  "actor_id",
  "api_url",
  "base_ref",
  "event_name",
  "event_path",
  "graphql_url",
  "head_ref",
  "job",
  "ref",
  "ref_name",
  "ref_protected",
  "ref_type",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "retention_days",
  "run_attempt",
  "run_id",
  "run_number",
  "server_url",
  "sha",
  "triggering_actor",
  "workflow",
  "workflow_ref",
  "workflow_sha",
  "workspace",
] as const;

/** GITHUB_* and RUNNER_* as the real runner sets them, from the contexts. */
export function contextEnvironment(contexts: Contexts): Record<string, string> {
  const env: Record<string, string> = { CI: "true", GITHUB_ACTIONS: "true" };
  const github = (contexts["github"] ?? {}) as Record<string, Value>;
  for (const name of IN_ENVIRONMENT) {
    const value = github[name];
    if (value !== undefined && value !== null) env[`GITHUB_${name.toUpperCase()}`] = String(value as string | boolean);
  }
  for (const [name, value] of Object.entries((contexts["runner"] ?? {}) as Record<string, string>)) {
    env[`RUNNER_${name.toUpperCase()}`] = value;
  }
  return env;
}
