import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Context } from "../../../src/core/index.ts";
import { Budget } from "../../../src/store/drivers/release/budget.ts";
import type { WriteLimit } from "../../../src/store/drivers/release/budget.ts";
import { value } from "../../helpers/value.ts";
import { bodyFor, failureOf, keyOf, keysOf } from "./contract.ts";
import { ReleaseRig } from "./release-rig.ts";

/** A budget whose clock moves only by waiting. */
function budget(limits: readonly WriteLimit[]) {
  const start = Date.parse("2026-01-01T10:00:00Z");
  let now = start;
  const said: string[] = [];
  const context: Context = {
    cwd: "/",
    env: {},
    now: () => new Date(now),
    fetch,
    emit: (event) => said.push("message" in event ? event.message : event.type),
  };
  const sleep = async (ms: number): Promise<void> => void (now += ms);
  const made = new Budget(context, { url: "release://a/b", limits, sleep });
  return { budget: made, said, elapsed: () => now - start };
}

const rate = (remaining: number, resetAt: string): Record<string, string> => ({
  "x-ratelimit-limit": "1000",
  "x-ratelimit-remaining": String(remaining),
  "x-ratelimit-reset": String(Date.parse(resetAt) / 1000),
});

describe("the budget", () => {
  test("spreads what creates content, by the minute and by the hour, and nothing else", async () => {
    const minute = { count: 3, perMs: 60_000 };
    const { budget: subject, elapsed } = budget([minute, { count: 7, perMs: 3_600_000 }]);
    const at: number[] = [];
    for (let count = 0; count < 8; count++) {
      await subject.turn(true);
      at.push(elapsed() / 60_000);
      await subject.turn(false);
    }
    expect(at).toEqual([0, 0, 0, 1, 1, 1, 2, 60]);
  });

  test("says that it waits, and for how long, once for all that wait", async () => {
    const { budget: subject, said } = budget([{ count: 1, perMs: 1_800_000 }]);
    for (let count = 0; count < 3; count++) await subject.turn(true);
    expect(said).toEqual([
      "release://a/b: GitHub takes no more uploads for now; goes on in 30 min",
      "release://a/b: GitHub takes no more uploads for now; goes on in 30 min",
    ]);
  });

  test("makes everything wait while GitHub wants a pause, but not for hours", async () => {
    const { budget: subject, elapsed, said } = budget([]);
    expect(subject.block(90_000)).toBe(true);
    await subject.turn(false);
    expect(elapsed()).toBe(90_000);
    expect(said).toEqual(["release://a/b: GitHub's rate limit; goes on in 90 s"]);
    expect(subject.block(2 * 3_600_000)).toBe(false);
  });

  test("warns before the work when it will not do, and once in an hour", () => {
    const { budget: subject, said } = budget([]);
    subject.seen(rate(300, "2026-01-01T10:30:00Z"));
    subject.needs(200, "reading the list");
    expect(said).toEqual([]);
    subject.needs(400, "reading the list");
    subject.seen(rate(50, "2026-01-01T10:30:00Z"));
    subject.seen(rate(60, "2026-01-01T11:30:00Z"));
    expect(said).toEqual([
      "release://a/b: reading the list takes 400 requests; GitHub allows 300 until 10:30 UTC; what is left then waits",
      "release://a/b: 60 of GitHub's 1000 requests an hour are left until 11:30 UTC; what is left then waits",
    ]);
  });
});

describe("GitHub's limits", () => {
  let shared: ReleaseRig;
  beforeAll(async () => {
    shared = await ReleaseRig.start();
  });
  afterAll(async () => shared[Symbol.asyncDispose]());

  const bytes = Buffer.from("bytes");
  const key = keyOf(bytes);

  test("of requests an hour are waited for, by the reset it names", async () => {
    const rig = shared.next();
    const { world, clock } = rig.rig.sandbox;
    const slept: number[] = [];
    const driver = rig.driver({
      token: rig.rig.jobToken({ contents: "write" }),
      world: { now: () => clock.now() },
      sleep: async (ms) => {
        slept.push(ms);
        await clock.advance(ms);
      },
    });
    value(await driver.put(key, bodyFor(bytes)));
    world.rates.get("job:ada/digits")!.used = 999;
    const other = Buffer.from("other");
    value(await driver.put(keyOf(other), bodyFor(other))); // the last one
    value(await driver.delete(key));
    expect(slept).toHaveLength(1);
    expect(slept[0]).toBeGreaterThan(3_500_000);
    expect(rig.warnings().join("\n")).toMatch(/0 of GitHub's 1000 requests.*\n.*rate limit; goes on in (59|60|61) min/);
    expect(rig.rig.openapi.violations()).toEqual([]);
  });

  test.each([
    ["secondary, with its Retry-After", 403, { "retry-after": "17" }, 17_000],
    ["secondary, with nothing but words", 403, {}, 60_000],
    ["of 429", 429, { "retry-after": "5" }, 5_000],
  ])("%s", async (_, status, headers, ms) => {
    const rig = shared.next();
    let now = Date.now();
    const slept: number[] = [];
    const sleep = async (pause: number): Promise<void> => {
      slept.push(pause);
      now += pause;
    };
    const body = JSON.stringify({ message: "You have exceeded a secondary rate limit." });
    const json = { "content-type": "application/json", ...headers };
    rig.proxy.plan({ kind: "answer", status, headers: json, body }, { method: "POST" });
    value(await rig.driver({ sleep, world: { now: () => new Date(now) } }).put(key, bodyFor(bytes)));
    expect(slept.map((pause) => Math.round(pause / 1000) * 1000)).toEqual([ms]);
  });

  test("that end in more than an hour are a failure that says when to come back", async () => {
    const rig = shared.next();
    const headers = { "retry-after": "36000" };
    rig.proxy.plan({ kind: "answer", status: 429, headers }, { times: Infinity });
    expect(failureOf(await rig.driver().put(key, bodyFor(bytes)))).toMatchObject({
      code: "external",
      hint: "GitHub allows no more requests for 600 min; run again then",
    });
    expect(rig.proxy.count()).toBe(1);
  });

  test("are spared: looking again at what did not change is not counted, and a known object costs nothing", async () => {
    const rig = shared.next();
    const driver = rig.driver();
    value(await driver.put(key, bodyFor(bytes)));
    await keysOf(driver, "blobs");
    const { rates } = rig.rig.sandbox.world;
    const before = rates.get("person:ada")!.used;
    for (let count = 0; count < 5; count++) expect(await keysOf(driver, "blobs")).toEqual([key]);
    expect(rates.get("person:ada")!.used - before).toBeLessThanOrEqual(5); // the list of tags is asked for anew
    const requests = rig.proxy.count();
    value(await driver.stat(key));
    value(await driver.put(key, bodyFor(bytes)));
    expect(rig.proxy.count()).toBe(requests);
  });
});
