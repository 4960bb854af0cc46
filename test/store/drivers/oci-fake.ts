import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A registry in memory, as the OCI distribution specification describes it, for what Debian's does not do: tags in
 * pages, uploads that keep half a chunk, blobs and uploads at another host, and the habits of single registries. It
 * refuses a chunk that does not begin where the last one ended.
 */
export class FakeRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Buffer>();
  readonly seen: { readonly method: string; readonly url: string; readonly authorization: string | undefined }[] = [];
  /** Tags of a page. */
  page = 3;
  /** Where the next page is; its own path unless told. */
  link = (last: string): string => `/v2/acme/m/tags/list?n=1000&last=${last}`;
  /** Where blobs are read from, and sent to. */
  elsewhere = "";
  uploadsAt = "";
  /** The connection is cut when an upload has this many bytes, once. */
  cutAt = Infinity;
  /** Bytes of a chunk that are kept, with a `Range` that says so. */
  most = Infinity;
  least = 0;
  /** A `Range` that never moves, as one large registry sends it. */
  stale = false;
  /** Content ranges of the chunks that were taken. */
  readonly chunks: string[] = [];
  connections = 0;
  #upload = Buffer.alloc(0);
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    registry.#server.on("connection", () => registry.connections++);
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers, socket } = request;
    this.seen.push({ method, url, authorization: headers.authorization });
    const { pathname, searchParams } = new URL(url, "http://fake");
    const path = pathname.replace("/v2/acme/m/", "");
    const answer = (status: number, more: Record<string, string | number> = {}, body: Buffer | string = ""): void => {
      response.writeHead(status, { "content-length": body.length, ...more }).end(method === "HEAD" ? undefined : body);
    };
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        size += chunk.length;
        if (this.#upload.length + size < this.cutAt) continue;
        this.cutAt = Infinity;
        this.#upload = Buffer.concat([this.#upload, ...chunks]);
        return void socket.resetAndDestroy();
      }
    } catch {
      return; // the client went away
    }
    const body = Buffer.concat(chunks);
    if (path === "tags/list") return this.#tags(searchParams, answer);
    if (path.startsWith("manifests/")) {
      const tag = path.slice("manifests/".length);
      if (method === "PUT") this.manifests.set(tag, body);
      const found = this.manifests.get(tag);
      if (found !== undefined) return answer(method === "PUT" ? 201 : 200, {}, method === "PUT" ? "" : found);
      // Head and body in two packets, as it happens on a long way.
      response.writeHead(404, { "content-length": UNKNOWN.length }).flushHeaders();
      return void setTimeout(() => response.end(UNKNOWN), 5);
    }
    if (path.startsWith("blobs/sha256:")) {
      const blob = this.blobs.get(path.slice("blobs/".length));
      if (blob === undefined) return answer(404);
      if (this.elsewhere !== "" && method === "GET") return answer(307, { location: `${this.elsewhere}${pathname}` });
      return answer(200, {}, blob);
    }
    return this.#uploads(method, headers, searchParams, body, answer);
  }

  #tags(query: URLSearchParams, answer: Answer): void {
    const tags = [...this.manifests.keys()].sort();
    const from = tags.findIndex((tag) => tag > (query.get("last") ?? ""));
    const page = from < 0 ? [] : tags.slice(from, from + this.page);
    const more = from >= 0 && from + this.page < tags.length;
    const link: Record<string, string> = more ? { link: `<${this.link(page.at(-1) ?? "")}>; rel="next"` } : {};
    answer(200, link, JSON.stringify({ name: "acme/m", tags: page }));
  }

  #uploads(
    method: string,
    headers: IncomingMessage["headers"],
    query: URLSearchParams,
    body: Buffer,
    answer: Answer,
  ): void {
    const location = `${this.uploadsAt}/v2/acme/m/blobs/uploads/one?state=${this.#upload.length}`;
    const range = (): string => `0-${Math.max(0, (this.stale ? 1 : this.#upload.length) - 1)}`;
    switch (method) {
      case "POST":
        this.#upload = Buffer.alloc(0);
        return answer(202, {
          location,
          range: range(),
          ...(this.least > 0 ? { "oci-chunk-min-length": this.least } : {}),
        });
      case "GET":
        return answer(204, { location, range: range() });
      case "PATCH": {
        const sent = String(headers["content-range"]);
        const [first, last] = sent.split("-").map(Number);
        const fits = first === this.#upload.length && (last ?? 0) - (first ?? 0) + 1 === body.length;
        if (!fits) return answer(416, { location, range: range() });
        this.chunks.push(sent);
        this.#upload = Buffer.concat([this.#upload, body.subarray(0, this.most)]);
        return answer(202, { location, range: range() });
      }
      case "PUT": {
        const whole = Buffer.concat([this.#upload, body]);
        const digest = `sha256:${createHash("sha256").update(whole).digest("hex")}`;
        if (digest !== query.get("digest"))
          return answer(400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}');
        this.blobs.set(digest, whole);
        return answer(201);
      }
      default:
        return answer(405);
    }
  }
}

const UNKNOWN = '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}';

type Answer = (status: number, headers?: Record<string, string | number>, body?: Buffer | string) => void;
