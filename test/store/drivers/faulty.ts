import { Agent, createServer, request as forward } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What goes wrong with a request. `after` counts bytes of a body. */
export type Fault =
  /** Answered here; the real server never hears of it. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The connection is reset once this much of the request's body has gone to the server. */
  | { readonly kind: "cut-request"; readonly after: number }
  /** The server did its work; the connection is reset before its answer arrives. */
  | { readonly kind: "lose-answer" }
  /** The connection is reset (or, `politely`, closed) after this much of the answer, whose length promises more. */
  | { readonly kind: "cut-response"; readonly after: number; readonly politely?: boolean }
  /** Nothing more arrives after this much of the answer, and the connection stays open. Without `after`: no answer. */
  | { readonly kind: "stall"; readonly after?: number }
  /** The request's body is not taken any further after this many bytes, and the connection stays open. */
  | { readonly kind: "stall-request"; readonly after: number }
  /** A range request is answered with 200 and everything. */
  | { readonly kind: "ignore-range" }
  /** 206 with a `Content-Range` and bytes that were not asked for. */
  | { readonly kind: "wrong-range" }
  /** A complete answer with only this much of the body, and a length that says so. */
  | { readonly kind: "shorten"; readonly to: number }
  /** The same length, with its first byte changed. */
  | { readonly kind: "corrupt" };

export interface Seen {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** 0 while there is none. */
  status: number;
  /** Bytes of the request's body that arrived here. */
  sent: number;
}

export interface When {
  readonly method?: string | readonly string[];
  /** Against path and query. */
  readonly path?: RegExp;
  /** How many matching requests go wrong; 1 unless told. */
  readonly times?: number;
  /** How many matching requests pass first. */
  readonly skip?: number;
}

/**
 * A real reverse proxy on loopback between a driver and a real server, which misbehaves on demand and remembers every
 * request. `Host` is passed on as it came, so that signatures hold and the addresses the server gives lead back here.
 */
export class Faulty {
  readonly requests: Seen[] = [];
  readonly #planned: { fault: Fault; when: When; left: number; skip: number }[] = [];
  readonly #agent = new Agent({ keepAlive: false });
  readonly #server: Server;
  readonly #upstream: URL;

  private constructor(upstream: URL) {
    this.#upstream = upstream;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    // The driver's own time limits are what is tested.
    this.#server.requestTimeout = 0;
    this.#server.headersTimeout = 0;
  }

  static async start(upstream: string | URL): Promise<Faulty> {
    const proxy = new Faulty(new URL(upstream));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** `127.0.0.1:<port>` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** The next requests that match go wrong this way. Faults planned earlier come first. */
  plan(fault: Fault, when: When = {}): void {
    this.#planned.push({ fault, when, left: when.times ?? 1, skip: when.skip ?? 0 });
  }

  /** Nothing planned is left: every fault did strike. */
  get struck(): boolean {
    return this.#planned.every(({ left }) => left <= 0);
  }

  /** Forgets what is planned and what was seen. */
  reset(): void {
    this.#planned.length = 0;
    this.requests.length = 0;
  }

  count(when: Pick<When, "method" | "path"> = {}): number {
    return this.requests.filter((seen) => matches(seen, when)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #next(seen: Seen): Fault | undefined {
    for (const entry of this.#planned) {
      if (entry.left <= 0 || !matches(seen, entry.when)) continue;
      if (entry.skip-- > 0) continue;
      entry.left--;
      return entry.fault;
    }
    return undefined;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: path = "/", headers } = request;
    const seen: Seen = { method, path, headers, status: 0, sent: 0 };
    this.requests.push(seen);
    const fault = this.#next(seen);
    const { socket } = request; // it is gone from the request once it is closed
    request.on("error", () => {});
    response.on("error", () => {});
    if (fault?.kind === "answer") {
      seen.status = fault.status;
      request.resume();
      response.writeHead(fault.status, { connection: "close", ...fault.headers });
      response.end(method === "HEAD" ? undefined : (fault.body ?? ""));
      return;
    }
    if (fault?.kind === "stall" && fault.after === undefined) return void request.resume();
    const changed = fault?.kind === "ignore-range" || fault?.kind === "wrong-range";
    const { range: _range, ...others } = headers;
    const onward = forward({
      host: this.#upstream.hostname,
      port: this.#upstream.port,
      agent: this.#agent,
      method,
      path,
      headers: changed ? others : headers,
    });
    onward.on("error", () => socket.destroy());
    response.on("close", () => onward.destroy());
    onward.on("response", (answer) => void this.#answer(answer, response, seen, fault));
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        const room =
          fault?.kind === "cut-request" || fault?.kind === "stall-request" ? fault.after - seen.sent : Infinity;
        const part = chunk.length > room ? chunk.subarray(0, room) : chunk;
        seen.sent += part.length;
        if (part.length > 0) await new Promise<unknown>((resolve) => onward.write(part, resolve));
        if (chunk.length < room) continue;
        if (fault?.kind === "stall-request") return;
        // A server that reads the rest as an end of the body must not see one: reset on both sides.
        onward.destroy();
        return void socket.destroy();
      }
      if (fault?.kind === "cut-request") return void socket.destroy();
      onward.end();
    } catch {
      onward.destroy(); // the client went away
    }
  }

  async #answer(answer: IncomingMessage, response: ServerResponse, seen: Seen, fault?: Fault): Promise<void> {
    answer.on("error", () => response.socket?.destroy());
    seen.status = answer.statusCode ?? 0;
    if (fault?.kind === "lose-answer") return void response.socket?.destroy();
    if (fault === undefined || fault.kind === "ignore-range") {
      response.writeHead(seen.status, answer.rawHeaders);
      return void answer.pipe(response);
    }
    const parts: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) parts.push(chunk);
    const body = Buffer.concat(parts);
    const headers = { ...answer.headers };
    delete headers["transfer-encoding"];
    switch (fault.kind) {
      case "shorten":
        response.writeHead(seen.status, { ...headers, "content-length": Math.min(fault.to, body.length) });
        return void response.end(body.subarray(0, fault.to));
      case "corrupt": {
        const damaged = Buffer.from(body);
        damaged[0] = (damaged[0] ?? 0) ^ 0xff;
        response.writeHead(seen.status, headers);
        return void response.end(damaged);
      }
      case "wrong-range": {
        const range = `bytes 0-${body.length - 2}/${body.length}`;
        response.writeHead(206, { ...headers, "content-range": range, "content-length": body.length - 1 });
        return void response.end(body.subarray(0, -1));
      }
      case "cut-response":
      case "stall": {
        response.writeHead(seen.status, { ...headers, "content-length": body.length });
        const part = body.subarray(0, fault.after ?? 0);
        await new Promise<unknown>((resolve) => response.write(part.length > 0 ? part : " ".slice(1), resolve));
        response.flushHeaders();
        if (fault.kind === "stall") return;
        return void (fault.politely === true ? response.socket?.end() : response.socket?.resetAndDestroy());
      }
      default:
        response.writeHead(seen.status, headers);
        return void response.end(body);
    }
  }
}

function matches(seen: Seen, { method, path }: Pick<When, "method" | "path">): boolean {
  const methods = method === undefined ? [seen.method] : [method].flat();
  return methods.includes(seen.method) && (path === undefined || path.test(seen.path));
}
