import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { value } from "../../helpers/value.ts";
import { bodyFor, bytesOf, failureOf, keyOf, keysOf } from "./contract.ts";
import { ReleaseRig } from "./release-rig.ts";

const bytes = Buffer.alloc(200_000, "x");
const key = keyOf(bytes);

describe("the token", () => {
  let shared: ReleaseRig;
  beforeAll(async () => {
    shared = await ReleaseRig.start();
  });
  afterAll(async () => shared[Symbol.asyncDispose]());

  test("goes to the API and nowhere else, and a range goes to where the bytes are", async () => {
    const rig = shared.next();
    const driver = rig.driver();
    value(await driver.put(key, bodyFor(bytes)));
    rig.proxy.reset();
    for (const offset of [5, 10]) await bytesOf(driver, key, { offset, length: 100 });
    const seen = rig.proxy.requests.map(({ path, headers }) => ({
      api: path.startsWith("/api/v3/"),
      host: headers["host"]?.toString().split(":")[0],
      token: headers["authorization"] !== undefined,
      range: headers["range"],
    }));
    expect(seen).toEqual([
      { api: true, host: "127.0.0.1", token: true, range: "bytes=5-104" },
      { api: false, host: "localhost", token: false, range: "bytes=5-104" },
      // The address is good for a while: asking for it again would count against the token.
      { api: false, host: "localhost", token: false, range: "bytes=10-109" },
    ]);
    expect(rig.rig.openapi.violations()).toEqual([]);
  });

  test("may be a job's, on a private repository; another one's sees nothing", async () => {
    await using rig = await ReleaseRig.start({ private: true });
    const writer = rig.driver({ token: rig.rig.jobToken({ contents: "write" }) });
    value(await writer.put(key, bodyFor(bytes)));
    const reader = rig.driver({ token: rig.rig.jobToken({ contents: "read" }) });
    expect((await bytesOf(reader, key))?.equals(bytes)).toBe(true);
    const stranger = rig.driver({ token: rig.rig.sandbox.token("carol") });
    expect(failureOf(await stranger.stat(key))).toMatchObject({
      code: "external",
      problem: expect.stringContaining("404"),
      hint: expect.stringContaining("contents: read"),
    });
    await expect(keysOf(stranger, "blobs")).rejects.toThrow("cannot be listed");
  });

  test.each(["opened", "there"])("that may only read is told what it lacks (release to be %s)", async (state) => {
    const rig = shared.next();
    if (state === "there") value(await rig.driver().put(key, bodyFor(bytes)));
    const reader = rig.driver({ token: rig.rig.jobToken({ contents: "read" }) });
    const other = Buffer.from("other");
    const failures = [failureOf(await reader.put(keyOf(other), bodyFor(other)))];
    if (state === "there") failures.push(failureOf(await reader.delete(key)));
    for (const failure of failures) {
      const expected = { code: "external", hint: expect.stringContaining("`contents: write`") };
      expect(failure).toMatchObject({ ...expected, problem: expect.stringContaining("403") });
    }
    // Nothing is asked twice of somebody who said no.
    expect(rig.proxy.count({ method: "DELETE" })).toBe(state === "there" ? 1 : 0);
  });

  test("that GitHub answers with 404 in place of 403 is told the same", async () => {
    const rig = shared.next();
    const driver = rig.driver();
    value(await driver.put(key, bodyFor(bytes)));
    const other = Buffer.from("other");
    rig.proxy.plan({ kind: "answer", status: 404, body: "{}" }, { method: ["POST", "DELETE"], times: Infinity });
    const failures = [await driver.put(keyOf(other), bodyFor(other)), await driver.delete(key)].map(failureOf);
    for (const failure of failures) expect(failure.hint).toContain("`contents: write`");
  });

  test("that is wrong, or is not there", async () => {
    const rig = shared.next();
    expect(failureOf(await rig.driver({ token: "nonsense" }).stat(key))).toMatchObject({
      problem: "GitHub answered 401: Bad credentials",
      hint: expect.stringContaining("GITHUB_TOKEN"),
    });
    expect(failureOf(await rig.driver({ token: "" }).stat(key))).toMatchObject({
      code: "external",
      what: `${key} in ${rig.url}`,
      problem: "neither GITHUB_TOKEN nor GH_TOKEN is set",
    });
    expect(rig.proxy.count()).toBe(1);
  });
});

describe("a repository that cannot hold a store", () => {
  test("with release immutability on: says so, and opens no second release", async () => {
    await using rig = await ReleaseRig.start();
    const octokit = rig.rig.octokit("ada");
    const setting = "/repos/{owner}/{repo}/immutable-releases";
    await octokit.request(`PUT ${setting}`, rig.rig.repo);
    for (const driver of [rig.driver(), rig.driver()]) {
      expect(failureOf(await driver.put(key, bodyFor(bytes)))).toMatchObject({
        code: "external",
        problem: expect.stringContaining("immutability"),
        hint: expect.stringContaining("delete release store0-0001"),
      });
    }
    expect(rig.releases).toHaveLength(1);
    // As the hint says:
    await octokit.request(`DELETE ${setting}`, rig.rig.repo);
    await octokit.rest.repos.deleteRelease({ ...rig.rig.repo, release_id: rig.releases[0]!.id });
    // Nothing is left of number 1, and GitHub does not give its tag again.
    await octokit.rest.git.deleteRef({ ...rig.rig.repo, ref: "tags/store0-0001" });
    value(await rig.driver().put(key, bodyFor(bytes)));
    expect(rig.releases.map(({ tagName }) => tagName)).toEqual(["store0-0002"]);
    expect(rig.rig.openapi.violations()).toEqual([]);
  });

  test("without a commit: says so", async () => {
    await using rig = await ReleaseRig.start({ commit: false });
    expect(failureOf(await rig.driver().put(key, bodyFor(bytes)))).toMatchObject({
      code: "external",
      hint: expect.stringContaining("first commit"),
    });
    expect(await keysOf(rig.driver(), "blobs")).toEqual([]);
  });
});
