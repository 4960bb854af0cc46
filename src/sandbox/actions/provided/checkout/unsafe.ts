/** What a checkout is about. */
export interface Request {
  readonly eventName: string;
  readonly event: unknown;
  /** `owner/name` of the repository the workflow runs in. */
  readonly own: string;
  readonly repository: string;
  readonly ref: string;
}

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (found, key) => (found !== null && typeof found === "object" ? (found as Record<string, unknown>)[key] : undefined),
    value,
  );

/** Why a checkout would put a fork's code into a job with rights; undefined when it does not. */
export function unsafeReason({ eventName, event, own, repository, ref }: Request): string | undefined {
  const target = eventName === "pull_request_target";
  const follows = eventName === "workflow_run" && String(at(event, "workflow_run", "event")).startsWith("pull_request");
  if (!target && !follows) return undefined;
  const fork = target
    ? at(event, "pull_request", "head", "repo", "full_name")
    : at(event, "workflow_run", "head_repository", "full_name");
  if (fork === own) return undefined;
  const shas = target
    ? [at(event, "pull_request", "head", "sha"), at(event, "pull_request", "merge_commit_sha")]
    : [at(event, "workflow_run", "head_sha")];
  const takesFork = String(fork).toLowerCase() === repository.toLowerCase();
  const takesPull = ref.startsWith("refs/pull/") || (ref !== "" && shas.includes(ref));
  if (!takesFork && !takesPull) return undefined;
  return (
    `Refusing to check out the code of a fork's pull request in a \`${eventName}\` workflow, which has secrets and a ` +
    "token that may write. Set `allow-unsafe-pr-checkout: true` if nothing of it is ever executed."
  );
}
