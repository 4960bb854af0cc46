import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe } from "vitest";
import type { Context } from "../../../src/core/index.ts";
import { openOci } from "../../../src/store/drivers/oci/index.ts";
import type { OciOptions } from "../../../src/store/drivers/oci/index.ts";
import type { Driver } from "../../../src/store/driver.ts";
import { value } from "../../helpers/value.ts";
import { driverContract, faultContract } from "./contract.ts";
import { Faulty } from "./faulty.ts";
import { missing, Registry } from "./oci-registry.ts";

if (missing.length > 0) console.log(`tests of the oci: store are skipped: ${missing.join(", ")} missing`);

const QUICK: OciOptions = { stallMs: 400, retry: { baseMs: 5 } };

function contextOf(env: Context["env"] = {}, signal?: AbortSignal): Context {
  return {
    cwd: "/",
    env: { HOME: "/nonexistent", PATH: process.env["PATH"], ...env },
    now: () => new Date(),
    fetch: globalThis.fetch,
    emit: () => {},
    ...(signal === undefined ? {} : { signal }),
  };
}

describe.skipIf(missing.length > 0)("the real registry", { timeout: 120_000 }, () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await Registry.start();
  });
  afterAll(async () => registry[Symbol.asyncDispose]());

  const open = (host: string, repository: string, options: OciOptions = {}, signal?: AbortSignal): Driver =>
    value(openOci(contextOf({}, signal), `oci://${host}/${repository}`, options));

  driverContract("oci:", async () => {
    const repository = `acme/${randomUUID()}`;
    const again = (signal?: AbortSignal): Driver => open(registry.host, repository, {}, signal);
    return { driver: again(), again, [Symbol.asyncDispose]: async () => {} };
  });

  faultContract("oci:", async () => {
    const repository = `acme/${randomUUID()}`;
    const proxy = await Faulty.start(`http://${registry.host}`);
    const again = (signal?: AbortSignal): Driver => open(proxy.host, repository, QUICK, signal);
    return {
      driver: again(),
      again,
      proxy,
      reads: { method: "GET", path: /\/blobs\/sha256:/ },
      writes: { method: "PUT", path: /\/blobs\/uploads\// },
      [Symbol.asyncDispose]: async () => proxy[Symbol.asyncDispose](),
    };
  });
});
