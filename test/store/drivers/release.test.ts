import { afterAll, beforeAll, expect } from "vitest";
import { driverContract, faultContract } from "./contract.ts";
import type { FaultySubject } from "./contract.ts";
import { ReleaseRig, STORE } from "./release-rig.ts";

let rig: ReleaseRig;
let stores = 0;
beforeAll(async () => {
  rig = await ReleaseRig.start();
});
afterAll(async () => rig[Symbol.asyncDispose]());

/** Each subject is a store of its own in one repository. Whatever was asked must be what GitHub's description takes. */
async function create(): Promise<FaultySubject> {
  rig.rig.sandbox.world.rates.clear();
  const url = `${STORE}?tag=store-${(stores += 1)}`;
  const open = (signal?: AbortSignal) => rig.driver({ url, stallMs: 300, ...(signal === undefined ? {} : { signal }) });
  return {
    driver: open(),
    again: open,
    proxy: rig.proxy,
    reads: { method: "GET", path: /^\/_results\/blobs\// },
    writes: { method: "POST", path: /\/assets\?name=/ },
    async [Symbol.asyncDispose]() {
      rig.proxy.reset();
      expect(rig.rig.openapi.violations()).toEqual([]);
    },
  };
}

driverContract("release", create);
faultContract("release", create);
