import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Context } from "../../../src/core/index.ts";
import type { Body, Driver } from "../../../src/store/driver.ts";
import { openS3 } from "../../../src/store/drivers/s3/index.ts";
import type { S3Options } from "../../../src/store/drivers/s3/index.ts";
import { contextIn } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { bodyFor, bytesOf, driverContract, failureOf, faultContract, inPieces, keyOf, keysOf } from "./contract.ts";
import type { DriverSubject, FaultySubject } from "./contract.ts";
import { Faulty } from "./faulty.ts";
import { S3_PROGRAM, startS3 } from "./s3-server.ts";
import type { S3Server } from "./s3-server.ts";

const PART = 5 * 1024 * 1024; // S3 takes no smaller one

const installed = (() => {
  try {
    execFileSync(S3_PROGRAM, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.log(`s3: suite skipped, ${S3_PROGRAM} is not installed (see .ci/run)`);
    return false;
  }
})();

describe.skipIf(!installed)("s3 driver on a real server", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  const contextWith = (signal?: AbortSignal): Context => {
    const env = { AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: server.secretKey };
    return { ...contextIn("/nowhere", env), ...(signal === undefined ? {} : { signal }) };
  };
  const open = (url: string, options: S3Options = {}, signal?: AbortSignal): Driver =>
    value(openS3(contextWith(signal), url, { baseMs: 5, ...options }));
  const urlOf = async (endpoint = server.endpoint): Promise<string> =>
    `s3://${await server.bucket()}/some/team's%20data?endpoint=${encodeURIComponent(endpoint)}`;

  const subject = async (options: S3Options): Promise<DriverSubject> => {
    const url = await urlOf();
    return {
      driver: open(url, options),
      again: (signal) => open(url, options, signal),
      [Symbol.asyncDispose]: async () => {},
    };
  };
  driverContract("s3:", async () => subject({}));
  driverContract("s3: in parts", async () => ({ ...(await subject({ multipartAbove: 0, partSize: PART })), many: 30 }));

  const faulty = async (options: S3Options): Promise<FaultySubject> => {
    const proxy = await Faulty.start(server.endpoint);
    const url = await urlOf(proxy.url);
    const short = { stallMs: 700, attempts: 4, ...options };
    return {
      driver: open(url, short),
      again: (signal) => open(url, short, signal),
      proxy,
      reads: { method: "GET", path: /blobs/ },
      writes: { method: "PUT", path: /blobs/ },
      [Symbol.asyncDispose]: async () => proxy[Symbol.asyncDispose](),
    };
  };
  faultContract("s3:", async () => faulty({}), { signedRange: true });
  faultContract("s3: in parts", async () => faulty({ multipartAbove: 0, partSize: PART }), { signedRange: true });

  test("a pack is two requests, a part more when it is cut there, and never the whole again", async () => {
    await using subject = await faulty({ multipartAbove: PART, partSize: PART, stallMs: 30_000 });
    const pack = randomBytes(PART);
    value(await subject.driver.put(keyOf(pack), bodyFor(pack)));
    expect(subject.proxy.requests.map(({ method }) => method)).toEqual(["HEAD", "GET", "PUT"]);
    subject.proxy.reset();
    const more = randomBytes(2 * PART + 1);
    subject.proxy.plan({ kind: "cut-request", after: 1_000_000 }, { method: "PUT", path: /partNumber=2/ });
    value(await subject.driver.put(keyOf(more), bodyFor(more)));
    expect(subject.proxy.count({ method: "PUT", path: /partNumber=1/ })).toBe(1);
    expect(subject.proxy.count({ method: "PUT", path: /partNumber=2/ })).toBe(2);
    expect((await bytesOf(subject.again(), keyOf(more)))?.equals(more)).toBe(true);
  });

  const uploads = async (url: string): Promise<number> => {
    const Bucket = new URL(url).hostname;
    return (await server.client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0;
  };

  test("an upload that fails or is interrupted is taken back", async () => {
    const url = await urlOf();
    const options = { multipartAbove: 0, partSize: PART };
    const bytes = randomBytes(3 * PART);
    let seen = 0;
    const endsBadly = (end: () => void): Body => ({
      ...bodyFor(bytes),
      async *read() {
        yield bytes.subarray(0, 2 * PART + 7);
        seen = await uploads(url);
        end();
        yield bytes.subarray(2 * PART + 7);
      },
    });
    const unreadable = endsBadly(() => {
      throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" });
    });
    expect(failureOf(await open(url, options).put(keyOf(bytes), unreadable)).code).toBe("external");
    expect([seen, await uploads(url)]).toEqual([1, 0]);
    const abort = new AbortController();
    const interrupted = endsBadly(() => abort.abort());
    const result = await open(url, options, abort.signal).put(keyOf(bytes), interrupted);
    expect(failureOf(result)).toEqual({ code: "interrupted" });
    expect([seen, await uploads(url)]).toEqual([1, 0]);
  });

  test.each([
    ["one request", {}],
    ["parts", { multipartAbove: 0, partSize: PART }],
  ])("a writer that finds another one's object at the end keeps it, or mends it: %s", async (_, options) => {
    const url = await urlOf();
    const bytes = randomBytes(100_000);
    const overtaken = (by: Buffer): Body => ({
      ...bodyFor(bytes),
      async *read(offset, length) {
        value(await open(url).put(keyOf(bytes), bodyFor(by), { replace: true }));
        yield bytes.subarray(offset, offset + length);
      },
    });
    value(await open(url, options).put(keyOf(bytes), overtaken(bytes)));
    expect((await bytesOf(open(url), keyOf(bytes)))?.equals(bytes)).toBe(true);
    value(await open(url).delete(keyOf(bytes)));
    const half = overtaken(Buffer.from("half an object"));
    let reads = 0;
    const mended: Body = {
      ...bodyFor(bytes),
      read: (offset, length) => (++reads === 1 ? half : bodyFor(bytes)).read(offset, length),
    };
    value(await open(url, options).put(keyOf(bytes), mended));
    expect(reads).toBe(2);
    expect((await bytesOf(open(url), keyOf(bytes)))?.equals(bytes)).toBe(true);
    expect(await uploads(url)).toBe(0);
  });

  test("stores side by side and things of others in a bucket are passed over", async () => {
    const bucket = await server.bucket();
    const endpoint = `?endpoint=${server.endpoint}`;
    const [one, other] = [open(`s3://${bucket}/a${endpoint}`), open(`s3://${bucket}/a/b${endpoint}`)];
    const bytes = Buffer.from("of one");
    value(await one.put(keyOf(bytes), bodyFor(bytes)));
    for (const Key of ["a/v1/blobs/sha256/README", `a/v1/blobs/sha256/x/${"0".repeat(64)}`, "a/v1/gc/x/y"]) {
      await server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "of somebody else" }));
    }
    expect(await keysOf(one, "blobs")).toEqual([keyOf(bytes)]);
    expect(await keysOf(one, "gc")).toEqual([]);
    expect(await keysOf(other, "blobs")).toEqual([]);
    expect(value(await open(`s3://${bucket}${endpoint}`).stat(keyOf(bytes)))).toBeUndefined();
  });

  test("no such bucket is a failure that says so, whatever is asked", async () => {
    const url = `s3://no-such-bucket/x?endpoint=${server.endpoint}`;
    const bytes = Buffer.from("bytes");
    for (const result of [
      await open(url).stat(keyOf(bytes)),
      await open(url).get(keyOf(bytes), () => {}),
      await open(url).put(keyOf(bytes), bodyFor(bytes)),
      await open(url).put(keyOf(bytes), bodyFor(bytes), { replace: true }),
      await open(url, { multipartAbove: 0 }).put(keyOf(bytes), bodyFor(bytes), { replace: true }),
      await open(url).delete(keyOf(bytes)),
    ]) {
      const failure = failureOf(result);
      expect(failure).toMatchObject({ problem: expect.stringContaining("NoSuchBucket") });
      expect(failure.hint).toContain("make the bucket");
    }
    await expect(keysOf(open(url), "blobs")).rejects.toThrow(/NoSuchBucket/);
  });

  test("keys that the server refuses are a failure that says so and shows no secret", async () => {
    const url = await urlOf();
    const key = keyOf(Buffer.from("x"));
    for (const [id, secret] of [
      [server.accessKey, "wrong-secret"],
      ["wrong-key", server.secretKey],
    ]) {
      const env = { AWS_ACCESS_KEY_ID: id!, AWS_SECRET_ACCESS_KEY: secret! };
      const failure = failureOf(await value(openS3(contextIn("/", env), url)).stat(key));
      expect(failure).toMatchObject({ problem: expect.stringMatching(/SignatureDoesNotMatch|XAdminUserNotFound/) });
      expect(failure.hint).toContain("AWS_SECRET_ACCESS_KEY");
      expect(JSON.stringify(failure)).not.toContain(secret);
    }
  });

  test("another region than the server's is found out", async () => {
    const url = `${await urlOf()}&region=eu-west-9`;
    const bytes = randomBytes(50_000);
    value(await open(url).put(keyOf(bytes), inPieces(bytes, [10_000])));
    value(await open(url).put(keyOf(bytes), inPieces(bytes, [10_000]), { replace: true }));
    expect((await bytesOf(open(url), keyOf(bytes)))?.equals(bytes)).toBe(true);
  });
});
