import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request looks like once its body is here. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Closes the connection after this much of the body. */
  readonly cut?: number;
}

/**
 * S3 as far as one bucket in memory: HEAD, GET with ranges, PUT, DELETE, ListObjectsV2. It is strict: a body has to
 * have the SHA-256 that was signed, and a request the date, region and key that it expects. `next` answers requests in
 * place of it; the fields make it a lesser server.
 */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>();
  readonly asked: Asked[] = [];
  /** Answers for the requests to come, in order; undefined lets one pass. */
  readonly next: (Answer | ((asked: Asked) => Answer) | undefined)[] = [];
  /** Headers that it says it does not implement. */
  readonly unknown = new Set<string>();
  checksums = true;
  ranges = true;
  region = "us-east-1";
  accessKey = "AKIDEXAMPLE";
  sessionToken: string | undefined;
  /** How far its clock is ahead, in ms. */
  ahead = 0;
  /** Bytes it keeps of an object. */
  keeps = Infinity;

  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeS3> {
    const fake = new FakeS3();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get methods(): string {
    return this.asked.map(({ method }) => method).join(" ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) parts.push(chunk);
    } catch {
      return; // the client went away
    }
    const url = new URL(request.url ?? "/", this.endpoint);
    const asked: Asked = {
      method: request.method ?? "",
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers as Record<string, string | undefined>,
      body: Buffer.concat(parts),
    };
    this.asked.push(asked);
    const planned = this.next.shift();
    const answer = typeof planned === "function" ? planned(asked) : (planned ?? this.#answer(asked));
    const body = Buffer.from(answer.body ?? "");
    const date = new Date(Date.now() + this.ahead);
    response.sendDate = false;
    response.writeHead(answer.status, { "content-length": body.length, date: date.toUTCString(), ...answer.headers });
    if (asked.method === "HEAD") return void response.end();
    if (answer.cut === undefined) return void response.end(body);
    response.write(body.subarray(0, answer.cut), () => response.socket?.end());
  }

  #answer(asked: Asked): Answer {
    const { method, path, query, headers, body } = asked;
    const unknown = [...this.unknown].find((name) => headers[name] !== undefined);
    if (unknown !== undefined) return refusal(501, "NotImplemented", "A header implies what is not implemented");
    const credential = /Credential=([^/]+)\/\d{8}\/([^/]+)\/s3\/aws4_request/.exec(headers["authorization"] ?? "");
    if (credential?.[1] !== this.accessKey || headers["x-amz-security-token"] !== this.sessionToken) {
      return refusal(403, "InvalidAccessKeyId", "The key id does not exist");
    }
    if (Math.abs(dateOf(headers["x-amz-date"]) - Date.now() - this.ahead) > 15 * 60_000) {
      return refusal(403, "RequestTimeTooSkewed", "The difference between the times is too large");
    }
    if (credential[2] !== this.region) {
      return { ...refusal(301, "PermanentRedirect", "Elsewhere"), headers: { "x-amz-bucket-region": this.region } };
    }
    if (hex(body) !== headers["x-amz-content-sha256"]) return refusal(400, "XAmzContentSHA256Mismatch", "Other bytes");
    if (!path.startsWith("/bucket")) return refusal(404, "NoSuchBucket", "There is no such bucket");
    const name = path.slice("/bucket/".length);
    if (name === "") return this.#list(query.get("prefix") ?? "");
    const there = this.objects.get(name);
    switch (method) {
      case "PUT": {
        if (there !== undefined && headers["if-none-match"] === "*")
          return refusal(412, "PreconditionFailed", "It is there");
        const checksum = headers["x-amz-checksum-sha256"];
        if (checksum !== undefined && checksum !== base64(body)) return refusal(400, "BadDigest", "Other bytes");
        this.objects.set(name, body.subarray(0, this.keeps));
        return { status: 200, headers: this.checksums ? { "x-amz-checksum-sha256": base64(body) } : {} };
      }
      case "DELETE":
        this.objects.delete(name);
        return { status: 204 };
      default:
        return there === undefined ? refusal(404, "NoSuchKey", "There is no such key") : this.#get(there, headers);
    }
  }

  #get(bytes: Buffer, headers: Asked["headers"]): Answer {
    const about = { etag: `"${hex(bytes)}"`, "last-modified": new Date(Date.now() + this.ahead).toUTCString() };
    if ((headers["if-match"] ?? about.etag) !== about.etag) return refusal(412, "PreconditionFailed", "Another");
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers["range"] ?? "") ?? [];
    if (first === undefined || !this.ranges) return { status: 200, headers: about, body: bytes };
    const part = bytes.subarray(Number(first), Number(last) + 1);
    if (part.length === 0) return refusal(416, "InvalidRange", "Past the end");
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`;
    return { status: 206, headers: { ...about, "content-range": range }, body: part };
  }

  #list(prefix: string): Answer {
    const time = new Date().toISOString();
    const contents = [...this.objects]
      .filter(([name]) => name.startsWith(prefix))
      .map(
        ([name, { length }]) =>
          `<Contents><Key>${name}</Key><Size>${length}</Size><LastModified>${time}</LastModified></Contents>`,
      );
    return { status: 200, body: listing(`<IsTruncated>false</IsTruncated>${contents.join("")}`) };
  }
}

export function refusal(status: number, code: string, message: string): Answer & { body: string } {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>` };
}

export function listing(inner: string): string {
  return `<?xml version="1.0"?><ListBucketResult>${inner}</ListBucketResult>`;
}

function hex(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function base64(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}

/** `20260102T030405Z` */
function dateOf(text = ""): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
