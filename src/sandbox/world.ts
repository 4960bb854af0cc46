/**
 * The state of the sandbox: plain objects, one owner (the process), saved as one JSON file. The REST routes, the
 * executor and the web page read and change these objects; whoever changes one calls `world.touch()`.
 */

import type {
  Artifact,
  CacheEntry,
  CheckRun,
  Comment,
  CommitStatus,
  Deployment,
  Issue,
  Label,
  Release,
  User,
} from "./model.ts";

export type * from "./model.ts";

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

/** One workflow file of the default branch that has run or can run. */
export interface Workflow {
  readonly id: number;
  name: string;
  readonly path: string;
}

export type Role = "admin" | "write" | "read";

export interface Repository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  defaultBranch: string;
  readonly private: boolean;
  /** `owner/name` it was forked from. */
  readonly parent: string | null;
  /** Absolute path of the bare repository. */
  readonly gitDir: string;
  readonly createdAt: string;
  pushedAt: string;
  /** The setting "Allow GitHub Actions to create and approve pull requests". */
  allowActionsPullRequests: boolean;
  /** The setting "Enable release immutability". */
  immutableReleases?: boolean;
  /** Tags of immutable releases that were deleted: none of them is given to a release again. */
  spentTags?: string[];
  /** Role by login; the owner is an admin without being listed. */
  readonly collaborators: Record<string, Role>;
  variables: Record<string, string>;
  secrets: Record<string, string>;
  /** Number the next issue or pull request gets. */
  nextNumber: number;
  workflows: Workflow[];
  runs: WorkflowRun[];
  /** Issues and pull requests, in order of their numbers. */
  issues: Issue[];
  comments: Comment[];
  labels: Label[];
  /** Made through the API. Those of Actions jobs are not here: they are read from `runs`. */
  checkRuns: CheckRun[];
  statuses: CommitStatus[];
  releases: Release[];
  deployments: Deployment[];
  artifacts: Artifact[];
  caches: CacheEntry[];
}

/** One answered API or git request, for tests and the demo that count them. */
export interface RequestLogEntry {
  readonly method: string;
  /** Route with its parameters' names, as in `/repos/{owner}/{repo}/pulls`; the path itself for git. */
  readonly route: string;
  readonly path: string;
  readonly status: number;
  /** Login of the token; "" without one. */
  readonly login: string;
  readonly runId?: number;
  readonly jobId?: number;
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
}

/** The sandbox's own time: the machine's, plus what it was moved by. */
export interface Clock {
  now(): Date;
  /** ISO 8601 in UTC, whole seconds. */
  timestamp(): string;
  /** Moves forward to `date`; a date that is past already is ignored. Fires nothing: `World.moveClock` does. */
  moveTo(date: Date): void;
}

export interface MintOptions {
  /** `owner/name`. */
  readonly repository: string;
  readonly permissions: Permissions;
  readonly runId: number;
  readonly jobId: number;
}

/** Where workflow runs are executed; the REST routes call it. */
export interface Executor {
  /** Resolves when no run is queued or in progress. */
  idle(): Promise<void>;
  /** Lets a run that waits for approval start. */
  approve(runId: number): Promise<void> | void;
  /** Runs all jobs of a run again, as its next attempt. */
  rerun(runId: number): Promise<void> | void;
  cancel(runId: number): Promise<void> | void;
  close(): Promise<void>;
}

/** Everything the sandbox holds. Made by `openWorld`; see `state.ts`. */
export interface World {
  /** Absolute folder of its state: `state.json`, `git/`, `blobs/`. */
  readonly dir: string;
  readonly clock: Clock;
  /** By `owner/name`. */
  readonly repositories: Map<string, Repository>;
  /** By value. */
  readonly tokens: Map<string, Token>;
  /** By login. */
  readonly users: Map<string, User>;
  /** Every answered API and git request since the start; not saved. */
  readonly requestLog: RequestLogEntry[];
  /** Requests spent in the current hour, by the owner of the limit; not saved. */
  readonly rates: Map<string, { used: number; resetAt: number }>;
  /** `http://127.0.0.1:PORT`; REST is below `/api/v3`, git at `/owner/name.git`, results at `/`. */
  origin: string;
  executor: Executor | undefined;
  /** Says that state changed: it is saved soon. */
  touch(): void;
  nextId(): number;
  /** Absolute path of the bytes of an artifact, asset or cache. */
  blobPath(blob: string): string;
  user(login: string): User;
  /** `ghs_` token of a job; it is also its ACTIONS_RUNTIME_TOKEN (a JWT with the `scp` the clients read). */
  mintToken(options: MintOptions): string;
  revokeToken(value: string): void;
  on(listener: (event: TriggerEvent) => void): void;
  trigger(event: TriggerEvent): void;
  /**
   * The listener is called before the clock reaches `to` and may move it to times in between (`fireSchedules` in
   * `schedule.ts` does, so that each scheduled run starts at its own time).
   */
  onTick(listener: (from: Date, to: Date) => Promise<void> | void): void;
  /** Moves the clock, firing what falls due on the way. */
  moveClock(to: Date): Promise<void>;
  /** Writes the state now instead of soon. */
  save(): Promise<void>;
}
