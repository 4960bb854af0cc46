import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Context } from "../../../src/core/index.ts";
import { openOci } from "../../../src/store/drivers/oci/index.ts";
import type { OciOptions } from "../../../src/store/drivers/oci/index.ts";
import type { Driver, Key } from "../../../src/store/driver.ts";
import { temporary } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { bodyFor, bytesOf, driverContract, failureOf, faultContract, keyOf, keysOf, nameOf } from "./contract.ts";
import { Faulty } from "./faulty.ts";
import { missing, Registry, TokenServer } from "./oci-registry.ts";

if (missing.length > 0) console.log(`tests of the oci: store are skipped: ${missing.join(", ")} missing`);

/** Short pauses between tries. */
const QUICK: OciOptions = { retry: { baseMs: 5 } };
/** And a short time limit, for what stalls on purpose. A loaded machine may stall by itself then. */
const HASTY: OciOptions = { ...QUICK, stallMs: 700 };
const PASSWORD = "s3cret-of-tests";
/** PASSWORD by bcrypt, as htpasswd writes it. */
const HTPASSWD = "tester:$2y$05$abcdefghijklmnopqrstuuQvdQC0iyoEpKKmAu/3kGsQt0UPm2Gom\n";
const LOGIN = { LOCKSTEP_OCI_USERNAME: "tester", LOCKSTEP_OCI_PASSWORD: PASSWORD };

function contextOf(env: Context["env"] = {}, more: Partial<Context> = {}): Context {
  return {
    cwd: "/",
    env: { HOME: "/nonexistent", PATH: process.env["PATH"], ...env },
    now: () => new Date(),
    fetch: globalThis.fetch,
    emit: () => {},
    ...more,
  };
}

