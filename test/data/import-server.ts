import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a path of the server has. */
export interface Page {
  readonly body: Buffer;
  readonly etag?: string;
  readonly lastModified?: string;
}

/**
 * A web server on loopback that behaves as the better ones do (ETag, Last-Modified, HEAD, Range, If-Range), and worse
 * when a test says so: `fault` is asked before each request, and may answer it itself by giving true.
 */
export interface Web extends AsyncDisposable {
  readonly url: string;
  readonly pages: Map<string, Page>;
  readonly requests: { readonly method: string; readonly path: string; readonly range: string | undefined }[];
  fault: (request: IncomingMessage, response: ServerResponse, page: Page | undefined) => boolean;
}

export async function startWeb(): Promise<Web> {
  const pages = new Map<string, Page>();
  const requests: Web["requests"] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    requests.push({ method: request.method ?? "", path, range: request.headers.range });
    const page = pages.get(path);
    if (web.fault(request, response, page)) return;
    if (page === undefined) return void response.writeHead(404).end();
    serve(request, response, page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const web: Web = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    requests,
    fault: () => false,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return web;
}

export function headersOf({ etag, lastModified }: Page): Record<string, string> {
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { "last-modified": lastModified }),
  };
}

function serve(request: IncomingMessage, response: ServerResponse, page: Page): void {
  const { body } = page;
  const same = [page.etag, page.lastModified].includes(request.headers["if-range"]?.toString() ?? "none");
  const [, first] = /^bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
  const from = first !== undefined && (same || request.headers["if-range"] === undefined) ? Number(first) : 0;
  const part = body.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, {
    ...headersOf(page),
    "content-length": part.length,
    ...(from > 0 ? { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : part);
}
