import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Context } from "../../../src/core/index.ts";
import { parseAddress } from "../../../src/store/drivers/oci/address.ts";
import { parseChallenges } from "../../../src/store/drivers/oci/challenge.ts";
import { findCredentials } from "../../../src/store/drivers/oci/credentials.ts";
import { openOci } from "../../../src/store/drivers/oci/index.ts";
import type { OciOptions } from "../../../src/store/drivers/oci/index.ts";
import { encodeManifest, keyOf as keyOfTag, parseManifest, tagOf } from "../../../src/store/drivers/oci/manifest.ts";
import type { Driver } from "../../../src/store/driver.ts";
import { temporary } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { bodyFor, bytesOf, failureOf, keyOf, keysOf, nameOf } from "./contract.ts";
import { FakeRegistry } from "./oci-fake.ts";

function contextOf(env: Context["env"] = {}, more: Partial<Context> = {}): Context {
  const at = new Date("2026-03-01T12:00:00.000Z");
  const none = { HOME: "/nonexistent" };
  return { cwd: "/", env: { ...none, ...env }, now: () => at, fetch: globalThis.fetch, emit: () => {}, ...more };
}

describe("an address", () => {
  test.each([
    ["oci://ghcr.io/acme/churn", { registry: "ghcr.io", origin: "https://ghcr.io", repository: "acme/churn" }],
    ["oci://reg.acme.dev:5000/a/b-c/d_e.f", { origin: "https://reg.acme.dev:5000", repository: "a/b-c/d_e.f" }],
    ["oci://localhost:5000/x", { origin: "http://localhost:5000" }],
    ["oci://127.0.0.1:5000/x", { origin: "http://127.0.0.1:5000" }],
    ["oci://[::1]:5000/x", { origin: "http://[::1]:5000" }],
    ["oci://localhost:5000/x?plain-http=false", { origin: "https://localhost:5000" }],
    ["oci://lan:5000/x?plain-http=true&mount=y/z", { origin: "http://lan:5000", mount: "y/z" }],
    ["oci://docker.io/acme/x", { registry: "docker.io", origin: "https://registry-1.docker.io" }],
  ])("%s", (url, expected) => {
    expect(value(parseAddress(url))).toMatchObject({ url, ...expected });
  });

  test.each([
    ["oci://ghcr.io", "is not oci://"],
    ["oci:ghcr.io/acme", "is not oci://"],
    ["oci://ghcr.io/", "is not oci://"],
    ["oci://ghcr.io/Acme/churn", "no repository's name"],
    ["oci://ghcr.io/acme/../x", "no repository's name"],
    ["oci://ghcr.io/acme/churn:latest", "no repository's name"],
    [`oci://ghcr.io/${"a".repeat(256)}`, "no repository's name"],
    ["oci://ghcr.io/acme/churn?plain=true", 'no parameter "plain"'],
    ["oci://ghcr.io/acme/churn?plain-http=yes", "true or false"],
    ["oci://ghcr.io/acme/churn?mount=UPPER", "no repository's name"],
    ["oci://a b/acme", "no host"],
    ["oci://ghcr.io:99999/acme", "no host"],
  ])("%s is a usage failure", (url, problem) => {
    expect(failureOf(parseAddress(url))).toMatchObject({ code: "usage", message: expect.stringContaining(problem) });
  });

  test("holds no credentials, and does not repeat them", () => {
    const failure = failureOf(parseAddress("oci://ada:hunter2@ghcr.io/acme/churn"));
    expect(failure).toMatchObject({ code: "usage", hint: expect.stringContaining("docker login") });
    expect(JSON.stringify(failure)).not.toContain("hunter2");
  });
});

describe("a challenge", () => {
  test("is read with quotes, escapes, and neighbours", () => {
    const header =
      'Bearer realm="https://a/t?x=1,2",service="re\\"g", scope="repository:a/b:pull,push" , Basic realm=x';
    expect(parseChallenges(header)).toEqual([
      {
        scheme: "bearer",
        parameters: { realm: "https://a/t?x=1,2", service: 're"g', scope: "repository:a/b:pull,push" },
      },
      { scheme: "basic", parameters: { realm: "x" } },
    ]);
    expect(parseChallenges('Negotiate, basic REALM="r"')).toEqual([
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "r" } },
    ]);
  });

  test.each(["", "  ,, ", '"quoted"', 'Bearer realm="never closed', "=", `Bearer ${"a=b,".repeat(5_000)}`])(
    "%.20s ends well",
    (header) => {
      expect(parseChallenges(header).length).toBeLessThan(3);
    },
  );
});

