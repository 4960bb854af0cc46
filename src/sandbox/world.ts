/**
 * The state of the sandbox: plain objects, one owner (the process), saved as one JSON file. The REST routes, the
 * executor and the web page read and change these objects; whoever changes one calls `world.touch()`.
 */

export type Permission = "read" | "write" | "none";
/** Scope of a token, spelled as in a workflow's `permissions:`. */
export type Permissions = Readonly<Record<string, Permission>>;

/** Who a request or event comes from. A token of a job belongs to `github-actions[bot]`. */
export interface Token {
  readonly value: string;
  readonly login: string;
  /** Repository (`owner/name`) the token is limited to; undefined for a person's token. */
  readonly repository?: string;
  /** Undefined for a person: everything that their role allows. */
  readonly permissions?: Permissions;
  readonly runId?: number;
  readonly jobId?: number;
}

export type RunStatus = "queued" | "in_progress" | "completed" | "waiting" | "action_required";
export type Conclusion = "success" | "failure" | "cancelled" | "skipped" | "timed_out" | "action_required";

export interface Step {
  readonly number: number;
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: Conclusion | null;
  startedAt: string | null;
  completedAt: string | null;
  /** Markdown the step wrote to GITHUB_STEP_SUMMARY. */
  summary: string;
  log: string;
}

export interface Annotation {
  readonly level: "notice" | "warning" | "failure";
  readonly message: string;
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
}

export interface Job {
  readonly id: number;
  readonly name: string;
  status: RunStatus;
  conclusion: Conclusion | null;
  startedAt: string | null;
  completedAt: string | null;
  steps: Step[];
  annotations: Annotation[];
  permissions: Permissions;
  outputs: Record<string, string>;
}

export interface WorkflowRun {
  readonly id: number;
  readonly workflowId: number;
  /** As in `.github/workflows/x.yml`. */
  readonly path: string;
  readonly name: string;
  readonly runNumber: number;
  attempt: number;
  readonly event: string;
  /** What `github.event` is. */
  readonly payload: Record<string, unknown>;
  /** `github.ref` and `github.sha`; for a pull request the merge ref and the merge commit. */
  readonly ref: string;
  readonly sha: string;
  /** Head of the branch the run is for; differs from `sha` for a pull request. */
  readonly headSha: string;
  readonly headBranch: string;
  readonly headRepository: string;
  readonly actor: string;
  /** Numbers of the pull requests it belongs to; empty for forks, as on GitHub. */
  readonly pullRequests: number[];
  status: RunStatus;
  conclusion: Conclusion | null;
  readonly createdAt: string;
  updatedAt: string;
  jobs: Job[];
}

/** Something that may start workflows. */
export interface TriggerEvent {
  /** `push`, `pull_request`, `workflow_run`, `schedule`, `workflow_dispatch`, `issue_comment`. */
  readonly name: string;
  readonly action?: string;
  readonly repository: string;
  readonly payload: Record<string, unknown>;
  readonly ref: string;
  readonly sha: string;
  readonly headSha: string;
  readonly headBranch: string;
  readonly headRepository: string;
  readonly actor: string;
  readonly pullRequests?: number[];
  /** For push and pull_request: paths changed, for `paths` filters. */
  readonly changedPaths?: readonly string[];
  /** For schedule: the cron line that fired. */
  readonly schedule?: string;
  /** True when a job's GITHUB_TOKEN caused it: starts nothing, or (pull_request) a run that waits for approval. */
  readonly byJobToken: boolean;
}
