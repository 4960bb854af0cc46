import { setTimeout as wait } from "node:timers/promises";
import { LIMITS } from "../../../github/limits.ts";
import type { RetryOptions } from "../retry.ts";
import type { WriteLimit } from "./budget.ts";

/** What a test sets, so that limits are met with few requests and nothing is waited for. */
export interface ReleaseOptions {
  readonly retry?: Omit<RetryOptions, "signal">;
  /** A request in which nothing moves for this many ms is cut, and tried again. */
  readonly stallMs?: number;
  /** Assets of a release. */
  readonly perRelease?: number;
  readonly writeLimits?: readonly WriteLimit[];
  /** For so many ms the list is believed when an object is not in it, by who wants it and by who asks whether it is there. */
  readonly recheckMs?: { readonly get: number; readonly stat: number };
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const DEFAULTS = {
  retry: {},
  stallMs: 30_000,
  perRelease: LIMITS.assetsPerRelease,
  /** GitHub's limits on requests that create content. */
  writeLimits: [
    { count: 80, perMs: 60_000 },
    { count: 500, perMs: 3_600_000 },
  ],
  /** A push asks for hundreds of objects that are not there, and what it uploads changes the list each time. */
  recheckMs: { get: 5_000, stat: 60_000 },
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}); // whoever waits looks at the signal
  },
} as const satisfies Required<ReleaseOptions>;
