import { fail, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import {
  isNetworkError,
  isTransientStatus,
  networkProblem,
  retry,
  retryAfterMs,
  troubled,
} from "../store/drivers/retry.ts";
import type { Outcome } from "../store/drivers/retry.ts";
import { nameIn } from "./import-origin.ts";
import type { Ask, Look, Origin, Pin, Piece } from "./import-origin.ts";

const REDIRECTS = 10;
/** An answer without bytes takes no longer than this. */
const LOOK_MS = 30_000;
/** Refusals of HEAD by servers that answer GET. */
const NO_HEAD = [400, 403, 405, 501];

interface Reached {
  readonly response: Response;
  /** Where the URL is for good, when the first redirects said so. */
  readonly movedTo: string | undefined;
}

/** A file that a web server has. Redirects are followed, but never from https to http; no credential is sent. */
export function httpOrigin(context: Context, url: URL): Origin {
  const { href } = url;
  return {
    url: href,
    name: url.pathname.endsWith("/") ? "" : nameIn(url.pathname),
    look: async () => retry(href, async () => look(context, url), { signal: context.signal }),
    get: async (_, ask) => get(context, url, ask),
    judge,
  };
}

function judge(_: string, error: unknown): Outcome<never> {
  if (isNetworkError(error)) return troubled({ problem: networkProblem(error), cause: error });
  throw error;
}

async function look(context: Context, url: URL): Promise<Outcome<Look>> {
  const signal = AbortSignal.any([
    AbortSignal.timeout(LOOK_MS),
    ...(context.signal === undefined ? [] : [context.signal]),
  ]);
  try {
    let reached = await follow(context, url, "HEAD", {}, signal);
    if (reached.ok && NO_HEAD.includes(reached.value.response.status)) {
      reached = await follow(context, url, "GET", { range: "bytes=0-0" }, signal);
    }
    if (!reached.ok) return reached;
    const { response, movedTo } = reached.value;
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return ok({ gone: `it answers ${response.status}` });
    // An empty file has no first byte.
    if (!response.ok && response.status !== 416) return refused(context, url, response);
    return ok({ pin: pinOf(response), ...(movedTo === undefined ? {} : { movedTo }) });
  } catch (error) {
    if (context.signal?.aborted === true) return fail({ code: "interrupted" });
    return signal.aborted ? troubled({ problem: `no answer for ${LOOK_MS / 1000} s` }) : judge(url.href, error);
  }
}

async function get(context: Context, url: URL, { offset, pin, signal }: Ask): Promise<Outcome<Piece>> {
  const validator = strong(pin?.etag) ?? pin?.lastModified;
  const from = validator === undefined ? 0 : offset;
  const ranged = from > 0 ? { range: `bytes=${from}-`, "if-range": validator! } : {};
  const reached = await follow(context, url, "GET", ranged, signal);
  if (!reached.ok) return reached;
  const { response } = reached.value;
  const bytes = response.body ?? (async function* () {})();
  const now = pinOf(response);
  if (response.status === 200) return ok({ pin: now, offset: 0, bytes });
  if (response.status === 206 && from > 0) {
    const [, first] = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "") ?? [];
    const same = (now.etag ?? pin?.etag) === pin?.etag && (pin?.size ?? now.size) === now.size;
    if (Number(first) === from && same) return ok({ pin: { ...now, ...pin }, offset: from, bytes });
  }
  await response.body?.cancel();
  if (response.ok || response.status === 416) return troubled({ problem: "it sent other bytes than were asked for" });
  return refused(context, url, response);
}

/** Sends a request and follows where it leads. @throws what the network does. */
async function follow(
  context: Context,
  start: URL,
  method: "GET" | "HEAD",
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result<Reached>> {
  let at = start;
  let permanent = true;
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    // Bytes as they are: with another encoding neither length nor range would be those of the file.
    const asked = { "accept-encoding": "identity", ...headers };
    const response = await context.fetch(at.href, { method, headers: asked, redirect: "manual", signal });
    const to = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get("location") : null;
    if (to === null) {
      const movedTo = shown(at) === shown(start) ? undefined : shown(at);
      return ok({ response, movedTo: permanent ? movedTo : undefined });
    }
    await response.body?.cancel();
    permanent &&= response.status === 301 || response.status === 308;
    const next = URL.parse(to, at.href);
    const problem = next === null ? "no URL" : wrongTurn(at, next);
    if (problem !== undefined) {
      return fail({ code: "external", what: start.href, problem: `it redirects to ${problem}` });
    }
    at = next as URL;
  }
  return fail({ code: "external", what: start.href, problem: `it redirects more than ${REDIRECTS} times` });
}

function wrongTurn(from: URL, to: URL): string | undefined {
  if (to.protocol !== "http:" && to.protocol !== "https:") return `a URL of another kind (${to.protocol})`;
  if (from.protocol === "https:" && to.protocol === "http:") return "http, which is not encrypted";
  return to.username !== "" || to.password !== "" ? "a URL with credentials" : undefined;
}

/** Without what may be signed. */
function shown(url: URL): string {
  return url.origin + url.pathname;
}

function pinOf({ status, headers }: Response): Pin {
  const [etag, lastModified] = [headers.get("etag"), headers.get("last-modified")];
  const encoded = !["", "identity"].includes(headers.get("content-encoding") ?? "");
  const total = status === 206 ? headers.get("content-range")?.split("/")[1] : headers.get("content-length");
  const whole = encoded || status === 416 ? undefined : total;
  return {
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
    ...(whole !== undefined && whole !== null && /^\d{1,15}$/.test(whole) ? { size: Number(whole) } : {}),
  };
}

/** A tag that says byte for byte; undefined for a weak one. */
function strong(etag: string | undefined): string | undefined {
  return etag?.startsWith("W/") === true ? undefined : etag;
}

function refused(context: Context, url: URL, { status, headers }: Response): Outcome<never> {
  const problem = `it answers ${status}`;
  if (isTransientStatus(status)) return troubled({ problem, afterMs: retryAfterMs(headers, context.now()) });
  const hint = adviceOn(status);
  const failure: Failure = { code: "external", what: url.href, problem };
  return fail(hint === undefined ? failure : { ...failure, hint });
}

function adviceOn(status: number): string | undefined {
  if (status === 404 || status === 410) return "it is gone, or the URL is mistyped";
  if (status !== 401 && status !== 403) return undefined;
  return "no credentials are sent to a web server: fetch the file by other means and `lockstep data add` it";
}
