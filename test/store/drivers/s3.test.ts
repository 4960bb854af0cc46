import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { describe as describeFailure } from "../../../src/core/index.ts";
import type { Failure } from "../../../src/core/index.ts";
import type { Driver } from "../../../src/store/driver.ts";
import { openS3 } from "../../../src/store/drivers/s3/index.ts";
import { parseS3Url } from "../../../src/store/drivers/s3/url.ts";
import { contextIn, temporary } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { bodyFor, bytesOf, failureOf, keyOf, keysOf, nameOf } from "./contract.ts";
import { FakeS3, listing, refusal } from "./s3-fake.ts";

const SECRET = "wJalrXUtnFEMIexampleSecret";
const KEYS = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: SECRET };
const bytes = randomBytes(100_000);
const key = keyOf(bytes);

describe("the URL of an s3: store", () => {
  test.each([
    ["s3://bucket", { bucket: "bucket", prefix: "" }],
    ["s3://My_bucket.x-1/", { bucket: "My_bucket.x-1", prefix: "" }],
    ["s3://bucket/a/b%20c/", { bucket: "bucket", prefix: "a/b c" }],
    [
      "s3://bucket/p?endpoint=http://127.0.0.1:9000&region=eu-west-1&path-style=false",
      { bucket: "bucket", prefix: "p", endpoint: "http://127.0.0.1:9000", region: "eu-west-1", pathStyle: false },
    ],
  ])("%s", (url, place) => {
    expect(value(parseS3Url(url))).toEqual(place);
  });

  test.each([
    ["s3:", "no bucket"],
    ["s3:///prefix", "no bucket"],
    ["s3://b", "no bucket"],
    ["s3://bucket:9000/x", "port"],
    ["s3://bucket/a//b", "odd parts"],
    ["s3://bucket/%2e%2e%2fx", "odd parts"],
    ["s3://bucket/%00", "odd parts"],
    ["s3://bucket/%", "odd parts"],
    [`s3://bucket/${"x".repeat(901)}`, "900 bytes"],
    ["s3://bucket/x#y", "fragment"],
    ["s3://bucket?endpoint=127.0.0.1:9000", "endpoint"],
    ["s3://bucket?endpoint=file:///etc/passwd", "endpoint"],
    ["s3://bucket?region=eu/west", "region"],
    ["s3://bucket?path-style=yes", "path-style"],
    ["s3://bucket?acl=public-read", '"acl"'],
    ["s3://bucket?region=a&region=b", "region twice"],
  ])("%s is refused", (url, problem) => {
    const failure = failureOf(openS3(contextIn("/"), url));
    expect(failure).toMatchObject({ code: "usage", message: expect.stringContaining(problem) });
    expect(failure.hint).toContain("s3://<bucket>");
  });

  test("a password in it is refused, and not repeated", () => {
    for (const url of [`s3://AKID:${SECRET}@bucket/x`, `s3://bucket?endpoint=http://a:${SECRET}@host`]) {
      const failure = failureOf(openS3(contextIn("/"), url));
      expect(failure.code).toBe("usage");
      expect(JSON.stringify(failure)).not.toContain(SECRET);
    }
  });

  test("an endpoint of the environment is held to the same rule", () => {
    const env = { ...KEYS, AWS_ENDPOINT_URL_S3: `http://a:${SECRET}@host` };
    const failure = failureOf(openS3(contextIn("/", env), "s3://bucket"));
    expect(failure).toMatchObject({ code: "usage", message: expect.stringContaining("AWS_ENDPOINT_URL_S3") });
  });
});

