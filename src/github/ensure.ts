import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { statusOf } from "./client.ts";
import { LIMITS } from "./limits.ts";

/** Option of a request that creates: a lost answer must lead to looking again, never to a blind second creation. */
export const ONCE = { request: { retries: 0 } } as const;

/**
 * Finds a thing or creates it. A creation that failed on GitHub's side, or because somebody else was faster (409,
 * 422), may have taken effect: the thing is looked for again before the next attempt.
 */
export async function ensure<T>(
  find: () => Promise<Result<T | undefined>>,
  create: () => Promise<Result<T>>,
): Promise<Result<{ value: T; created: boolean }>> {
  let last: Result<T> | undefined;
  for (let attempt = 0; attempt < LIMITS.attempts; attempt++) {
    const found = await find();
    if (!found.ok) return found;
    if (found.value !== undefined) return ok({ value: found.value, created: false });
    last = await create();
    if (last.ok) return ok({ value: last.value, created: true });
    const status = statusOf(last) ?? 0;
    if (status < 500 && status !== 409 && status !== 422) return last;
  }
  return last !== undefined && !last.ok
    ? last
    : fail({ code: "external", what: "GitHub", problem: "nothing was tried" });
}
