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
    const short = { stallMs: 400, attempts: 4, ...options };
    return {
      driver: open(url, short),
      again: (signal) => open(url, short, signal),
      proxy,
      reads: { method: "GET", path: /blobs/ },
      writes: { method: "PUT", path: /blobs/ },
      [Symbol.asyncDispose]: async () => proxy[Symbol.asyncDispose](),
    };
  };
  faultContract("s3:", async () => faulty({}));
  faultContract("s3: in parts", async () => faulty({ multipartAbove: 0, partSize: PART }));
});
