import { ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";
import { ensure, ONCE } from "./ensure.ts";
import { fitLine, LIMITS } from "./limits.ts";

export interface EnsureDeploymentOptions {
  /** Commit that is deployed. */
  readonly ref: string;
  readonly environment: string;
  /** What is deployed, as `digits@sha256:...`: the same words for the same commit and environment are the same one. */
  readonly fingerprint: string;
  readonly description: string;
  readonly production?: boolean;
  /** Facts beside the fingerprint: model, version, image. */
  readonly payload?: Readonly<Record<string, string | number>>;
}

const TASK = "deploy";

/** Finds or creates the deployment of a fingerprint. No commit status is required: promotion has judged already. */
export async function ensureDeployment(
  gh: GitHub,
  options: EnsureDeploymentOptions,
): Promise<Result<{ id: number; created: boolean }>> {
  const { owner, repo } = gh;
  const { ref, environment, fingerprint } = options;
  const written = await ensure<{ id: number }>(
    async () => {
      const listed = await call(
        gh.octokit.rest.repos.listDeployments({
          owner,
          repo,
          sha: ref,
          environment,
          task: TASK,
          per_page: LIMITS.page,
        }),
      );
      if (!listed.ok) return listed;
      const ours = listed.value.filter((deployment) => fingerprintOf(deployment.payload) === fingerprint);
      return ok(ours.sort((a, b) => a.id - b.id)[0]);
    },
    async () => {
      const made = await call<{ id?: number }>(
        gh.octokit.rest.repos.createDeployment({
          owner,
          repo,
          ref,
          environment,
          task: TASK,
          auto_merge: false,
          required_contexts: [],
          payload: { ...options.payload, fingerprint },
          description: fitLine(options.description, LIMITS.description),
          production_environment: options.production ?? environment === "production",
          ...ONCE,
        }) as Promise<{ data: { id?: number } }>,
      );
      if (!made.ok) return made;
      // 202 has no id and means a merge, which auto_merge: false rules out.
      if (made.value.id === undefined) throw new Error("GitHub merged instead of deploying");
      return ok({ id: made.value.id });
    },
  );
  return written.ok ? ok({ id: written.value.value.id, created: written.value.created }) : written;
}

/** GitHub gives the payload back as the object it got, or, from older clients, as JSON text. */
function fingerprintOf(payload: unknown): unknown {
  if (typeof payload === "object" && payload !== null && "fingerprint" in payload) return payload.fingerprint;
  if (typeof payload !== "string") return undefined;
  try {
    return fingerprintOf(JSON.parse(payload));
  } catch {
    return undefined;
  }
}

export type DeploymentState = "error" | "failure" | "inactive" | "in_progress" | "queued" | "pending" | "success";

export interface DeploymentStatusOptions {
  readonly deployment: number;
  readonly state: DeploymentState;
  readonly description: string;
  readonly environmentUrl?: string;
  readonly logUrl?: string;
}

/** Says how a deployment stands; the same words as the newest status are not said twice. */
export async function deploymentStatus(
  gh: GitHub,
  options: DeploymentStatusOptions,
): Promise<Result<{ id: number; changed: boolean }>> {
  const { owner, repo } = gh;
  const deployment_id = options.deployment;
  const description = fitLine(options.description, LIMITS.description);
  const listed = await call(
    gh.octokit.rest.repos.listDeploymentStatuses({ owner, repo, deployment_id, per_page: LIMITS.page }),
  );
  if (!listed.ok) return listed;
  const newest = listed.value.toSorted((a, b) => b.id - a.id)[0];
  if (
    newest?.state === options.state &&
    newest.description === description &&
    (newest.environment_url ?? "") === (options.environmentUrl ?? "")
  ) {
    return ok({ id: newest.id, changed: false });
  }
  const made = await call(
    gh.octokit.rest.repos.createDeploymentStatus({
      owner,
      repo,
      deployment_id,
      state: options.state,
      description,
      auto_inactive: true,
      ...(options.environmentUrl === undefined ? {} : { environment_url: options.environmentUrl }),
      ...(options.logUrl === undefined ? {} : { log_url: options.logUrl }),
    }),
  );
  return made.ok ? ok({ id: made.value.id, changed: true }) : made;
}
