import { afterAll, beforeAll, test } from "vitest";
import { atOnce, contract } from "./contract.ts";
import { ApiHost, byPush } from "./rigs.ts";

let host: ApiHost;
beforeAll(async () => void (host = await ApiHost.start()));
afterAll(() => host[Symbol.asyncDispose]());

contract("by the API", () => host.rig(), { writers: 3 });

test("50 writers at once by push lose nothing", { timeout: 600_000 }, async () => {
  await using rig = await byPush();
  await atOnce(rig, 50);
});

test("50 writers at once by the API lose nothing", { timeout: 600_000 }, async () => {
  // A person may ask 5,000 times an hour: how often 50 writers meet depends on how busy this machine is.
  await using rig = await host.rig("person");
  await atOnce(rig, 50);
  console.log(`${host.requests(rig.repository).length} requests of 50 writers; a repository's jobs have 1,000 an hour`);
});