describe("credentials", () => {
  const auth = (text: string): string => Buffer.from(text).toString("base64");
  const find = async (config: unknown, registry: string, env: Context["env"] = {}): Promise<unknown> => {
    using folder = temporary();
    writeFileSync(join(folder.path, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
    return await findCredentials(contextOf({ DOCKER_CONFIG: folder.path, ...env }), registry);
  };

  test("are nobody's when there are none", async () => {
    expect(await findCredentials(contextOf(), "ghcr.io")).toEqual({ ok: true, value: undefined });
    expect(await find({}, "ghcr.io")).toEqual({ ok: true, value: undefined });
    expect(await find({ auths: { "ghcr.io": {}, "other.io": { auth: auth("a:b") } } }, "ghcr.io")).toEqual({
      ok: true,
      value: undefined,
    });
  });

  test.each([
    ["host", "reg.io:5000", { "reg.io:5000": { auth: auth("ada:s:e:c") } }, { username: "ada", password: "s:e:c" }],
    ["URL", "reg.io", { "https://reg.io/v2/": { auth: auth("ada:x\0\0") } }, { username: "ada", password: "x" }],
    ["plain", "reg.io", { "reg.io": { username: "ada", password: "x" } }, { username: "ada", password: "x" }],
    ["token", "reg.io", { "reg.io": { auth: auth("0:"), identitytoken: "t" } }, { identityToken: "t" }],
    [
      "Docker Hub",
      "docker.io",
      { "https://index.docker.io/v1/": { auth: auth("ada:x") } },
      { username: "ada", password: "x" },
    ],
  ])("come from Docker's configuration: %s", async (_, registry, auths, expected) => {
    expect(await find({ auths }, registry)).toEqual({ ok: true, value: expected });
  });

  test("come from the environment first, and from GITHUB_TOKEN last and for ghcr.io only", async () => {
    const config = { auths: { "ghcr.io": { auth: auth("docker:d") } } };
    const token = { GITHUB_TOKEN: "ght", GITHUB_ACTOR: "octo" };
    const own = { LOCKSTEP_OCI_USERNAME: "own", LOCKSTEP_OCI_PASSWORD: "o" };
    const named = async (env: Context["env"], from: unknown, registry = "ghcr.io"): Promise<unknown> =>
      ((await find(from, registry, env)) as { value?: unknown }).value;
    expect(await named({ ...own, ...token }, config)).toEqual({ username: "own", password: "o" });
    expect(await named(token, config)).toEqual({ username: "docker", password: "d" });
    expect(await named(token, {})).toEqual({ username: "octo", password: "ght" });
    expect(await named(token, {}, "ghcr.io.evil.example")).toBeUndefined();
    const half = failureOf(await findCredentials(contextOf({ LOCKSTEP_OCI_USERNAME: "own" }), "ghcr.io"));
    expect(half).toMatchObject({ code: "usage" });
  });

  test("a configuration that cannot be read is a failure that names the file", async () => {
    for (const config of ["{", "[]", '{"auths": 3}']) {
      const failure = failureOf((await find(config, "ghcr.io")) as { ok: boolean });
      expect(failure).toMatchObject({ code: "external", what: expect.stringContaining("config.json") });
    }
  });

  describe.skipIf(process.platform === "win32")("of a helper", () => {
    const helped = async (script: string, config: unknown, registry = "reg.io"): Promise<unknown> => {
      using folder = temporary();
      const program = join(folder.path, "docker-credential-vault");
      writeFileSync(program, `#!/bin/sh\n${script}\n`);
      chmodSync(program, 0o755);
      return await find(config, registry, { PATH: `${folder.path}${delimiter}${process.env["PATH"] ?? ""}` });
    };
    const answer =
      'read -r name; [ "$1" = get ] && printf \'{"ServerURL":"%s","Username":"ada","Secret":"for %s"}\' "$name" "$name"';

    test("for one registry, and for all", async () => {
      const value = { username: "ada", password: "for reg.io" };
      expect(await helped(answer, { credHelpers: { "reg.io": "vault" } })).toEqual({ ok: true, value });
      const stored = { credsStore: "vault", auths: { "https://reg.io": {} } };
      const other = { username: "ada", password: "for https://reg.io" };
      expect(await helped(answer, stored)).toEqual({ ok: true, value: other });
      expect(await helped(answer, { credHelpers: { "other.io": "vault" } })).toEqual({ ok: true, value: undefined });
    });

    test("that gives an identity token", async () => {
      const script = 'cat >/dev/null; echo \'{"Username":"<token>","Secret":"t"}\'';
      const found = await helped(script, { credsStore: "vault" });
      expect(found).toEqual({ ok: true, value: { identityToken: "t" } });
    });

    test("that knows nothing leaves the rest of the file", async () => {
      const script = 'cat >/dev/null; echo "credentials not found in native keychain"; exit 1';
      const config = { credsStore: "vault", auths: { "reg.io": { auth: auth("ada:x") } } };
      expect(await helped(script, config)).toEqual({ ok: true, value: { username: "ada", password: "x" } });
    });

    test.each([
      ["that fails", "cat >/dev/null; echo the-secret; exit 3", "vault", "ended with 3"],
      ["that says something else", "cat >/dev/null; echo the-secret", "vault", "not what the protocol says"],
      ["that is not there", "", "absent", "cannot be started"],
      ["with a name that is a path", "", "../../bin/sh", "not the name of a helper"],
    ])("%s is a failure that holds no secret", async (_, script, credsStore, problem) => {
      const failure = failureOf((await helped(script, { credsStore })) as { ok: boolean });
      expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining(problem) });
      expect(JSON.stringify(failure)).not.toContain("the-secret");
    });
  });
});

