import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CreateBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";

/** A real S3 server of its own, with a folder that goes when it ends. */
export interface S3Server {
  /** `http://127.0.0.1:<port>`; path-style. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Where the server keeps its buckets, one folder each. */
  readonly folder: string;
  /** A client with the server's keys. */
  readonly client: S3Client;
  /** Makes a bucket that nobody else uses, and gives its name. */
  bucket(): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What has to be on PATH: `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`. */
export const S3_PROGRAM = "versitygw";

/** Starts the server on a free port of loopback and waits until it answers a signed request. */
export async function startS3(): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-s3-"));
  const [accessKey, secretKey, region] = ["test-access-key", "test-secret-key", "us-east-1"];
  const port = await freePort();
  const server = spawn(S3_PROGRAM, ["--quiet", "--keep-alive", "--port", `127.0.0.1:${port}`, "posix", folder], {
    env: { ...process.env, ROOT_ACCESS_KEY_ID: accessKey, ROOT_SECRET_ACCESS_KEY: secretKey, VGW_REGION: region },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log: Buffer[] = [];
  server.stderr.on("data", (chunk: Buffer) => log.push(chunk));
  let ended = false;
  server.on("error", (error) => log.push(Buffer.from(error.message)));
  const closed = once(server, "close").then(() => (ended = true));
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    maxAttempts: 1,
  });
  const remove = (): void => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", remove); // who starts it may end without disposing of it
  const stop = async (): Promise<void> => {
    process.off("exit", remove);
    client.destroy();
    server.kill("SIGKILL");
    await closed;
    remove();
  };
  const until = Date.now() + 20_000;
  for (;;) {
    try {
      await client.send(new ListBucketsCommand({}));
      break;
    } catch (error) {
      if (!ended && Date.now() < until) {
        await wait(50);
        continue;
      }
      await stop();
      throw new Error(`${S3_PROGRAM} does not answer: ${Buffer.concat(log).toString()}`, { cause: error });
    }
  }
  let buckets = 0;
  return {
    endpoint,
    region,
    accessKey,
    secretKey,
    folder,
    client,
    async bucket() {
      const name = `bucket-${++buckets}`;
      await client.send(new CreateBucketCommand({ Bucket: name }));
      return name;
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
