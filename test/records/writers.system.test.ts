import { afterAll, beforeAll, expect, test } from "vitest";
import { RATE_LIMITS } from "../../src/sandbox/http/rate.ts";
import { atOnce } from "./contract.ts";
import { ApiHost, byPush } from "./rigs.ts";

let host: ApiHost;
beforeAll(async () => void (host = await ApiHost.start()));
afterAll(() => host[Symbol.asyncDispose]());

test("50 writers at once by push lose nothing", { timeout: 600_000 }, async () => {
  await using rig = await byPush();
  await atOnce(rig, 50);
});

test(
  "50 writers at once by the API lose nothing, within the hour's requests of one repository",
  { timeout: 600_000 },
  async () => {
    await using rig = await host.rig();
    await atOnce(rig, 50);
    const requests = host.requests(rig.repository).length;
    console.log(`${requests} requests for 50 writers`);
    expect(requests).toBeLessThan(RATE_LIMITS.job);
  },
);
