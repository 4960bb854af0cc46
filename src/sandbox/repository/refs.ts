import type { Repository, World } from "../world.ts";
import { git, resolveObject, ZERO } from "./git.ts";
import { refsChanged } from "./push.ts";

/** Who moves a ref. */
export interface Mover {
  readonly login: string;
  readonly byJobToken: boolean;
}

export interface RefChange {
  readonly ref: string;
  /** `ZERO` for a new ref. */
  readonly before: string;
  /** `ZERO` for a deleted ref. */
  readonly after: string;
}

/** Branches and tags by full name; an annotated tag is its tag object. */
export async function listRefs(repository: Repository): Promise<Map<string, string>> {
  const text = await git(repository, ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"]);
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(41), line.slice(0, 40)]),
  );
}

export async function branchHead(repository: Repository, branch: string): Promise<string | undefined> {
  return resolveObject(repository, `refs/heads/${branch}`);
}

const queues = new WeakMap<Repository, Promise<unknown>>();

/**
 * Runs `work`, which may move branches and tags, alone in this repository, and afterwards tells the world what moved:
 * push events, pull requests that follow. Every change of a ref goes through here, by git or by the API.
 */
export async function changeRefs<T>(
  world: World,
  repository: Repository,
  mover: Mover,
  work: () => Promise<T>,
): Promise<T> {
  const turn = (queues.get(repository) ?? Promise.resolve()).then(async () => {
    const before = await listRefs(repository);
    try {
      return await work();
    } finally {
      const after = await listRefs(repository);
      const changes = [...new Set([...before.keys(), ...after.keys()])]
        .map((ref) => ({ ref, before: before.get(ref) ?? ZERO, after: after.get(ref) ?? ZERO }))
        .filter((change) => change.before !== change.after);
      if (changes.length > 0) await refsChanged(world, repository, mover, changes);
    }
  });
  queues.set(
    repository,
    turn.catch(() => {}),
  );
  return turn;
}
