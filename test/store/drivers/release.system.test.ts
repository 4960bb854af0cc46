import { afterAll, beforeAll } from "vitest";
import { driverContract } from "./contract.ts";
import { ReleaseRig } from "./release-rig.ts";

let rig: ReleaseRig;
beforeAll(async () => {
  rig = await ReleaseRig.start();
});
afterAll(async () => rig[Symbol.asyncDispose]());

driverContract("release", async () => rig.subject(10_000));
