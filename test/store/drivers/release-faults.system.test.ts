import { afterAll, beforeAll } from "vitest";
import { faultContract } from "./contract.ts";
import { ReleaseRig } from "./release-rig.ts";

let rig: ReleaseRig;
beforeAll(async () => {
  rig = await ReleaseRig.start();
});
afterAll(async () => rig[Symbol.asyncDispose]());

faultContract("release", async () => rig.subject(400));