describe.skipIf(missing.length > 0)("the real registry", { timeout: 120_000 }, () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await Registry.start();
  });
  afterAll(async () => registry[Symbol.asyncDispose]());

  const open = (host: string, repository: string, options: OciOptions = {}, signal?: AbortSignal): Driver =>
    value(openOci(contextOf({}, signal === undefined ? {} : { signal }), `oci://${host}/${repository}`, options));

  driverContract("oci:", async () => {
    const repository = `acme/${randomUUID()}`;
    const again = (signal?: AbortSignal): Driver => open(registry.host, repository, {}, signal);
    return { driver: again(), again, many: 200, [Symbol.asyncDispose]: async () => {} };
  });

  faultContract("oci:", async () => {
    const repository = `acme/${randomUUID()}`;
    const proxy = await Faulty.start(`http://${registry.host}`);
    const again = (signal?: AbortSignal): Driver => open(proxy.host, repository, HASTY, signal);
    return {
      driver: again(),
      again,
      proxy,
      reads: { method: "GET", path: /\/blobs\/sha256:/ },
      writes: { method: "PUT", path: /\/blobs\/uploads\// },
      [Symbol.asyncDispose]: async () => proxy[Symbol.asyncDispose](),
    };
  });

  /** A driver on a repository of its own, by way of a proxy. */
  const viaProxy = async (
    options: OciOptions = QUICK,
  ): Promise<{ driver: Driver; proxy: Faulty; repository: string }> => {
    const proxy = await Faulty.start(`http://${registry.host}`);
    const repository = `acme/${randomUUID()}`;
    return { driver: open(proxy.host, repository, options), proxy, repository };
  };
  const offsets = (proxy: Faulty): (string | undefined)[] =>
    proxy.requests
      .filter(({ method }) => method === "PATCH")
      .map(({ headers }) => String(headers["content-range"]).split("-")[0]);
  const large = randomBytes(18_000_001);
  const MiB = 1024 * 1024;

  test("a large object goes in chunks, a small one in one request, a known one not at all", async () => {
    const { driver, proxy, repository } = await viaProxy();
    await using _ = proxy;
    value(await driver.put(keyOf(large), bodyFor(large)));
    expect(offsets(proxy)).toEqual([0, 4, 8, 12, 16].map((at) => String(at * MiB)));
    proxy.reset();
    value(await driver.put("gc/word", bodyFor(Buffer.from("word"))));
    expect(offsets(proxy)).toEqual([]);
    proxy.reset();
    // Another key with these bytes: the registry has the layer, so that only the manifest is sent.
    value(await open(proxy.host, repository).put("gc/copy", bodyFor(large)));
    expect(proxy.count({ method: ["POST", "PATCH"] })).toBe(0);
    expect(proxy.count({ method: "PUT" })).toBe(1);
  });

  test("an upload that was cut between chunks goes on where it was", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    proxy.plan({ kind: "cut-request", after: 0 }, { method: "PATCH", skip: 2 });
    proxy.plan({ kind: "answer", status: 503 }, { method: "PATCH", skip: 4 });
    value(await driver.put(keyOf(large), bodyFor(large)));
    expect(proxy.struck).toBe(true);
    expect(offsets(proxy)).toEqual([0, 4, 8, 8, 12, 16, 16].map((at) => String(at * MiB)));
    expect((await bytesOf(driver, keyOf(large)))?.equals(large)).toBe(true);
  });

  test("an upload that the registry dropped begins anew", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    // This registry keeps half a chunk and then takes no request for that upload any more.
    proxy.plan({ kind: "cut-request", after: 1_000_000 }, { method: "PATCH", skip: 1 });
    value(await driver.put(keyOf(large), bodyFor(large)));
    expect(offsets(proxy)).toEqual([0, 4, 0, 4, 8, 12, 16].map((at) => String(at * MiB)));
    expect((await bytesOf(driver, keyOf(large)))?.equals(large)).toBe(true);
  });

  test("uploads that are cut again and again end as a failure", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    proxy.plan({ kind: "cut-request", after: 1_000_000 }, { method: "PATCH", times: Infinity });
    const failure = failureOf(await driver.put(keyOf(large), bodyFor(large)));
    expect(failure).toMatchObject({ code: "external", what: `${keyOf(large)} in ${driver.url}` });
    expect(offsets(proxy)).toHaveLength(5);
    expect(value(await driver.stat(keyOf(large)))).toBeUndefined();
  });

  test("a registry that takes no chunks gets one request", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    proxy.plan({ kind: "answer", status: 405 }, { method: "PATCH", times: Infinity });
    value(await driver.put(keyOf(large), bodyFor(large)));
    expect(offsets(proxy)).toHaveLength(1);
    expect((await bytesOf(driver, keyOf(large)))?.equals(large)).toBe(true);
  });

  test("a large object with other bytes than announced is refused and not published", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    const lie = { ...bodyFor(large), digest: nameOf(Buffer.from("lie")) };
    const key = keyOf(Buffer.from("lie"));
    expect(failureOf(await driver.put(key, lie))).toMatchObject({ problem: expect.stringContaining("DIGEST_INVALID") });
    expect(value(await driver.stat(key))).toBeUndefined();
    expect(value(await driver.get(key, () => {}))).toBe(false);
  });

  test("bytes that another repository has are mounted, not sent", async () => {
    const { driver, proxy, repository } = await viaProxy();
    await using _ = proxy;
    value(await driver.put(keyOf(large), bodyFor(large)));
    proxy.reset();
    const other = open(proxy.host, `acme/${randomUUID()}?mount=${repository}`);
    value(await other.put(keyOf(large), bodyFor(large)));
    expect(proxy.requests.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(2_000);
    expect((await bytesOf(other, keyOf(large)))?.equals(large)).toBe(true);
    // What the other one does not have is sent.
    const fresh = randomBytes(1_000);
    value(await other.put(keyOf(fresh), bodyFor(fresh)));
    expect((await bytesOf(other, keyOf(fresh)))?.equals(fresh)).toBe(true);
  });

  test("reading costs one request, a range of it too", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    const bytes = randomBytes(10_000);
    value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    proxy.reset();
    await bytesOf(driver, keyOf(bytes));
    await bytesOf(driver, keyOf(bytes), { offset: 5, length: 10 });
    value(await driver.stat(keyOf(bytes)));
    expect(proxy.requests.map(({ method, headers }) => [method, headers["range"]])).toEqual([
      ["GET", undefined],
      ["GET", "bytes=5-14"],
      ["GET", undefined],
    ]);
  });

  test("a layer that was collected after it was seen is sent again", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    const bytes = randomBytes(10_000);
    proxy.plan({ kind: "answer", status: 200 }, { method: "HEAD", path: /\/blobs\/sha256:/ });
    value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    expect(proxy.struck).toBe(true);
    expect((await bytesOf(driver, keyOf(bytes)))?.equals(bytes)).toBe(true);
  });

  test("equal bytes under two keys are two objects: one is deleted, one stays", async () => {
    const { driver, proxy } = await viaProxy();
    await using _ = proxy;
    for (const key of ["gc/a", "gc/b"] as const) value(await driver.put(key, bodyFor(Buffer.from("same"))));
    value(await driver.delete("gc/a"));
    expect(await keysOf(driver, "gc")).toEqual(["gc/b"]);
    expect(String(await bytesOf(driver, "gc/b"))).toBe("same");
  });

  test("the time of an object is the registry's, whatever clock its writer has", async () => {
    const wrong = { now: () => new Date("2001-01-01T00:00:00Z") };
    const driver = value(openOci(contextOf({}, wrong), `oci://${registry.host}/acme/${randomUUID()}`));
    value(await driver.put("gc/x", bodyFor(Buffer.from("x"))));
    expect(Math.abs((value(await driver.stat("gc/x"))?.modified ?? 0) - Date.now())).toBeLessThan(5_000);
  });

  test("a tag that holds somebody else's image is a failure, and not an object", async () => {
    const { driver, proxy, repository } = await viaProxy();
    await using _ = proxy;
    const key: Key = `layouts/${"ab".repeat(32)}`;
    value(await driver.put("gc/x", bodyFor(Buffer.from("x"))));
    const url = (tag: string): string => `${proxy.url}/v2/${repository}/manifests/${tag}`;
    const type = "application/vnd.oci.image.manifest.v1+json";
    const manifest = await (await fetch(url("gc.x"), { headers: { accept: type } })).text();
    const at = url(`layouts.${"ab".repeat(32)}`);
    expect((await fetch(at, { method: "PUT", body: manifest, headers: { "content-type": type } })).status).toBe(201);
    const failure = { code: "external", problem: expect.stringContaining("does not describe this object") };
    expect(failureOf(await driver.stat(key))).toMatchObject(failure);
    await expect(keysOf(driver, "layouts")).rejects.toThrow("does not describe this object");
    value(await driver.put(key, bodyFor(Buffer.from("ours")), { replace: true }));
    expect(String(await bytesOf(driver, key))).toBe("ours");
  });

  test("what is stored survives the registry's own collector, what is deleted goes with it", async () => {
    await using own = await Registry.start();
    const driver = open(own.host, "acme/m");
    const [kept, gone] = [randomBytes(5_000), randomBytes(6_000)];
    for (const bytes of [kept, gone]) value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    value(await driver.delete(keyOf(gone)));
    own.collect();
    expect((await bytesOf(driver, keyOf(kept)))?.equals(kept)).toBe(true);
    expect(value(await driver.get(keyOf(gone), () => {}))).toBe(false);
  });

  test("a registry that lets nobody delete is a failure that says what to do", async () => {
    await using own = await Registry.start({ deletes: false });
    const driver = open(own.host, "acme/m");
    value(await driver.put("gc/x", bodyFor(Buffer.from("x"))));
    expect(failureOf(await driver.delete("gc/x"))).toMatchObject({
      code: "external",
      problem: "the registry lets nobody delete",
      hint: expect.stringContaining("storage.delete.enabled"),
    });
  });

  describe("that asks for a password", () => {
    let asking: Registry;
    let folder: ReturnType<typeof temporary>;
    beforeAll(async () => {
      folder = temporary();
      const file = join(folder.path, "htpasswd");
      writeFileSync(file, HTPASSWD);
      asking = await Registry.start({ auth: `auth: {htpasswd: {realm: tests, path: ${file}}}` });
    });
    afterAll(async () => {
      await asking[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    });
    const openAs = (env: Context["env"]): Driver =>
      value(openOci(contextOf(env), `oci://${asking.host}/acme/${randomUUID()}`, QUICK));

    test("gets it from the environment", async () => {
      const driver = openAs(LOGIN);
      value(await driver.put(keyOf(large), bodyFor(large)));
      expect((await bytesOf(driver, keyOf(large)))?.equals(large)).toBe(true);
    });

    test("gets it from Docker's configuration", async () => {
      const auth = Buffer.from(`tester:${PASSWORD}`).toString("base64");
      const home = join(folder.path, "docker");
      mkdirSync(home);
      writeFileSync(join(home, "config.json"), JSON.stringify({ auths: { [`http://${asking.host}`]: { auth } } }));
      const driver = openAs({ DOCKER_CONFIG: home });
      value(await driver.put("gc/x", bodyFor(Buffer.from("x"))));
      expect(await keysOf(driver, "gc")).toEqual(["gc/x"]);
    });

    test.each([
      ["a wrong one", { ...LOGIN, LOCKSTEP_OCI_PASSWORD: "wr0ng-one" }],
      ["none", {}],
    ])("with %s it is a failure that says how to log in, and holds no secret", async (_, env) => {
      const failure = failureOf(await openAs(env).put("gc/x", bodyFor(Buffer.from("x"))));
      expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining("401") });
      expect(failure.hint).toContain(`docker login ${asking.host}`);
      expect(JSON.stringify(failure)).not.toMatch(/wr0ng-one|Basic/);
    });
  });

  describe("that asks for tokens", () => {
    let tokens: TokenServer;
    let asking: Registry;
    let proxy: Faulty;
    beforeAll(async () => {
      tokens = await TokenServer.start("tester", PASSWORD);
      asking = await Registry.start({ auth: tokens.auth });
      proxy = await Faulty.start(`http://${asking.host}`);
    });
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]();
      await asking[Symbol.asyncDispose]();
      await tokens[Symbol.asyncDispose]();
    });
    const openAs = (env: Context["env"], repository: string, more: Partial<Context> = {}): Driver => {
      tokens.given.length = 0;
      tokens.allowed = ["pull", "push", "delete"];
      proxy.reset();
      return value(openOci(contextOf(env, more), `oci://${proxy.host}/${repository}`, QUICK));
    };

    test("uses one token for each right, as long as it lives", async () => {
      let now = Date.now();
      const driver = openAs(LOGIN, "acme/a", { now: () => new Date(now) });
      value(await driver.put(keyOf(large), bodyFor(large)));
      expect((await bytesOf(driver, keyOf(large)))?.equals(large)).toBe(true);
      value(await driver.delete(keyOf(large)));
      const scopes = ["pull", "pull,push", "pull,push,delete"].map((actions) => [`repository:acme/a:${actions}`]);
      expect(tokens.given).toEqual(scopes);
      // The first request learns that a token is needed; no other one is sent in vain.
      expect(proxy.requests.filter(({ status }) => status === 401)).toHaveLength(1);
      now += 299_000;
      value(await driver.stat(keyOf(large)));
      expect(tokens.given).toHaveLength(4);
      expect(proxy.requests.filter(({ status }) => status === 401)).toHaveLength(1);
    });

    test("requests at the same time share one token", async () => {
      const driver = openAs(LOGIN, "acme/b");
      await Promise.all(Array.from({ length: 6 }, async (_, at) => driver.stat(`gc/${at}`)));
      expect(tokens.given).toHaveLength(1);
    });

    test("a token that is refused in the middle of an upload is renewed, and the upload goes on", async () => {
      const driver = openAs(LOGIN, "acme/c");
      value(await driver.put("gc/x", bodyFor(Buffer.from("x"))));
      const before = tokens.given.length;
      const challenge = `Bearer ${/realm: "(.*?)"/.exec(tokens.auth)?.[0].replace(": ", "=")},service="tests"`;
      const fault = { kind: "answer", status: 401, headers: { "www-authenticate": challenge } } as const;
      proxy.reset();
      proxy.plan(fault, { method: "PATCH", skip: 2 });
      value(await driver.put(keyOf(large), bodyFor(large)));
      expect(proxy.struck).toBe(true);
      expect(tokens.given).toHaveLength(before + 1);
      expect(offsets(proxy)).toEqual([0, 4, 8, 8, 12, 16].map((at) => String(at * MiB)));
    });

    test("asks for the other repository's bytes too", async () => {
      const first = openAs(LOGIN, "acme/d");
      value(await first.put(keyOf(large), bodyFor(large)));
      const second = openAs(LOGIN, "acme/e?mount=acme/d");
      value(await second.put(keyOf(large), bodyFor(large)));
      expect(offsets(proxy)).toEqual([]);
      expect(tokens.given).toContainEqual(["repository:acme/e:pull,push", "repository:acme/d:pull"]);
    });

    test("a right that is not granted is a failure after one renewal", async () => {
      const driver = openAs(LOGIN, "acme/f");
      tokens.allowed = ["pull"];
      const failure = failureOf(await driver.put("gc/x", bodyFor(Buffer.from("x"))));
      expect(failure).toMatchObject({ code: "external", what: `gc/x in ${driver.url}` });
      expect(failure.hint).toContain("docker login");
      expect(proxy.count()).toBeLessThan(8);
    });

    test.each([
      ["a wrong password", { ...LOGIN, LOCKSTEP_OCI_PASSWORD: "wr0ng-one" }, "it refused the credentials"],
      ["no password", {}, "no credentials were found for it"],
    ])("%s is a failure that says so and holds no secret", async (_, env, problem) => {
      const failure = failureOf(await openAs(env, "acme/g").stat("gc/x"));
      expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining(problem) });
      expect(JSON.stringify(failure)).not.toMatch(/wr0ng-one|Basic|Bearer/);
    });
  });
});
