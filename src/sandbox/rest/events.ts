import { branchHead } from "../repository/refs.ts";
import type { Mover } from "../repository/refs.ts";
import type { Repository, TriggerEvent, World } from "../world.ts";
import { fullName, repositoryJson, userJson } from "./shape.ts";

export interface DefaultBranchEvent {
  readonly name: string;
  readonly action?: string;
  /** What the payload holds besides action, repository and sender. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly mover: Mover;
  readonly schedule?: string;
}

/** Triggers an event whose workflow runs are the default branch's, as for comments, issues and schedules. */
export async function triggerOnDefaultBranch(
  world: World,
  repository: Repository,
  event: DefaultBranchEvent,
): Promise<void> {
  const sha = await branchHead(repository, repository.defaultBranch);
  // Without a commit there is no workflow.
  if (sha === undefined) return;
  const action = event.action === undefined ? {} : { action: event.action };
  const trigger: TriggerEvent = {
    name: event.name,
    ...action,
    repository: fullName(repository),
    payload: {
      ...action,
      ...event.payload,
      repository: repositoryJson(world, repository),
      sender: userJson(world, event.mover.login),
    },
    ref: `refs/heads/${repository.defaultBranch}`,
    sha,
    headSha: sha,
    headBranch: repository.defaultBranch,
    headRepository: fullName(repository),
    actor: event.mover.login,
    ...(event.schedule === undefined ? {} : { schedule: event.schedule }),
    byJobToken: event.mover.byJobToken,
  };
  world.trigger(trigger);
}
