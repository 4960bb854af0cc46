import { afterAll, beforeAll, expect } from "vitest";
import { driverContract, faultContract } from "./contract.ts";
import type { FaultySubject } from "./contract.ts";
import { ReleaseRig } from "./release-rig.ts";

let rig: ReleaseRig;
beforeAll(async () => {
  rig = await ReleaseRig.start();
});
afterAll(async () => rig[Symbol.asyncDispose]());

/** Each subject is a store of its own in one repository. Whatever was asked must be what GitHub's description takes. */
async function create(stallMs: number): Promise<FaultySubject> {
  const { url } = rig.next();
  const open = (signal?: AbortSignal) => rig.driver({ url, stallMs, world: signal === undefined ? {} : { signal } });
  return {
    driver: open(),
    again: open,
    proxy: rig.proxy,
    reads: { method: "GET", path: /^\/_results\/blobs\// },
    writes: { method: "POST", path: /\/assets\?name=/ },
    async [Symbol.asyncDispose]() {
      expect(rig.rig.openapi.violations()).toEqual([]);
    },
  };
}

driverContract("release", async () => create(10_000));
faultContract("release", async () => create(400));
