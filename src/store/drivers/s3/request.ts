import type { S3Client } from "@aws-sdk/client-s3";
import { fail } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import { isNetworkError, retry, StalledError, troubled } from "../retry.ts";
import type { Outcome, Troubled } from "../retry.ts";
import { judge, plain, s3Error } from "./failure.ts";
import type { Remote } from "./remote.ts";
import { isRegion } from "./url.ts";

/** Watches over one try of a request: its signal ends it when nothing moves, or the context's work is to end. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Something moved. `kept`: the next try need not move it again. */
  moved(kept?: boolean): void;
  /** Waits for what is not S3's: no time limit, and what it throws is thrown on. */
  outside<T>(work: () => T | Promise<T>): Promise<T>;
}

/** What a sink throws passes through the driver, not through the judgement on S3's errors. */
class Foreign extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super("not of the driver", { cause: reason });
    this.reason = reason;
  }
}

/**
 * Does a request until it ends for good. An error that `expect` gives no outcome for is judged by what it is: tried
 * again, or a failure with a hint.
 */
export async function request<T>(
  remote: Remote,
  what: string,
  work: (watch: Watch) => Promise<Outcome<T>>,
  expect: (error: unknown) => Outcome<T> | undefined | Promise<Outcome<T> | undefined> = () => undefined,
  options: Partial<Remote["options"]> = {},
): Promise<Result<T>> {
  const { signal, stallMs, ...retrying } = { ...remote.options, ...options };
  return retry(
    what,
    async () => {
      const stalled = new AbortController();
      const cut = (): void => stalled.abort(new StalledError(stallMs));
      let timer = setTimeout(cut, stallMs);
      let progress = false;
      const { client } = remote;
      const watch: Watch = {
        signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
        moved: (kept = false) => {
          timer.refresh();
          progress ||= kept;
        },
        outside: async (wait) => {
          clearTimeout(timer);
          try {
            return await wait();
          } catch (error) {
            throw new Foreign(error);
          } finally {
            timer = setTimeout(cut, stallMs);
          }
        },
      };
      try {
        return (await withoutCredentials(what, client)) ?? (await work(watch));
      } catch (error) {
        if (error instanceof Foreign) throw error.reason;
        if (signal?.aborted === true) return fail({ code: "interrupted" });
        const outcome = stalled.signal.aborted
          ? undefined
          : ((await redirected(remote, client, error)) ?? (await expect(error)));
        const judged = outcome ?? judge(what, stalled.signal.aborted ? stalled.signal.reason : error);
        return "trouble" in judged ? troubled({ progress, ...judged.trouble }) : judged;
      } finally {
        clearTimeout(timer);
      }
    },
    { ...retrying, signal },
  );
}

/** Why there are no credentials: asked for by itself, since what hinders a chain of providers may be any error. */
async function withoutCredentials(what: string, client: S3Client): Promise<Outcome<never> | undefined> {
  try {
    await client.config.credentials();
    return undefined;
  } catch (error) {
    const problem = `there are no credentials: ${plain(error instanceof Error ? error.message : String(error))}`;
    if (isNetworkError(error)) return troubled({ problem, hint: NO_CREDENTIALS });
    return fail({ code: "external", what, problem, hint: NO_CREDENTIALS });
  }
}

const NO_CREDENTIALS =
  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with AWS_PROFILE, or take a role by OIDC in the workflow (docs/stores/s3.md)";

/**
 * The next try goes to the region that the server names. Not left to the SDK, which would send a body that is already
 * spent, and ask the wrong region each time.
 */
async function redirected(remote: Remote, tried: S3Client, error: unknown): Promise<Troubled | undefined> {
  const { region } = s3Error(error) ?? {};
  if (region === undefined || !isRegion(region) || region === (await tried.config.region())) return undefined;
  if (remote.client === tried) remote.client = remote.connect(region);
  return troubled({ problem: `the bucket is in the region ${region}` });
}
