import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What went through since the proxy began: requests, and bytes of bodies. */
export interface Traffic {
  readonly requests: number;
  readonly sent: number;
  readonly received: number;
}

export interface CountingProxy extends AsyncDisposable {
  readonly url: string;
  traffic(): Traffic;
}

/**
 * Stands between a client and a server on loopback and counts. The Host header goes on as the client sent it, because
 * the signature of an S3 request covers it.
 */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const to = new URL(target);
  let requests = 0;
  let sent = 0;
  let received = 0;
  const server = createServer((incoming, answer) => {
    requests++;
    // `Expect: 100-continue` was answered here already.
    const { expect: _, ...headers } = incoming.headers;
    const onward = request(
      { host: to.hostname, port: to.port, method: incoming.method, path: incoming.url, headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
        response.on("data", (chunk: Buffer) => (received += chunk.length));
        response.on("error", () => answer.destroy());
        response.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    incoming.on("data", (chunk: Buffer) => (sent += chunk.length));
    // Who gives up in the middle must not leave the other side waiting.
    answer.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    traffic: () => ({ requests, sent, received }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
