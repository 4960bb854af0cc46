import { fail, ok } from "../../../core/index.ts";
import type { Context, Failed, Result } from "../../../core/index.ts";
import { connect } from "../../../github/client.ts";
import type { GitHub } from "../../../github/client.ts";
import { LIMITS } from "../../../github/limits.ts";
import { isNetworkError, isTransientStatus, networkProblem, retry, retryAfterMs, troubled } from "../retry.ts";
import type { Outcome, RetryOptions } from "../retry.ts";
import { Budget } from "./budget.ts";
import { DEFAULTS } from "./options.ts";
import type { ReleaseOptions } from "./options.ts";
import type { ReleaseAddress } from "./url.ts";
import { Watch } from "./watch.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** JSON; a stream of bytes where `raw` was asked for. */
  readonly data: unknown;
}

export interface Ask {
  /** Object and remote, for failures. */
  readonly what: string;
  /** As in GitHub's description, or a whole URL. */
  readonly route: `${"GET" | "POST" | "DELETE"} ${string}`;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are no failure to the caller, besides those below 300. */
  readonly expect?: readonly number[];
  /** A successful answer's body is left as it is, and redirects are not followed. */
  readonly raw?: boolean;
  /** The caller's own; else the whole request has the time limit of a pause. */
  readonly watch?: Watch;
}

interface RequestError extends Error {
  readonly status: number;
  readonly response?: { readonly headers: Answer["headers"]; readonly data?: unknown };
}

interface Page {
  readonly items: readonly unknown[];
  /** There is a next one. */
  readonly more: boolean;
}

/** GitHub asks for a minute where its answer about a secondary limit says nothing. */
const SECONDARY_MS = 60_000;

/** GitHub's API for one store: every request goes through here, within the budget and with the failures of a driver. */
export class ReleaseApi {
  readonly context: Context;
  readonly options: Required<ReleaseOptions>;
  readonly url: string;
  readonly budget: Budget;
  readonly origin: string;
  readonly #github: GitHub | undefined;
  /** By address: what GitHub said last, so that asking again costs nothing while it is so. */
  readonly #pages = new Map<string, Page & { readonly etag: string }>();

  constructor(context: Context, url: string, address: ReleaseAddress, options: ReleaseOptions) {
    const { env } = context;
    const token = env["GITHUB_TOKEN"] || env["GH_TOKEN"] || "";
    const apiUrl = env["GITHUB_API_URL"] || "https://api.github.com";
    this.context = context;
    this.options = { ...DEFAULTS, ...options };
    this.url = url;
    this.origin = URL.parse(apiUrl)?.origin ?? apiUrl;
    const { writeLimits: limits, sleep } = this.options;
    this.budget = new Budget(context, { url, limits, sleep });
    const repository = `${address.owner}/${address.repository}`;
    // Paced and tried again here: the toolkit's pace is a second for each write, and it knows nothing of the hour's.
    const { fetch, emit } = context;
    this.#github = token === "" ? undefined : connect({ token, apiUrl, repository, fetch, emit, paced: false });
  }

  retry<T>(what: string, work: () => Promise<Outcome<T>>, options: RetryOptions = {}): Promise<Result<T>> {
    return retry(what, work, { ...this.options.retry, ...options, signal: this.context.signal });
  }

  /** Asks until there is an answer. */
  async ask(request: Ask, options?: RetryOptions): Promise<Result<Answer>> {
    return this.retry(request.what, async () => this.once(request), options);
  }

  /** Every item of a list, 100 a page. Undefined: `expect` has the status it was answered with. */
  async list(request: Ask, options?: RetryOptions): Promise<Result<readonly unknown[] | undefined>> {
    const all: unknown[] = [];
    for (let page = 1, more = true; more; page++) {
      const address = `${request.route} ${JSON.stringify(request.parameters)} ${page}`;
      const known = this.#pages.get(address);
      const paged: Ask = {
        ...request,
        parameters: { ...request.parameters, per_page: LIMITS.page, page },
        expect: [...(request.expect ?? []), 304],
        ...(known === undefined ? {} : { headers: { "if-none-match": known.etag } }),
      };
      // oxlint-disable-next-line no-await-in-loop -- that there is a next page is said by this one
      const answer = await this.ask(paged, options);
      if (!answer.ok) return answer;
      const { status, headers, data } = answer.value;
      if (request.expect?.includes(status) === true) return ok(undefined);
      const said = status === 304 ? known : this.#read(address, headers, data);
      if (said === undefined) return this.#failed(request, "GitHub's answer is no list", undefined, undefined);
      const last = Number(/[?&]page=(\d+)[^>]*>; *rel="last"/.exec(headers["link"] ?? "")?.[1] ?? page);
      if (page === 1) this.budget.needs(last - 1, "reading the list of objects");
      all.push(...said.items);
      more = said.more;
    }
    return ok(all);
  }

