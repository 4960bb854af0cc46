import { fail, ok } from "../../../core/index.ts";
import type { Result } from "../../../core/index.ts";
import type { Range } from "../../driver.ts";
import { isNetworkError, isTransientStatus, networkProblem, retryAfterMs, troubled } from "../retry.ts";
import type { Outcome } from "../retry.ts";
import type { ReleaseApi } from "./api.ts";
import type { Asset } from "./asset.ts";
import { Watch } from "./watch.ts";

export type Sink = (chunk: Uint8Array) => void | Promise<void>;

/** Where GitHub sends a download to; used again for this long, because each question counts against the token. */
const PLACE_MS = 60_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 5;

interface Source {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** Reads assets: asks the API, follows its redirect without the token, goes on where a cut one ended. */
export class Downloads {
  readonly #api: ReleaseApi;
  readonly #places = new Map<number, { readonly url: string; readonly until: number }>();

  constructor(api: ReleaseApi) {
    this.#api = api;
  }

  /** "gone": the asset is not there any more, and nothing was handed over. */
  async get(asset: Asset, what: string, sink: Sink, range?: Range): Promise<Result<"done" | "gone">> {
    const end = range === undefined ? asset.size : range.offset + range.length;
    if (end > asset.size) return fail({ code: "external", what, problem: `it ends after ${asset.size} bytes` });
    let at = range?.offset ?? 0;
    if (asset.size === 0) return ok("done");
    return this.#api.retry<"done" | "gone">(what, async () => {
      const start = at;
      using watch = new Watch(this.#api.options.stallMs, this.#api.context.signal);
      const thrown: { error?: unknown } = {};
      try {
        const source = await this.#open(asset, what, { at, end }, watch);
        if (!source.ok) return source;
        const { status, header, body } = source.value;
        if (status === 404) return start === (range?.offset ?? 0) ? ok("gone") : gone;
        let skip = status === 206 ? 0 : at;
        if (status === 206 && header("content-range") !== `bytes ${at}-${end - 1}/${asset.size}`) {
          await body?.cancel();
          return troubled({ problem: `bytes ${at} to ${end} were asked for, others came` });
        }
        for await (const chunk of body ?? []) {
          const part = chunk.subarray(skip, skip + end - at);
          skip = Math.max(0, skip - chunk.length);
          watch.moved();
          if (part.length === 0) continue;
          watch.rest(); // a slow sink is not the network's fault
          try {
            await sink(part);
          } catch (error) {
            thrown.error = error;
            throw error;
          }
          watch.moved();
          at += part.length;
          if (at === end) return ok("done");
        }
        return troubled({ problem: `the answer ended ${end - at} bytes early`, progress: at > start });
      } catch (error) {
        if ("error" in thrown) throw error;
        if (this.#api.context.signal?.aborted === true) return fail({ code: "interrupted" });
        const cause = watch.signal.aborted ? (watch.signal.reason as unknown) : error;
        if (!isNetworkError(cause)) throw error;
        return troubled({ problem: networkProblem(cause), cause, progress: at > start });
      }
    });
  }

  async #open(
    asset: Asset,
    what: string,
    { at, end }: { readonly at: number; readonly end: number },
    watch: Watch,
  ): Promise<Outcome<Source>> {
    const range: Record<string, string> = at === 0 && end === asset.size ? {} : { range: `bytes=${at}-${end - 1}` };
    const known = this.#places.get(asset.id);
    let url = known !== undefined && known.until > this.#api.context.now().getTime() ? known.url : undefined;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      // oxlint-disable-next-line no-await-in-loop -- the next address is in this answer
      const outcome = await (url === undefined || new URL(url).origin === this.#api.origin
        ? this.#ask(asset, what, url, range, watch)
        : this.#fetch(asset, url, range, watch));
      if (!outcome.ok) return outcome;
      const source = outcome.value;
      if (!REDIRECTS.has(source.status)) return outcome;
      // oxlint-disable-next-line no-await-in-loop
      await source.body?.cancel();
      const next = URL.parse(source.header("location") ?? "", url ?? this.#api.origin);
      const schemes = this.#api.origin.startsWith("https:") ? ["https:"] : ["https:", "http:"];
      if (next === null || !schemes.includes(next.protocol)) {
        return fail({ code: "external", what, problem: "GitHub redirects to no address that can be used" });
      }
      url = next.href;
      this.#places.set(asset.id, { url, until: this.#api.context.now().getTime() + PLACE_MS });
    }
    return fail({ code: "external", what, problem: "GitHub redirects without end" });
  }

  /** The API, with the token. */
  async #ask(
    asset: Asset,
    what: string,
    url: string | undefined,
    range: Readonly<Record<string, string>>,
    watch: Watch,
  ): Promise<Outcome<Source>> {
    const outcome = await this.#api.once({
      what,
      route: url === undefined ? "GET /repos/{owner}/{repo}/releases/assets/{asset_id}" : `GET ${url}`,
      parameters: url === undefined ? { asset_id: asset.id } : {},
      headers: { accept: "application/octet-stream", ...range },
      expect: [404],
      raw: true,
      watch,
    });
    if (!outcome.ok) return outcome;
    const { status, headers, data } = outcome.value;
    const body = data instanceof ReadableStream ? (data as ReadableStream<Uint8Array>) : null;
    return ok({ status, header: (name) => headers[name], body });
  }

  /** Storage, at an address that carries its own permission: the token is not sent, and what it answers is its own. */
  async #fetch(
    asset: Asset,
    url: string,
    range: Readonly<Record<string, string>>,
    watch: Watch,
  ): Promise<Outcome<Source>> {
    watch.moved();
    const response = await this.#api.context.fetch(url, { headers: range, redirect: "manual", signal: watch.signal });
    const { status, headers, body } = response;
    if (status === 200 || status === 206 || REDIRECTS.has(status)) {
      return ok({ status, header: (name) => headers.get(name) ?? undefined, body });
    }
    await body?.cancel();
    // The address has expired, or is not what it was: GitHub gives a new one.
    if (!isTransientStatus(status)) this.#places.delete(asset.id);
    const afterMs = retryAfterMs(headers, this.#api.context.now());
    return troubled({ problem: `GitHub's storage answered ${status}`, afterMs });
  }
}

const gone = troubled({ problem: "it was deleted while it was read" });
