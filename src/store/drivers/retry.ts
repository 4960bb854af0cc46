import { setTimeout as wait } from "node:timers/promises";
import { fail } from "../../core/index.ts";
import type { Failure, Result } from "../../core/index.ts";

/** How often, and after which pauses, something is tried again. */
export interface RetryOptions {
  /** Tries in a row without progress, the first one included. */
  readonly attempts?: number;
  /** Mean of the first pause in ms; each next one is twice as long. */
  readonly baseMs?: number;
  /** No pause is longer, whatever the remote asks for. */
  readonly capMs?: number;
  /** From 0 to 1: spreads the pauses of many clients that failed at the same moment. */
  readonly random?: () => number;
  readonly signal?: AbortSignal | undefined;
}

/** Something that may pass: worth another try. */
export interface Trouble {
  /** What a user reads when no try is left. */
  readonly problem: string;
  readonly hint?: string;
  readonly cause?: unknown;
  /** The remote's own wish (`Retry-After`), in ms. */
  readonly afterMs?: number | undefined;
  /** This try brought the work forward, so that the tries are counted anew. */
  readonly progress?: boolean;
}

/** How one try ended: for good, whichever way, or with trouble. */
export type Outcome<T> = Result<T> | Troubled;
export interface Troubled {
  readonly ok: false;
  readonly trouble: Trouble;
}

export function troubled(trouble: Trouble): Troubled {
  return { ok: false, trouble };
}

/** Tries until it ends for good. `what` names the object and the remote in the failure of the last try. */
export async function retry<T>(
  what: string,
  work: () => Promise<Outcome<T>>,
  { attempts = 5, baseMs = 400, capMs = 60_000, random = Math.random, signal }: RetryOptions = {},
): Promise<Result<T>> {
  const interrupted = (): boolean => signal?.aborted ?? false;
  for (let failed = 0; ;) {
    if (interrupted()) return fail({ code: "interrupted" });
    // oxlint-disable-next-line no-await-in-loop -- a try follows another
    const outcome = await work();
    if (!("trouble" in outcome)) return outcome;
    if (interrupted()) return fail({ code: "interrupted" });
    const { trouble } = outcome;
    failed = trouble.progress === true ? 1 : failed + 1;
    if (failed >= attempts) return fail(exhausted(what, attempts, trouble));
    const backoff = baseMs * 2 ** (failed - 1) * (0.5 + random());
    // oxlint-disable-next-line no-await-in-loop -- the pause is the point; an abort ends it and is seen above
    await wait(Math.min(capMs, Math.max(backoff, trouble.afterMs ?? 0)), undefined, { signal }).catch(() => {});
  }
}

function exhausted(what: string, attempts: number, { problem, hint, cause }: Trouble): Failure {
  const advice = hint ?? "run the same command again; what was transferred is kept";
  return { code: "external", what, problem: `${problem} (${attempts} tries)`, hint: advice, cause };
}

/** True for an answer that another try may change: 408, 429 and 5xx but those that say "never". */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** `Retry-After` in ms, where there is one that can be read: seconds or an HTTP date. */
export function retryAfterMs(headers: Headers, now: Date): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

const NETWORK = /^(E(CONN|HOST|NET|PIPE|AI_AGAIN|NOTFOUND|TIMEDOUT|PROTO|ADDR)|UND_ERR_|HPE_|EAI_AGAIN)/;

/**
 * True for what `fetch` throws when the network fails. It wraps the system's error in a TypeError, and a body that
 * ends early in another; a bug of ours is a TypeError without such a cause.
 */
export function isNetworkError(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof StalledError) return true;
    if (NETWORK.test(String((at as NodeJS.ErrnoException).code ?? ""))) return true;
    if (at instanceof AggregateError && at.errors.some(isNetworkError)) return true;
  }
  return error instanceof TypeError && (error.message === "fetch failed" || error.message === "terminated");
}

/** The deepest message of a network error: `fetch failed` alone tells a user nothing. */
export function networkProblem(error: unknown): string {
  let at = error;
  for (let depth = 0; at instanceof Error && at.cause instanceof Error && depth < 5; depth++) at = at.cause;
  if (at instanceof AggregateError && at.errors[0] instanceof Error) at = at.errors[0];
  return at instanceof Error ? at.message : String(at);
}

/** A transfer in which nothing moved for too long. */
export class StalledError extends Error {
  constructor(ms: number) {
    super(`nothing moved for ${ms / 1000} s`);
    this.name = "StalledError";
  }
}
