import type { Token, World } from "../world.ts";
import { ApiError } from "./errors.ts";

/** Requests an hour: of a job's token (shared by all jobs of a repository), of a person, of nobody. */
export const RATE_LIMITS = { job: 1000, person: 5000, anonymous: 60 } as const;
const HOUR_S = 3600;

export interface Rate {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  /** Seconds since the epoch at which the count starts again. */
  readonly reset: number;
}

function owner(token: Token | undefined): { readonly key: string; readonly limit: number } {
  if (token === undefined) return { key: "", limit: RATE_LIMITS.anonymous };
  if (token.repository !== undefined) return { key: `job:${token.repository}`, limit: RATE_LIMITS.job };
  return { key: `person:${token.login}`, limit: RATE_LIMITS.person };
}

/** Where the caller stands, after spending `cost` requests. */
export function spend(world: World, token: Token | undefined, cost: 0 | 1): Rate {
  const { key, limit } = owner(token);
  const now = Math.floor(world.clock.now().getTime() / 1000);
  const known = world.rates.get(key);
  const current = known === undefined || known.resetAt <= now ? { used: 0, resetAt: now + HOUR_S } : known;
  if (cost > 0) {
    current.used += cost;
    world.rates.set(key, current);
  }
  const used = Math.min(current.used, limit);
  return { limit, used, remaining: limit - used, reset: current.resetAt };
}

export function rateHeaders(rate: Rate): Record<string, string> {
  return {
    "x-ratelimit-limit": String(rate.limit),
    "x-ratelimit-remaining": String(rate.remaining),
    "x-ratelimit-used": String(rate.used),
    "x-ratelimit-reset": String(rate.reset),
    "x-ratelimit-resource": "core",
  };
}

/** Takes a request back from the count: an answer of 304 costs nothing. */
export function refund(world: World, token: Token | undefined): Rate {
  const known = world.rates.get(owner(token).key);
  if (known !== undefined) known.used -= 1;
  return spend(world, token, 0);
}

/** True when this request is one too many. */
export function isSpent(world: World, token: Token | undefined): boolean {
  const { key, limit } = owner(token);
  return (world.rates.get(key)?.used ?? 0) > limit;
}

export const rateLimitExceeded = (token: Token | undefined): ApiError =>
  new ApiError(
    403,
    token?.repository === undefined
      ? `API rate limit exceeded for ${token === undefined ? "this address" : `user ID ${token.login}`}.`
      : "API rate limit exceeded for installation.",
  );
