/**
 * What a repository of the sandbox holds besides git and workflow runs. Plain data: it is saved as JSON as it is.
 * Times are ISO 8601 in UTC without milliseconds, as GitHub writes them. People are named by login.
 */

export interface User {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Bot" | "Organization";
}

export interface Issue {
  readonly id: number;
  readonly number: number;
  title: string;
  body: string | null;
  state: "open" | "closed";
  stateReason: "completed" | "not_planned" | "reopened" | null;
  readonly user: string;
  labels: string[];
  assignees: string[];
  readonly createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  closedBy: string | null;
  /** Present when its conversation is locked; null: without a reason. */
  lockReason?: string | null;
  /** Present when this issue is a pull request. */
  pull?: Pull;
}

export interface Pull {
  readonly id: number;
  /** `owner/name` where the head branch lives; differs from the repository for a fork. */
  readonly headRepository: string;
  readonly headBranch: string;
  headSha: string;
  baseBranch: string;
  /** Head of the base branch when the pull request was last looked at; for a merged one, what it was merged into. */
  baseSha: string;
  draft: boolean;
  merged: boolean;
  mergedAt: string | null;
  mergedBy: string | null;
  /** Test merge (`refs/pull/N/merge`) while open, the real one once merged; null on conflict. */
  mergeCommitSha: string | null;
  /** False when head and base conflict. */
  mergeable: boolean;
}

export interface Comment {
  readonly id: number;
  /** Number of the issue or pull request. */
  readonly issue: number;
  readonly user: string;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
}

export interface Label {
  readonly id: number;
  name: string;
  color: string;
  description: string | null;
}

export interface CheckAnnotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly start_column: number | null;
  readonly end_column: number | null;
  readonly annotation_level: "notice" | "warning" | "failure";
  readonly message: string;
  readonly title: string | null;
  readonly raw_details: string | null;
}

export interface CheckRun {
  readonly id: number;
  readonly headSha: string;
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  startedAt: string;
  completedAt: string | null;
  detailsUrl: string | null;
  externalId: string;
  output: { title: string | null; summary: string | null; text: string | null };
  annotations: CheckAnnotation[];
}

export interface CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly state: "error" | "failure" | "pending" | "success";
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: string;
  readonly createdAt: string;
}

export interface Release {
  readonly id: number;
  tagName: string;
  target: string;
  name: string | null;
  body: string | null;
  draft: boolean;
  prerelease: boolean;
  /** Published while the repository's setting was on: its tag and its assets stay as they are. */
  immutable?: true;
  readonly author: string;
  readonly createdAt: string;
  updatedAt: string;
  publishedAt: string | null;
  assets: ReleaseAsset[];
}

export interface ReleaseAsset {
  readonly id: number;
  name: string;
  label: string | null;
  readonly contentType: string;
  /** While its bytes are on the way, and for good when they never came; the size is then what was announced. */
  starter?: true;
  size: number;
  /** `sha256:<hex>`; null for a starter, and for what was uploaded before GitHub kept digests. */
  digest: string | null;
  downloads: number;
  readonly uploader: string;
  readonly createdAt: string;
  updatedAt: string;
  /** Name of the file that holds its bytes: `world.blobPath(blob)`; "" for a starter. */
  blob: string;
}

export interface Deployment {
  readonly id: number;
  readonly ref: string;
  readonly sha: string;
  readonly task: string;
  readonly environment: string;
  readonly payload: unknown;
  readonly description: string | null;
  readonly creator: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly transient: boolean;
  readonly production: boolean;
  statuses: DeploymentStatus[];
}

export interface DeploymentStatus {
  readonly id: number;
  readonly state: "error" | "failure" | "inactive" | "in_progress" | "queued" | "pending" | "success";
  readonly description: string;
  readonly environment: string;
  readonly environmentUrl: string;
  readonly logUrl: string;
  readonly creator: string;
  readonly createdAt: string;
}

export interface Artifact {
  readonly id: number;
  readonly runId: number;
  readonly jobId: number;
  readonly name: string;
  readonly size: number;
  readonly digest: string | null;
  readonly contentType: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly blob: string;
}

export interface CacheEntry {
  readonly id: number;
  readonly key: string;
  /** Hash of the cached paths and the compression, made by the client: part of the entry's identity. */
  readonly version: string;
  /** Scope: the ref of the run that saved it. */
  readonly ref: string;
  readonly size: number;
  readonly createdAt: string;
  lastAccessedAt: string;
  readonly blob: string;
}
