import { getOctokit } from "@actions/github";
import { defaults } from "@actions/github/lib/utils";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { fail, ok } from "../core/index.ts";
import type { ProgressEvent, Result } from "../core/index.ts";

/** The REST version every request names. GitHub keeps it until 2028; without the header the default may move. */
export const API_VERSION = "2022-11-28";
/** Who writes with the token that a job gets from Actions. */
export const ACTIONS_BOT = "github-actions[bot]";

type Octokit = ReturnType<typeof getOctokit>;

/** One repository on GitHub, seen with one token. Every function of this folder takes one. */
export interface GitHub {
  readonly octokit: Octokit;
  readonly owner: string;
  readonly repo: string;
  /** Requests sent so far, retries and redirects included. */
  readonly requests: number;
  /** Requests that the token has left, as the last answer said; undefined before the first. */
  readonly remaining: number | undefined;
  /** Login of the token's owner: things of other authors are never taken for ours. Learnt when something is created. */
  login: string;
  readonly fetch: typeof globalThis.fetch;
  readonly emit: (event: ProgressEvent) => void;
}

export interface ConnectOptions {
  readonly token: string;
  /** As in `GITHUB_API_URL`. */
  readonly apiUrl: string;
  /** `owner/name` */
  readonly repository: string;
  /** Login the token writes as; an installed App has its own (`my-app[bot]`). */
  readonly login?: string;
  readonly userAgent?: string;
  /** Absent: the toolkit's own, which honours the runner's proxy settings. */
  readonly fetch?: typeof globalThis.fetch;
  /** False sends writes without the pause of a second that GitHub asks for between them. */
  readonly paced?: boolean;
  readonly emit: (event: ProgressEvent) => void;
}

/** Makes the client; sends nothing. */
export function connect(options: ConnectOptions): GitHub {
  const [owner = "", repo = ""] = options.repository.split("/");
  const send = options.fetch ?? (defaults.request?.fetch as typeof globalThis.fetch);
  let requests = 0;
  let remaining: number | undefined;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests += 1;
    const response = await send(input, init);
    const left = response.headers.get("x-ratelimit-remaining");
    if (left !== null) remaining = Number(left);
    return response;
  };
  const waits = (what: string) => (seconds: number, request: object, _: unknown, retries: number) => {
    const { method, url } = request as { method: string; url: string };
    const again = retries < 2 && seconds <= 120;
    options.emit({
      type: "warning",
      message: `GitHub's ${what} is reached at ${method} ${url}; ${again ? `again in ${seconds} s` : "given up"}`,
    });
    return again;
  };
  const octokit = getOctokit(
    options.token,
    {
      baseUrl: options.apiUrl.replace(/\/$/, ""),
      userAgent: options.userAgent ?? "lockstep",
      request: { fetch },
      log: { debug() {}, info() {}, warn: (message: string) => options.emit({ type: "warning", message }), error() {} },
      throttle: {
        enabled: options.paced ?? true,
        onRateLimit: waits("rate limit"),
        onSecondaryRateLimit: waits("secondary rate limit"),
      },
    },
    retry as never,
    throttling as never,
  );
  octokit.hook.before("request", (request) => {
    request.headers["x-github-api-version"] = API_VERSION;
  });
  return {
    octokit,
    owner,
    repo,
    get requests() {
      return requests;
    },
    get remaining() {
      return remaining;
    },
    login: options.login ?? ACTIONS_BOT,
    fetch,
    emit: options.emit,
  };
}

interface RequestError {
  readonly status: number;
  readonly message: string;
  readonly request: { readonly method: string; readonly url: string };
  readonly response?: { readonly headers: Record<string, string | undefined> };
}

function isRequestError(error: unknown): error is RequestError {
  return error instanceof Error && error.name === "HttpError" && "request" in error;
}

/** Awaits a request; what GitHub (or the network) refuses comes back as a failure of code "github", a bug is thrown. */
export async function call<T>(request: Promise<{ data: T }>): Promise<Result<T>> {
  try {
    return ok((await request).data);
  } catch (error) {
    if (!isRequestError(error)) throw error;
    return fail({
      code: "github",
      method: error.request.method,
      url: error.request.url,
      status: error.status,
      message: error.message.split(" - https://docs.github.com")[0] ?? error.message,
      ...hintFor(error.status, error.response?.headers ?? {}),
      cause: error,
    });
  }
}

function hintFor(status: number, headers: Record<string, string | undefined>): { hint: string } | undefined {
  const accepted = headers["x-accepted-github-permissions"];
  if (status === 401) return { hint: "the token is wrong or has expired" };
  if (status !== 403 && status !== 404) return undefined;
  if (status === 403 && headers["x-ratelimit-remaining"] === "0") {
    return { hint: "the token's requests of this hour are used up; the jobs of a repository share them" };
  }
  if (accepted !== undefined && accepted !== "") return { hint: `the job needs \`permissions:\` ${accepted}` };
  return status === 403 ? { hint: "the job's `permissions:` lack a right; the action's README lists them" } : undefined;
}

/** The HTTP status of a failed call; undefined for a success or another kind of failure. */
export function statusOf(result: Result<unknown>): number | undefined {
  if (result.ok) return undefined;
  const [failure] = result.failures;
  return failure.code === "github" ? failure.status : undefined;
}