describe("a manifest", () => {
  const hex = "ab".repeat(32);
  const bytes = Buffer.from("hello");

  test("is spelled in one way", () => {
    const encoded = encodeManifest(keyOf(bytes), bodyFor(bytes), new Date("2026-03-01T12:00:00Z"));
    expect(JSON.parse(String(encoded))).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.lockstep.object.v1",
      config: {
        mediaType: "application/vnd.oci.empty.v1+json",
        digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        size: 2,
        data: "e30=",
      },
      layers: [{ mediaType: "application/vnd.lockstep.blob.v1", digest: nameOf(bytes), size: 5 }],
      annotations: { "org.opencontainers.image.created": "2026-03-01T12:00:00.000Z", "io.lockstep.key": keyOf(bytes) },
    });
    expect(nameOf(encoded)).toBe("sha256:a5ab26131e43b1d238a35c205bb7f114b9f7137fe7cfdba4bf3fb90dc8f17995");
    expect(value(parseManifest("x", keyOf(bytes), encoded))).toEqual({
      size: 5,
      modified: Date.parse("2026-03-01T12:00:00Z"),
      layer: nameOf(bytes),
      digest: nameOf(encoded),
    });
  });

  test("that says anything else is refused", () => {
    const good = JSON.parse(String(encodeManifest(keyOf(bytes), bodyFor(bytes), new Date(0)))) as {
      layers: object[];
      annotations: object;
    };
    const layer = good.layers[0];
    for (const wrong of [
      { artifactType: "application/vnd.other" },
      { layers: [] },
      { layers: [layer, layer] },
      { layers: [{ ...layer, size: -1 }] },
      { layers: [{ ...layer, digest: "sha256:../../x" }] },
      { layers: [{ ...layer, digest: `sha256:${hex}` }] },
      { annotations: { ...good.annotations, "io.lockstep.key": "gc/other" } },
      { annotations: { ...good.annotations, "org.opencontainers.image.created": "yesterday" } },
    ]) {
      const parsed = parseManifest("x", keyOf(bytes), Buffer.from(JSON.stringify({ ...good, ...wrong })));
      expect(failureOf(parsed), JSON.stringify(wrong)).toMatchObject({ code: "external" });
    }
    for (const text of ["", "null", "[]", "{"]) failureOf(parseManifest("x", keyOf(bytes), Buffer.from(text)));
  });

  test("has a tag that leads back to its key", () => {
    for (const key of [`blobs/${hex}`, `layouts/${hex}`, "gc/condemned-1"] as const) {
      const kind = key.split("/")[0] as "blobs";
      expect(keyOfTag(tagOf(key), kind)).toBe(key);
      expect(tagOf(key)).toMatch(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/);
    }
    for (const tag of ["latest", "blobs.xyz", `blobs.${hex}0`, `blobs.${hex.toUpperCase()}`, "gc."]) {
      expect(keyOfTag(tag, "blobs") ?? keyOfTag(tag, "gc")).toBeUndefined();
    }
    expect(keyOfTag(`layouts.${hex}`, "blobs")).toBeUndefined();
  });
});