  #read(address: string, headers: Answer["headers"], data: unknown): Page | undefined {
    if (!Array.isArray(data)) return undefined;
    const said = { items: data as readonly unknown[], more: /rel="next"/.test(headers["link"] ?? "") };
    const { etag } = headers;
    if (etag !== undefined) this.#pages.set(address, { etag, ...said });
    return said;
  }

  /** Asks once. What may pass is trouble; `expect`ed statuses are answers. */
  async once(request: Ask): Promise<Outcome<Answer>> {
    const github = this.#github;
    if (github === undefined) return this.#noToken(request.what);
    await this.budget.turn(request.route.startsWith("POST"));
    using own = new Watch(this.options.stallMs, this.context.signal);
    const watch = request.watch ?? own;
    watch.moved();
    try {
      const answer = await github.octokit.request(request.route, {
        ...(request.route.includes("{owner}") ? { owner: github.owner, repo: github.repo } : {}),
        ...request.parameters,
        headers: { ...request.headers },
        request: {
          signal: watch.signal,
          retries: 0,
          ...(request.raw === true ? { redirect: "manual", parseSuccessResponseBody: false } : {}),
        },
      });
      this.budget.seen(answer.headers);
      return ok(answer as Answer);
    } catch (error) {
      if (this.context.signal?.aborted === true) return fail({ code: "interrupted" });
      return this.#judge(request, error);
    }
  }

  #judge(request: Ask, error: unknown): Outcome<Answer> {
    const { response, status } = error as RequestError;
    if (response === undefined) {
      const caused = error instanceof Error && error.name === "HttpError" ? error.cause : error;
      if (!isNetworkError(caused) && (error as Error).name !== "HttpError") throw error;
      return troubled({ problem: networkProblem(caused), cause: error });
    }
    const { headers, data } = response;
    this.budget.seen(headers);
    if (request.expect?.includes(status) === true) return ok({ status, headers, data });
    const said = (error as RequestError).message.split(" - https://docs.github.com")[0] ?? "";
    const problem = `GitHub answered ${status}${said === "" ? "" : `: ${said}`}`;
    const pause = this.#pause(status, headers, said);
    if (pause !== undefined) {
      if (this.budget.block(pause)) return troubled({ problem, cause: error });
      const hint = `GitHub allows no more requests for ${Math.ceil(pause / 60_000)} min; run again then`;
      return this.#failed(request, problem, hint, error);
    }
    if (isTransientStatus(status)) return troubled({ problem, cause: error });
    return this.#failed(request, problem, this.#hint(request, status), error);
  }

  /** ms for which GitHub wants nothing more; undefined where this is not about a limit. */
  #pause(status: number, headers: Answer["headers"], said: string): number | undefined {
    if (status !== 403 && status !== 429) return undefined;
    const now = this.context.now();
    const wished = retryAfterMs(new Headers({ "retry-after": headers["retry-after"] ?? "" }), now);
    if (wished !== undefined) return wished;
    if (headers["x-ratelimit-remaining"] === "0") {
      return Math.max(0, Number(headers["x-ratelimit-reset"]) * 1000 - now.getTime()) + 1000;
    }
    return status === 429 || /secondary rate/i.test(said) ? SECONDARY_MS : undefined;
  }

  #hint(request: Ask, status: number): string | undefined {
    if (status === 401) return "the token in GITHUB_TOKEN (or GH_TOKEN) is wrong or has expired";
    if (status !== 403 && status !== 404) return undefined;
    const reads = request.route.startsWith("GET");
    const right = reads ? "`contents: read`" : "`contents: write`";
    return `the token must ${reads ? "see" : "write to"} the repository: a job needs \`permissions:\` ${right}`;
  }

  #noToken(what: string): Failed {
    const hint = "a workflow passes it on as `env:` GITHUB_TOKEN: ${{ github.token }}";
    return fail({ code: "external", what, problem: "neither GITHUB_TOKEN nor GH_TOKEN is set", hint });
  }

  #failed({ what }: Ask, problem: string, hint: string | undefined, cause: unknown): Failed {
    return fail({ code: "external", what, problem, ...(hint === undefined ? {} : { hint }), cause });
  }
}
