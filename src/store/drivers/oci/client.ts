import { fail, isSystemError, ok } from "../../../core/index.ts";
import type { Context, Failure, Result } from "../../../core/index.ts";
import { isNetworkError, isTransientStatus, networkProblem, retry, retryAfterMs, troubled } from "../retry.ts";
import { StalledError } from "../retry.ts";
import type { Outcome, RetryOptions } from "../retry.ts";
import type { Address } from "./address.ts";
import { createAuthorization, limitedText, loginHint } from "./authorization.ts";
import type { Access } from "./authorization.ts";

/** Bytes of a request, made anew for every time it is sent. */
export interface Upload {
  /** Bytes. */
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

export interface Call {
  /** Names object and remote in failures. */
  readonly what: string;
  readonly access: Access;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/v2/<repository>/`, or where the registry said. */
  readonly at: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly upload?: Upload;
}

/** The clock of one exchange: it cuts it when nothing moves. It stands still while nothing is asked of the network. */
export interface Watch {
  moved(): void;
  hold(): void;
}

export interface ClientOptions {
  /** ms without progress after which a request is cut; 30,000 unless told. */
  readonly stallMs?: number;
  readonly retry?: Pick<RetryOptions, "attempts" | "baseMs" | "random">;
}

/** Requests to one repository of one registry: authorized, watched, and what goes wrong told apart. */
export interface Client {
  readonly address: Address;
  /**
   * Sends once. `handle` says what an answer means (5xx and the like never get to it) and reads what it wants of the
   * body; what it throws other than network errors is thrown on.
   */
  once<T>(
    call: Call,
    handle: (response: Response, watch: Watch) => Promise<Outcome<T>> | Outcome<T>,
  ): Promise<Outcome<T>>;
  /** Tries, within bounds, until it ends for good. */
  retry<T>(what: string, work: () => Promise<Outcome<T>>): Promise<Result<T>>;
  /** Now, by the registry's clock as far as it has told it. */
  now(): Date;
}

const ERROR_TEXT = 16 * 1024;

export function createClient(context: Context, address: Address, options: ClientOptions = {}): Client {
  const { stallMs = 30_000 } = options;
  const authorization = createAuthorization(context, address, stallMs);
  let skewMs = 0;

  const send = async (call: Call, header: string | undefined, state: Exchange): Promise<Response> => {
    const url = urlOf(address, call.at);
    const { upload } = call;
    const response = await context.fetch(url, {
      method: call.method,
      headers: {
        // A body that is compressed on the way has another length than the object.
        "accept-encoding": "identity",
        "user-agent": "lockstep",
        ...call.headers,
        ...(upload === undefined ? {} : { "content-length": String(upload.size) }),
        ...(header === undefined ? {} : { authorization: header }),
      },
      ...(upload === undefined || upload.size === 0 ? {} : { body: state.body(upload), duplex: "half" }),
      // A registry may send a reader to its storage; fetch leaves the credentials behind then.
      redirect: call.method === "GET" || call.method === "HEAD" ? "follow" : "manual",
      credentials: "omit",
      signal: state.signal,
    } as RequestInit);
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date) && !response.redirected) skewMs = date - context.now().getTime();
    return response;
  };

  const once: Client["once"] = async (call, handle) => {
    const state = new Exchange(stallMs, context.signal);
    try {
      const ours = urlOf(address, call.at).origin === address.origin;
      const header = ours ? await authorization.header(call.access) : ok(undefined);
      if (!header.ok) return header;
      state.moved();
      let response = await send(call, header.value, state);
      if (response.status === 401 && ours) {
        const renewed = await authorization.renew(call.access, response.headers.get("www-authenticate"), header.value);
        if (!renewed.ok) return renewed;
        if (renewed.value !== undefined) {
          await drain(response);
          state.moved();
          response = await send(call, renewed.value, state);
        }
      }
      state.moved();
      if (isTransientStatus(response.status)) {
        const afterMs = retryAfterMs(response.headers, context.now());
        return troubled({ problem: `${call.method} was answered with ${await said(response, state)}`, afterMs });
      }
      const outcome = await handle(response, state);
      await drain(response);
      return outcome;
    } catch (error) {
      return failed(call, error, state);
    } finally {
      state.end();
    }
  };

  const failed = (call: Call, error: unknown, state: Exchange): Outcome<never> => {
    if (state.source !== undefined) {
      const cause = state.source.error;
      if (cause instanceof WrongLength || isSystemError(cause)) {
        return fail({ code: "external", what: call.what, problem: cause.message, cause });
      }
      throw cause;
    }
    if (context.signal?.aborted === true) return fail({ code: "interrupted" });
    const seen = state.signal.aborted ? state.signal.reason : error;
    if (!isNetworkError(seen)) throw error;
    return troubled({ problem: `${call.method}: ${networkProblem(seen)}`, cause: error });
  };

  return {
    address,
    once,
    retry: async (what, work) => retry(what, work, { ...options.retry, signal: context.signal }),
    now: () => new Date(context.now().getTime() + skewMs),
  };
}

/** The failure of an answer that another try will not change. */
export async function refused(client: Client, call: Call, response: Response, watch: Watch): Promise<Outcome<never>> {
  const text = await said(response, watch);
  return fail(refusal(client.address, call, response.status, text));
}

function refusal(address: Address, { what, method }: Call, status: number, text: string): Failure {
  const problem = `${method} was answered with ${text}`;
  const hint = {
    401: loginHint(address),
    403: `these credentials may not do that in ${address.repository}; ${loginHint(address)}`,
    404: `is ${address.repository} a repository of ${address.registry}, and may it be read?`,
    413: "a proxy before the registry limits the size of requests",
  }[status];
  return { code: "external", what, problem, ...(hint === undefined ? {} : { hint }) };
}

const CONTROL = /\p{Cc}+/gu;

/** Status and the registry's own words, which are not trusted to be short or fit for a terminal. */
async function said(response: Response, watch: Watch): Promise<string> {
  const text = await limitedText(response, ERROR_TEXT, () => watch.moved());
  let words = "";
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    words = (errors ?? []).map(({ code, message }) => `${String(code)}: ${String(message)}`).join("; ");
  } catch {
    // Not a registry's error: a proxy's page says nothing that helps.
  }
  return `${response.status} ${words.replace(CONTROL, " ").slice(0, 300)}`.trim();
}

/** Reads what nobody wants, where it is short: a connection with an unread answer cannot be used again. */
async function drain(response: Response): Promise<void> {
  if (response.bodyUsed || Number(response.headers.get("content-length") ?? Infinity) > ERROR_TEXT) return;
  await response.arrayBuffer().catch(() => {}); // it was not wanted
}

/** Where a request goes. A registry behind a proxy that ends TLS often says http: of itself. */
function urlOf({ origin, repository }: Address, at: string | URL): URL {
  if (typeof at === "string") return new URL(`/v2/${repository}/${at}`, origin);
  const url = new URL(at);
  const own = new URL(origin);
  if (url.protocol === "http:" && own.protocol === "https:" && url.hostname === own.hostname) {
    url.protocol = "https:";
    url.port = own.port;
  }
  return url;
}

class WrongLength extends Error {}

/** One request and its answer, as far as the time limit and the source of its bytes are concerned. */
class Exchange implements Watch {
  /** What reading the bytes to be sent threw. */
  source: { readonly error: unknown } | undefined;
  readonly signal: AbortSignal;
  readonly #stall = new AbortController();
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(stallMs: number, signal: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.signal = signal === undefined ? this.#stall.signal : AbortSignal.any([signal, this.#stall.signal]);
  }

  moved(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stall.abort(new StalledError(this.#stallMs)), this.#stallMs);
  }

  hold(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the connection too, where an answer was not read to its end. */
  end(): void {
    clearTimeout(this.#timer);
    this.#stall.abort();
  }

  body({ size, open }: Upload): ReadableStream<Uint8Array> {
    return ReadableStream.from(this.#counted(size, open));
  }

  async *#counted(size: number, open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let sent = 0;
    try {
      for await (const chunk of open()) {
        sent += chunk.length;
        if (sent > size) throw new WrongLength(`more than the ${size} bytes that were announced came`);
        this.moved();
        yield chunk;
        this.hold();
      }
      if (sent < size) throw new WrongLength(`${sent} bytes came, not the ${size} that were announced`);
    } catch (error) {
      this.source = { error };
      throw error;
    }
    this.moved();
  }
}