describe("the s3 driver and its server", () => {
  let server: FakeS3;
  beforeEach(async () => {
    server = await FakeS3.start();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server[Symbol.asyncDispose]();
  });

  const open = (url = "s3://bucket/data", env: Record<string, string> = KEYS, signal?: AbortSignal): Driver => {
    const context = { ...contextIn("/", { AWS_ENDPOINT_URL: server.endpoint, ...env }), ...(signal && { signal }) };
    return value(openS3(context, url, { baseMs: 1, stallMs: 5_000 }));
  };
  const read = async (driver: Driver): Promise<boolean> => (await bytesOf(driver, key))?.equals(bytes) ?? false;
  const problemOf = (failure: Failure): string => {
    expect(failure.code).toBe("external");
    const text = describeFailure(failure);
    expect(text).toContain(key);
    expect(text).not.toContain(SECRET);
    return text;
  };

  test("a server that is not there is a failure that says what to look at", async () => {
    const driver = open();
    await server[Symbol.asyncDispose]();
    const text = problemOf(failureOf(await driver.stat(key)));
    expect(text).toMatch(/ECONNREFUSED.*\(5 tries\)/);
    expect(text).toContain("endpoint");
    server = await FakeS3.start();
  });

  test("an error of the body's source that is a bug is thrown on", async () => {
    const bug = new RangeError("not of the system");
    const broken = {
      ...bodyFor(bytes),
      // oxlint-disable-next-line require-yield -- it ends before its first byte
      async *read() {
        throw bug;
      },
    };
    await expect(open().put(key, broken)).rejects.toBe(bug);
    expect(server.objects.size).toBe(0);
  });

  test("objects have the names that are documented", async () => {
    const driver = open();
    value(await driver.put(key, bodyFor(bytes)));
    value(await driver.put(`layouts/${"a".repeat(64)}`, bodyFor(Buffer.from("l"))));
    value(await driver.put("gc/mark", bodyFor(Buffer.from("m"))));
    value(await open("s3://bucket").put("gc/mark", bodyFor(Buffer.from("m"))));
    expect([...server.objects.keys()]).toEqual([
      `data/v1/blobs/sha256/${nameOf(bytes).slice(7)}`,
      `data/v1/layouts/sha256/${"a".repeat(64)}`,
      "data/v1/gc/mark",
      "v1/gc/mark",
    ]);
    expect(server.asked.find(({ method }) => method === "PUT")?.headers).toMatchObject({
      "if-none-match": "*",
      "x-amz-content-sha256": nameOf(bytes).slice(7),
    });
  });

  test("a trouble that passes is waited for as long as the server asks", async () => {
    server.objects.set(`data/v1/${key.replace("/", "/sha256/")}`, bytes);
    server.next.push({ ...refusal(503, "SlowDown", "Please reduce your rate"), headers: { "retry-after": "1" } });
    server.next.push(refusal(400, "RequestTimeout", "Your socket was idle"), refusal(500, "InternalError", "Again"));
    const before = performance.now();
    expect(await read(open())).toBe(true);
    expect(performance.now() - before).toBeGreaterThan(990);
    expect(server.methods).toBe("GET GET GET GET");
  });

  test("a clock that is an hour off is corrected, for this and all later requests", async () => {
    for (const ahead of [3_600_000, -3_600_000]) {
      server.ahead = ahead;
      const driver = open();
      const other = randomBytes(10);
      value(await driver.put(keyOf(other), bodyFor(other)));
      const count = server.asked.length;
      value(await driver.stat(keyOf(other)));
      expect(server.asked.length).toBe(count + 1);
    }
  });

  test("another region is asked for once", async () => {
    server.region = "eu-central-2";
    const driver = open("s3://bucket/data?region=us-west-1");
    value(await driver.put(key, bodyFor(bytes), { replace: true }));
    expect(server.methods).toBe("PUT PUT");
    expect(await read(driver)).toBe(true);
    expect(server.methods).toBe("PUT PUT GET");
  });

  test("a server that sends bodies to region after region is not followed for ever", async () => {
    for (let at = 0; at < 50; at++) {
      server.next.push({ ...refusal(301, "PermanentRedirect", "x"), headers: { "x-amz-bucket-region": `r-${at}` } });
    }
    expect(problemOf(failureOf(await open().get(key, () => {})))).toContain("region");
    expect(server.asked.length).toBeLessThan(10);
  });

  test("a server without conditions, and without checksums, gets none", async () => {
    server.unknown.add("if-none-match").add("x-amz-checksum-sha256");
    server.checksums = false;
    const driver = open();
    value(await driver.put(key, bodyFor(bytes)));
    expect(await read(driver)).toBe(true);
    const count = server.asked.length;
    const other = randomBytes(1_000);
    value(await driver.put(keyOf(other), bodyFor(other)));
    expect(server.asked.slice(count).map(({ method }) => method)).toEqual(["HEAD", "PUT", "HEAD"]); // learnt, and proven
  });

  test("a server that accepts a body and keeps less of it is found out", async () => {
    server.checksums = false;
    server.keeps = 500;
    const text = problemOf(failureOf(await open().put(key, bodyFor(bytes))));
    expect(text).toContain("100000 bytes were sent and accepted, but the server holds 500 bytes");
  });

  test("bytes that change on their way are sent again", async () => {
    server.next.push(undefined, undefined, refusal(400, "XAmzContentSHA256Mismatch", "They differ"));
    value(await open().put(key, bodyFor(bytes)));
    expect(server.methods).toBe("HEAD GET PUT HEAD PUT");
    expect(await read(open())).toBe(true);
  });

  test("half a body is completed from where it ends, and only of the same object", async () => {
    const name = `data/v1/${key.replace("/", "/sha256/")}`;
    server.objects.set(name, bytes);
    const head = { "last-modified": new Date().toUTCString(), etag: '"one"' };
    server.next.push({ status: 200, headers: head, body: bytes, cut: 60_000 });
    expect(problemOf(failureOf(await open().get(key, () => {})))).toContain("replaced while it was read");
    expect(server.asked.at(-1)?.headers).toMatchObject({ range: "bytes=60000-99999", "if-match": '"one"' });
  });

  test("an answer with other bytes than were asked for hands nothing over", async () => {
    server.objects.set(`data/v1/${key.replace("/", "/sha256/")}`, bytes);
    server.ranges = false;
    const given: Uint8Array[] = [];
    const range = { offset: 10, length: 20 };
    const everything = failureOf(await open().get(key, (chunk) => void given.push(chunk), range));
    expect(problemOf(everything)).toContain("asked for bytes 10 to 29, got everything");
    server.ranges = true;
    server.next.push({ status: 206, headers: { "content-range": "bytes 11-30/100000" }, body: bytes.subarray(11, 31) });
    server.next.push({ status: 206, headers: { "content-range": "bytes 10-29/100000" }, body: bytes.subarray(10, 20) });
    expect((await bytesOf(open(), key, range))?.equals(bytes.subarray(10, 30))).toBe(true);
    expect(given).toEqual([]);
  });

  test.each([
    [403, "ExpiredToken", "aws sso login"],
    [400, "ExpiredToken", "aws sso login"],
    [403, "AccessDenied", "s3:ListBucket"],
    [403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"],
    [404, "NoSuchBucket", "make the bucket"],
    [400, "AuthorizationHeaderMalformed", "?region="],
  ])("a %s %s is a failure at once, with what to do about it", async (status, code, advice) => {
    const again = (asked: { method: string }) => (asked.method === "HEAD" ? { status } : refusal(status, code, "No."));
    for (const [work, methods] of [
      [(driver: Driver) => driver.stat(key), "HEAD GET"],
      [(driver: Driver) => driver.get(key, () => {}), "GET"],
      [(driver: Driver) => driver.put(key, bodyFor(bytes)), "HEAD GET"],
      [(driver: Driver) => driver.put(key, bodyFor(bytes), { replace: true }), "PUT"],
      [(driver: Driver) => driver.delete(key), "DELETE"],
    ] as const) {
      server.asked.length = 0;
      server.next.splice(0, Infinity, again, again);
      const text = problemOf(failureOf(await work(open())));
      expect(text).toContain(`the server answered ${status}: ${code}`);
      expect(text).toContain(advice);
      expect(server.methods).toBe(methods);
    }
  });

  test.each([
    ["a page of a proxy", { status: 403, body: "<html><hr><body>Please log in<br></body></html>" }],
    ["no body", { status: 404 }],
    ["text", { status: 400, body: "no" }],
  ])("an answer that is not S3's is a failure, not an object that is missing: %s", async (_, answer) => {
    server.next.push(answer, answer, answer);
    expect(problemOf(failureOf(await open().get(key, () => {})))).toContain("without S3's reason");
    expect(problemOf(failureOf(await open().stat(key)))).toContain("without S3's reason");
  });

  test("a server's words are shown on one line", async () => {
    server.next.push(refusal(409, "Odd&#10;Code", `a\u0085b&#10;&#x9b;31m${"long ".repeat(100)}`));
    const { problem } = failureOf(await open().get(key, () => {})) as { problem: string };
    expect(problem).toMatch(/^the server answered 409: Odd Code: a b 31mlong/);
    expect(problem.length).toBeLessThan(350);
  });

  test.each([
    ["an empty answer", { status: 200 }, /no list/],
    ["what is not XML", { status: 200, body: "<html><hr>" }, /without S3's reason/],
    ["more, but not where", { status: 200, body: listing("<IsTruncated>true</IsTruncated>") }, /not where/],
    [
      "an object without its time",
      {
        status: 200,
        body: listing(`<IsTruncated>false</IsTruncated><Contents><Key>data/v1/gc/x</Key><Size>1</Size></Contents>`),
      },
      /when it was written/,
    ],
  ])("a list ends with an error at %s", async (_, answer, problem) => {
    server.next.push(answer);
    await expect(keysOf(open(), "gc")).rejects.toThrow(problem);
  });

  test("a list that goes round ends with an error", async () => {
    const page = {
      status: 200,
      body: listing("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"),
    };
    server.next.push(page, page);
    await expect(keysOf(open(), "gc")).rejects.toThrow(/not where/);
  });

  /** The SDK's own chain reads the environment and files of the process. */
  const nothingElse = (folder: string, env: Record<string, string> = {}): void => {
    for (const name of Object.keys(process.env).filter((name) => name.startsWith("AWS_"))) vi.stubEnv(name, undefined);
    const files = { AWS_CONFIG_FILE: join(folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials") };
    const all = { ...files, AWS_EC2_METADATA_DISABLED: "true", HOME: folder, ...env };
    for (const [name, text] of Object.entries(all)) vi.stubEnv(name, text);
  };

  test("no credentials at all is a failure that says where they may come from", async () => {
    using folder = temporary();
    nothingElse(folder.path);
    const text = problemOf(failureOf(await open(undefined, {}).stat(key)));
    expect(text).toContain("AWS_PROFILE");
    expect(text).toContain("OIDC");
    expect(server.asked).toEqual([]);
  });

  test("no region for AWS itself is a failure before anything is sent", async () => {
    using folder = temporary();
    nothingElse(folder.path);
    const driver = value(openS3(contextIn("/", KEYS), "s3://bucket", { baseMs: 1 }));
    expect(problemOf(failureOf(await driver.stat(key)))).toContain("AWS_REGION");
  });

  test("a profile is taken from the AWS files", async () => {
    using folder = temporary();
    nothingElse(folder.path);
    const profile = `[team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = ${SECRET}\n`;
    writeFileSync(join(folder.path, "credentials"), profile);
    server.accessKey = "AKIDTEAM";
    value(await open(undefined, { AWS_PROFILE: "team" }).put(key, bodyFor(bytes)));
    expect(await read(open(undefined, { AWS_PROFILE: "team" }))).toBe(true);
  });

  test("a workflow's OIDC token is exchanged for the keys of a role", async () => {
    using folder = temporary();
    writeFileSync(join(folder.path, "token"), "an.oidc.token");
    const exchanged: URLSearchParams[] = [];
    const answers = [
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>${SECRET}</SecretAccessKey><SessionToken>session-token</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>`,
    ];
    const sts = createServer((request, response) => {
      void (async () => {
        exchanged.push(new URLSearchParams((await request.toArray()).join("")));
        const answer = answers.shift() ?? "";
        response.writeHead(answer.includes("<Error>") ? 403 : 200, { "content-type": "text/xml" }).end(answer);
      })();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => sts.once("listening", resolve));
    try {
      nothingElse(folder.path, {
        AWS_WEB_IDENTITY_TOKEN_FILE: join(folder.path, "token"),
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/lockstep",
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
      });
      [server.accessKey, server.sessionToken] = ["ASIAROLE", "session-token"];
      const driver = open(undefined, {});
      value(await driver.put(key, bodyFor(bytes)));
      expect(await read(driver)).toBe(true);
      expect(exchanged.map((form) => form.get("WebIdentityToken"))).toEqual(["an.oidc.token"]); // once, then kept
      const refused = problemOf(failureOf(await open(undefined, {}).stat(key)));
      expect(refused).toContain("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    } finally {
      sts.close();
    }
  });
});