describe("other registries", () => {
  const QUICK: OciOptions = { stallMs: 2_000, retry: { baseMs: 1 }, wholeBytes: 1_000, chunkBytes: 1_000 };
  const open = (host: string, env: Context["env"] = {}, more: Partial<Context> = {}): Driver =>
    value(openOci(contextOf(env, more), `oci://${host}/acme/m`, QUICK));

  test("opening sends nothing", () => {
    const silent = (): never => {
      throw new Error("something was sent");
    };
    expect(value(openOci(contextOf({}, { fetch: silent }), "oci://ghcr.io/acme/m")).url).toBe("oci://ghcr.io/acme/m");
  });

  test("requests one after the other share a connection, whatever is answered", async () => {
    await using registry = await FakeRegistry.start();
    const driver = open(registry.host);
    for (const word of "abcdefghij") expect(value(await driver.stat(`gc/${word}`))).toBeUndefined();
    value(await driver.put("gc/a", bodyFor(Buffer.from("a"))));
    for (let times = 0; times < 10; times++) expect(String(await bytesOf(driver, "gc/a"))).toBe("a");
    expect(registry.seen.length).toBeGreaterThan(30);
    // The client of Node ends a connection after a HEAD, whatever the server says; there are two.
    expect(registry.connections).toBeLessThan(6);
  });

  test("tags come in pages, each object once", async () => {
    await using registry = await FakeRegistry.start();
    const driver = open(registry.host);
    const blobs = Array.from({ length: 8 }, (_, at) => Buffer.from(`object ${at}`));
    for (const blob of blobs) value(await driver.put(keyOf(blob), bodyFor(blob)));
    registry.manifests.set("latest", Buffer.from("an image of somebody else"));
    expect(await keysOf(driver, "blobs")).toEqual(blobs.map(keyOf).sort());
    expect(registry.seen.filter(({ url }) => url.includes("tags/list"))).toHaveLength(3);
  });

  test.each([
    ["in a circle", (last: string) => `/v2/acme/m/tags/list?circle=${last}`],
    ["to another host", () => "http://127.0.0.1:9/v2/acme/m/tags/list"],
  ])("pages that lead %s are an error, not the end of the list", async (_, link) => {
    await using registry = await FakeRegistry.start();
    const driver = open(registry.host);
    for (const word of ["a", "b", "c", "d"]) value(await driver.put(`gc/${word}`, bodyFor(Buffer.from(word))));
    registry.link = link;
    await expect(keysOf(driver, "gc")).rejects.toThrow("lead nowhere");
  });

  test("an upload that was cut in the middle of a chunk goes on at the byte the registry has", async () => {
    await using registry = await FakeRegistry.start();
    const bytes = randomBytes(200_000);
    registry.cutAt = 120_000;
    const driver = value(openOci(contextOf(), `oci://${registry.host}/acme/m`, { ...QUICK, chunkBytes: 80_000 }));
    value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    const [first, second] = registry.chunks;
    expect(first).toBe("0-79999");
    expect(Number(second?.split("-")[0])).toBeGreaterThanOrEqual(120_000);
    expect(registry.blobs.get(nameOf(bytes))?.equals(bytes)).toBe(true);
  });

  test("a registry that takes less than was sent gets the rest", async () => {
    await using registry = await FakeRegistry.start();
    registry.most = 700;
    const bytes = randomBytes(2_500);
    value(await open(registry.host).put(keyOf(bytes), bodyFor(bytes)));
    expect(registry.chunks).toEqual(["0-999", "700-1699", "1400-2399", "2100-2499"]);
    expect(registry.blobs.get(nameOf(bytes))?.equals(bytes)).toBe(true);
  });

  test("a registry whose count never moves is not believed", async () => {
    await using registry = await FakeRegistry.start();
    registry.stale = true;
    const bytes = randomBytes(2_500);
    value(await open(registry.host).put(keyOf(bytes), bodyFor(bytes)));
    expect(registry.chunks).toEqual(["0-999", "1000-1999", "2000-2499"]);
  });

  test("chunks are as long as the registry wants them at least", async () => {
    await using registry = await FakeRegistry.start();
    registry.least = 2_000;
    const bytes = randomBytes(2_500);
    value(await open(registry.host).put(keyOf(bytes), bodyFor(bytes)));
    expect(registry.chunks).toEqual(["0-1999", "2000-2499"]);
  });

  test("credentials do not follow bytes to another host", async () => {
    await using registry = await FakeRegistry.start();
    await using storage = await FakeRegistry.start();
    registry.elsewhere = `http://localhost:${storage.port}`;
    registry.uploadsAt = `http://localhost:${storage.port}`;
    const bytes = randomBytes(500);
    storage.blobs.set(nameOf(bytes), bytes);
    registry.blobs.set(nameOf(bytes), bytes);
    // Asks for a password once, as a registry would.
    let asked = false;
    const ask: typeof fetch = async (input, init) => {
      if (asked) return fetch(input, init);
      asked = true;
      return new Response("", { status: 401, headers: { "www-authenticate": "Basic realm=x" } });
    };
    const env = { LOCKSTEP_OCI_USERNAME: "ada", LOCKSTEP_OCI_PASSWORD: "hunter2" };
    const driver = open(registry.host, env, { fetch: ask });
    expect((await bytesOf(driver, keyOf(bytes)))?.equals(bytes)).toBe(true);
    const fresh = randomBytes(400);
    value(await driver.put(keyOf(fresh), bodyFor(fresh)));
    expect(registry.seen.every(({ authorization }) => authorization?.startsWith("Basic ") === true)).toBe(true);
    expect(storage.seen.map(({ method, authorization }) => [method, authorization])).toEqual([
      ["GET", undefined],
      ["PUT", undefined],
      ["PUT", undefined],
    ]);
  });

  test.each(["http://tokens.example/t", "ftp://tokens.example/t", "", "not a url"])(
    "a secret does not go to a token server at %o",
    async (realm) => {
      const asked: string[] = [];
      const answer: typeof fetch = async (input) => {
        asked.push(new Request(input).url);
        return new Response("", { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}"` } });
      };
      const env = { LOCKSTEP_OCI_USERNAME: "ada", LOCKSTEP_OCI_PASSWORD: "hunter2" };
      const failure = failureOf(await open("reg.example", env, { fetch: answer }).stat("gc/x"));
      expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining("token server") });
      expect(asked).toEqual(["https://reg.example/v2/acme/m/manifests/gc.x"]);
    },
  );

  test("an identity token is exchanged, and goes to the token server alone", async () => {
    using folder = temporary();
    const auths = { "reg.example": { identitytoken: "long-lived" } };
    writeFileSync(join(folder.path, "config.json"), JSON.stringify({ auths }));
    const seen: [string, string, string | null][] = [];
    const answer: typeof fetch = async (input, init) => {
      const { url } = new Request(input);
      const headers = new Headers(init?.headers);
      seen.push([url, init?.body instanceof URLSearchParams ? String(init.body) : "", headers.get("authorization")]);
      if (url.startsWith("https://tokens.example")) return Response.json({ access_token: "short" });
      if (headers.has("authorization")) return new Response("", { status: 404 });
      const challenge = 'Bearer realm="https://tokens.example/t",service="reg"';
      return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
    };
    const driver = open("reg.example", { DOCKER_CONFIG: folder.path }, { fetch: answer });
    expect(value(await driver.stat("gc/x"))).toBeUndefined();
    const form =
      "service=reg&scope=repository%3Aacme%2Fm%3Apull&grant_type=refresh_token&client_id=lockstep&refresh_token=long-lived";
    expect(seen).toEqual([
      ["https://reg.example/v2/acme/m/manifests/gc.x", "", null],
      ["https://tokens.example/t", form, null],
      ["https://reg.example/v2/acme/m/manifests/gc.x", "", "Bearer short"],
    ]);
  });

  test("what a registry says is shortened and made fit for a terminal", async () => {
    const errors = [{ code: "DENIED", message: `\u001b[31m${"no ".repeat(5_000)}` }];
    const answer: typeof fetch = async () => Response.json({ errors }, { status: 403 });
    const failure = failureOf(await open("reg.example", {}, { fetch: answer }).stat("gc/x"));
    expect(failure).toMatchObject({ problem: expect.stringContaining("403 DENIED") });
    expect(JSON.stringify(failure).length).toBeLessThan(1_000);
    expect(JSON.stringify(failure)).not.toContain("\\u001b");
  });
});
