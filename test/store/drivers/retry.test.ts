import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fail, ok } from "../../../src/core/index.ts";
import {
  isNetworkError,
  isTransientStatus,
  networkProblem,
  retry,
  retryAfterMs,
  StalledError,
  troubled,
} from "../../../src/store/drivers/retry.ts";
import type { Outcome } from "../../../src/store/drivers/retry.ts";
import { Faulty } from "./faulty.ts";

const quick = { baseMs: 1, random: () => 0.5 };

/** Work that gives these outcomes in turn, the last one for ever. */
function script<T>(...outcomes: Outcome<T>[]): { work: () => Promise<Outcome<T>>; calls: () => number } {
  let calls = 0;
  const work = async (): Promise<Outcome<T>> => outcomes[Math.min(calls++, outcomes.length - 1)]!;
  return { work, calls: () => calls };
}

describe("retry", () => {
  const busy = troubled({ problem: "answered 503" });

  test("goes on until it ends for good, either way", async () => {
    const good = script<number>(busy, busy, ok(7));
    expect(await retry("x", good.work, quick)).toEqual(ok(7));
    expect(good.calls()).toBe(3);
    const bad = script<number>(busy, fail({ code: "usage", message: "no" }));
    expect(await retry("x", bad.work, quick)).toMatchObject({ ok: false, failures: [{ code: "usage" }] });
    expect(bad.calls()).toBe(2);
  });

  test("gives up after five tries with what went wrong last", async () => {
    const { work, calls } = script<number>(busy, troubled({ problem: "cut", cause: "the socket" }));
    const problem = "cut (5 tries)";
    expect(await retry("blobs/1 in oci://r/n", work, quick)).toMatchObject({
      ok: false,
      failures: [{ code: "external", what: "blobs/1 in oci://r/n", problem, cause: "the socket" }],
    });
    expect(calls()).toBe(5);
  });

  test("counts anew after progress", async () => {
    const forward = troubled({ problem: "cut", progress: true });
    const { work, calls } = script<number>(busy, busy, busy, forward, busy, busy, forward, busy, busy, busy, ok(1));
    expect(await retry("x", work, quick)).toEqual(ok(1));
    expect(calls()).toBe(11);
  });

  test("waits as long as the remote asks for, up to the cap", async () => {
    const { work } = script<number>(troubled({ problem: "slow down", afterMs: 40 }), ok(1));
    const start = performance.now();
    await retry("x", work, quick);
    expect(performance.now() - start).toBeGreaterThan(35);
    const far = script<number>(troubled({ problem: "slow down", afterMs: 3_600_000 }), ok(1));
    expect(await retry("x", far.work, { ...quick, capMs: 10 })).toEqual(ok(1));
  });

  test("pauses grow twofold and are spread by chance", async () => {
    const took = async (random: () => number): Promise<number> => {
      const { work } = script<number>(busy, busy, busy, ok(1));
      const start = performance.now();
      await retry("x", work, { baseMs: 20, random });
      return performance.now() - start;
    };
    expect(await took(() => 0)).toBeGreaterThan(10 + 20 + 40 - 5);
    expect(await took(() => 1)).toBeGreaterThan(30 + 60 + 120 - 5);
  });

  test("an abort ends a pause, and nothing is tried any more", async () => {
    const abort = new AbortController();
    const { work, calls } = script<number>(troubled({ problem: "slow down", afterMs: 60_000 }));
    const running = retry("x", work, { ...quick, signal: abort.signal });
    setImmediate(() => abort.abort());
    expect(await running).toEqual(fail({ code: "interrupted" }));
    expect(await retry("x", work, { ...quick, signal: abort.signal })).toEqual(fail({ code: "interrupted" }));
    expect(calls()).toBe(1);
  });
});

test("what may pass and what will not", () => {
  for (const status of [408, 429, 500, 502, 503, 504]) expect(isTransientStatus(status), String(status)).toBe(true);
  for (const status of [200, 400, 401, 403, 404, 409, 416, 501, 505]) {
    expect(isTransientStatus(status), String(status)).toBe(false);
  }
});

test("Retry-After is seconds or a date", () => {
  const now = new Date("2026-03-01T12:00:00Z");
  const read = (text: string): number | undefined => retryAfterMs(new Headers({ "retry-after": text }), now);
  expect(read("7")).toBe(7_000);
  expect(read("Sun, 01 Mar 2026 12:00:30 GMT")).toBe(30_000);
  expect(read("Sun, 01 Mar 2026 11:00:00 GMT")).toBe(0);
  expect(read("soon")).toBeUndefined();
  expect(retryAfterMs(new Headers(), now)).toBeUndefined();
});

describe("errors of the network", () => {
  let proxy: Faulty;
  const server = createServer((_, response) => response.end("x".repeat(1_000)));
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy = await Faulty.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    server.close();
  });
  const errorOf = async (work: () => Promise<unknown>): Promise<unknown> =>
    work().then(
      () => undefined,
      (error: unknown) => error,
    );
  const read = async (): Promise<string> => (await fetch(proxy.url)).text();

  test.each([
    ["an answer that is lost", { kind: "lose-answer" }],
    ["a body that is cut", { kind: "cut-response", after: 10 }],
    ["a body that ends early", { kind: "cut-response", after: 10, politely: true }],
  ] as const)("%s", async (_, fault) => {
    proxy.plan(fault);
    const error = await errorOf(read);
    expect(isNetworkError(error)).toBe(true);
    expect(networkProblem(error)).not.toMatch(/^(fetch failed|terminated)$/);
  });

  test("nobody listens, and nothing moves", async () => {
    const gone = await Faulty.start(proxy.url);
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const refused = await errorOf(async () => fetch(url));
    expect(isNetworkError(refused)).toBe(true);
    expect(networkProblem(refused)).toContain("ECONNREFUSED");
    expect(isNetworkError(new StalledError(30_000))).toBe(true);
    expect(networkProblem(new StalledError(30_000))).toBe("nothing moved for 30 s");
  });

  test("a bug, a full disk and an abort are none", async () => {
    expect(isNetworkError(new TypeError("undefined is not a function"))).toBe(false);
    expect(isNetworkError(Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" }))).toBe(false);
    expect(isNetworkError(await errorOf(async () => fetch(proxy.url, { signal: AbortSignal.abort() })))).toBe(false);
  });
});
