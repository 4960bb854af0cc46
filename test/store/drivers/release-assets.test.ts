import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Key } from "../../../src/store/driver.ts";
import { value } from "../../helpers/value.ts";
import { bodyFor, bytesOf, failureOf, keyOf, keysOf } from "./contract.ts";
import { ReleaseRig } from "./release-rig.ts";

const blob = (text: string): Buffer => Buffer.from(text);
const LAYOUT: Key = `layouts/${"ab".repeat(32)}`;
const nameOf = (bytes: Buffer): string => keyOf(bytes).replace("/", ".");
/** Larger than what the sandbox hands out without a redirect. */
const large = (text: string): Buffer => Buffer.alloc(200_000, text);

let rig: ReleaseRig;
beforeAll(async () => {
  rig = await ReleaseRig.start();
});
afterAll(async () => rig[Symbol.asyncDispose]());
beforeEach(() => void rig.next());
afterEach(() => expect(rig.rig.openapi.violations()).toEqual([]));

describe("releases", () => {
  test("are opened as they fill, and places that come free are used again", async () => {
    const driver = rig.driver({ perRelease: 3 });
    const blobs = ["a", "b", "c", "d", "e", "f", "g"].map(blob);
    (await Promise.all(blobs.map(async (bytes) => driver.put(keyOf(bytes), bodyFor(bytes))))).forEach(value);
    expect(rig.releases.map(({ tagName, assets }) => [tagName, assets.length])).toEqual([
      [`${rig.prefix}-0001`, 3],
      [`${rig.prefix}-0002`, 3],
      [`${rig.prefix}-0003`, 1],
    ]);
    expect(rig.proxy.count({ method: "POST", path: /\/releases$/ })).toBe(3);
    expect(await keysOf(rig.driver({ perRelease: 3 }), "blobs")).toEqual(blobs.map(keyOf).sort());
    const other = rig.driver({ perRelease: 3 });
    const [first] = rig.releases[0]!.assets;
    value(await other.delete(`blobs/${first!.name.slice("blobs.".length)}`));
    for (const text of ["h", "i", "j"]) value(await other.put(keyOf(blob(text)), bodyFor(blob(text))));
    expect(rig.releases.map(({ assets }) => assets.length)).toEqual([3, 3, 3]);
  });

  test("are published, and never the latest", async () => {
    value(await rig.driver().put(keyOf(blob("a")), bodyFor(blob("a"))));
    expect(rig.releases).toMatchObject([{ draft: false, prerelease: true }]);
    expect(await rig.rig.git("ls-remote", rig.rig.sandbox.cloneUrl("ada/digits", "ada"), "refs/tags/*")).toContain(
      `refs/tags/${rig.prefix}-0001`,
    );
    const latest = rig.rig.octokit("ada").rest.repos.getLatestRelease(rig.rig.repo);
    await expect(latest).rejects.toMatchObject({ status: 404 });
  });

  test("that two writers open at once are one", async () => {
    const blobs = ["a", "b", "c", "d"].map(blob);
    const puts = blobs.map(async (bytes) => rig.driver().put(keyOf(bytes), bodyFor(bytes)));
    (await Promise.all(puts)).forEach(value);
    expect(rig.releases.map(({ assets }) => assets.length)).toEqual([4]);
  });

  test("that others filled meanwhile are left for the next", async () => {
    const late = rig.driver({ perRelease: 2 });
    value(await late.put(keyOf(blob("a")), bodyFor(blob("a"))));
    const { assets } = rig.releases[0]!;
    // Another writer's 999 assets, which `late` has not seen.
    for (let at = 0; assets.length < 1_000; at++) {
      assets.push({ ...assets[0]!, id: rig.rig.sandbox.world.nextId(), name: `foreign-${at}.txt` });
    }
    value(await late.put(keyOf(blob("b")), bodyFor(blob("b"))));
    expect(rig.releases[1]?.assets.map(({ name }) => name)).toEqual([nameOf(blob("b"))]);
    expect(await keysOf(rig.driver(), "blobs")).toEqual([keyOf(blob("a")), keyOf(blob("b"))].sort());
  });

  test("that were deleted are forgotten, and their numbers are not used again", async () => {
    const driver = rig.driver();
    value(await driver.put(keyOf(blob("a")), bodyFor(blob("a"))));
    const octokit = rig.rig.octokit("ada");
    await octokit.rest.repos.deleteRelease({ ...rig.rig.repo, release_id: rig.releases[0]!.id });
    expect(await keysOf(driver, "blobs")).toEqual([]);
    value(await driver.put(keyOf(blob("b")), bodyFor(blob("b"))));
    expect(rig.releases.map(({ tagName }) => tagName)).toEqual([`${rig.prefix}-0002`]);
  });

  test("are not opened for a limit that is not theirs", async () => {
    const body = JSON.stringify({ message: "Validation Failed", errors: [{ message: "over the limit of the plan" }] });
    const headers = { "content-type": "application/json" };
    rig.proxy.plan({ kind: "answer", status: 422, headers, body }, { path: /assets\?name=/, times: Infinity });
    const failure = failureOf(await rig.driver().put(keyOf(blob("a")), bodyFor(blob("a"))));
    expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining("limit of the plan") });
    expect(rig.releases).toHaveLength(1);
  });

  test("with another prefix are another store", async () => {
    value(await rig.driver().put(keyOf(blob("a")), bodyFor(blob("a"))));
    for (const url of ["release://ada/digits", `release://ada/digits?tag=${rig.prefix}-more`]) {
      expect(await keysOf(rig.driver({ url }), "blobs")).toEqual([]);
      value(await rig.driver({ url }).put(keyOf(blob("b")), bodyFor(blob("b"))));
      expect(await keysOf(rig.driver({ url }), "blobs")).toEqual([keyOf(blob("b"))]);
    }
    expect(await keysOf(rig.driver(), "blobs")).toEqual([keyOf(blob("a"))]);
  });
});

describe("half uploads", () => {
  const cut = async (bytes: Buffer): Promise<void> => {
    const abort = new AbortController();
    const body = {
      ...bodyFor(bytes),
      async *read() {
        yield bytes.subarray(0, 100_000);
        yield bytes.subarray(100_000, 150_000);
        while (!rig.names.includes(nameOf(bytes))) await new Promise(setImmediate);
        abort.abort(); // as if the process had been killed: nothing is cleaned up
        yield bytes.subarray(150_000);
      },
    };
    await rig.driver({ world: { signal: abort.signal } }).put(keyOf(bytes), body);
    expect(rig.releases[0]?.assets).toMatchObject([{ name: nameOf(bytes), starter: true, size: bytes.length }]);
  };

  test("are no objects", async () => {
    const bytes = large("a");
    await cut(bytes);
    expect(value(await rig.driver().stat(keyOf(bytes)))).toBeUndefined();
    expect(await bytesOf(rig.driver(), keyOf(bytes))).toBeUndefined();
    expect(await keysOf(rig.driver(), "blobs")).toEqual([]);
  });

  test("of a writer that may be at work stay, and are no hindrance", async () => {
    const bytes = large("a");
    await cut(bytes);
    const driver = rig.driver();
    value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    expect(rig.names).toEqual([nameOf(bytes), `${nameOf(bytes)}.2`]);
    expect((await bytesOf(driver, keyOf(bytes)))?.equals(bytes)).toBe(true);
  });

  test("that began after the list was read are left alone too, and their writer ends well", async () => {
    const bytes = large("a");
    const [early, late] = [rig.driver(), rig.driver()];
    value(await late.put(keyOf(blob("b")), bodyFor(blob("b")))); // it has read the list
    const slow = {
      ...bodyFor(bytes),
      async *read() {
        yield bytes.subarray(0, 100_000);
        yield bytes.subarray(100_000, 150_000);
        while (!rig.names.includes(nameOf(bytes))) await new Promise(setImmediate);
        value(await late.put(keyOf(bytes), bodyFor(bytes)));
        yield bytes.subarray(150_000);
      },
    };
    const sent = rig.proxy.requests.length;
    value(await early.put(keyOf(bytes), slow));
    const changes = rig.proxy.requests.slice(sent).filter(({ method }) => method !== "GET");
    expect(changes.map(({ method, status }) => [method, status])).toEqual([
      ["POST", 201], // of the one that was early, and ended last
      ["POST", 422],
      ["POST", 201],
    ]);
    expect((await bytesOf(rig.driver(), keyOf(bytes)))?.equals(bytes)).toBe(true);
  });

  test("of a writer that is gone are deleted, whatever is written next", async () => {
    const bytes = large("a");
    await cut(bytes);
    rig.releases[0]!.assets[0]!.updatedAt = new Date(Date.now() - 20 * 60_000).toISOString();
    value(await rig.driver().put(keyOf(blob("b")), bodyFor(blob("b"))));
    expect(rig.names).toEqual([nameOf(blob("b"))]);
  });

  test("of its own are deleted before it tries again, also when GitHub says only that the name is taken", async () => {
    const bytes = large("a");
    rig.proxy.plan({ kind: "cut-request", after: 50_000 }, { method: "POST", path: /assets\?name=/ });
    const driver = rig.driver();
    value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    expect(rig.releases[0]?.assets.map(({ name, starter }) => [name, starter])).toEqual([[nameOf(bytes), undefined]]);
  });

  test("whose answer was lost are found whole, and not sent twice", async () => {
    const bytes = large("a");
    const uploads = { method: "POST", path: /assets\?name=/ };
    rig.proxy.plan({ kind: "lose-answer" }, uploads);
    value(await rig.driver().put(keyOf(bytes), bodyFor(bytes)));
    expect(rig.proxy.count(uploads)).toBe(1);
    expect(rig.names).toEqual([nameOf(bytes)]);
  });
});

describe("what arrives", () => {
  /** A network that changes a byte of the first `times` uploads. */
  const flipping = (times: number): typeof fetch => {
    let left = times;
    return async (input, init) => {
      if (typeof input !== "string" || !input.includes("/assets?name=") || left-- <= 0) return fetch(input, init);
      const flip = new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, control) => control.enqueue(chunk.map((byte, at) => (at === 0 ? byte ^ 1 : byte))),
      });
      if (!(init?.body instanceof ReadableStream)) throw new Error("the upload is no stream");
      return fetch(input, { ...init, body: (init.body as ReadableStream<Uint8Array>).pipeThrough(flip) });
    };
  };

  test("is held against its digest; what is wrong is deleted and sent again", async () => {
    const bytes = large("a");
    value(await rig.driver({ world: { fetch: flipping(2) } }).put(keyOf(bytes), bodyFor(bytes)));
    expect(rig.names).toEqual([nameOf(bytes)]);
    expect((await bytesOf(rig.driver(), keyOf(bytes)))?.equals(bytes)).toBe(true);
  });

  test("wrong every time is a failure, and nothing stays", async () => {
    const bytes = large("a");
    const failure = failureOf(await rig.driver({ world: { fetch: flipping(99) } }).put(keyOf(bytes), bodyFor(bytes)));
    expect(failure).toMatchObject({ code: "external", problem: expect.stringMatching(/arrived, not sha256:/) });
    expect(rig.names).toEqual([]);
  });

  test("without a digest has its size; with another digest it is no blob, and is mended", async () => {
    const bytes = large("a");
    value(await rig.driver().put(keyOf(bytes), bodyFor(bytes)));
    const [asset] = rig.releases[0]!.assets;
    asset!.digest = null;
    expect(value(await rig.driver().stat(keyOf(bytes)))).toMatchObject({ size: bytes.length });
    asset!.digest = `sha256:${"0".repeat(64)}`;
    const driver = rig.driver();
    expect(value(await driver.stat(keyOf(bytes)))).toBeUndefined();
    value(await driver.put(keyOf(bytes), bodyFor(bytes)));
    expect(rig.names).toEqual([`${nameOf(bytes)}.2`]);
    expect(await keysOf(rig.driver(), "blobs")).toEqual([keyOf(bytes)]);
  });

  test("is refused before it is sent where no asset can hold it", async () => {
    const body = { ...bodyFor(blob("a")), size: 2 * 1024 ** 3 };
    const failure = failureOf(await rig.driver().put(keyOf(blob("a")), body));
    expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining("2 GiB") });
    expect(rig.proxy.requests).toEqual([]);
  });
});

describe("an object that is written again", () => {
  test("is there at any moment: the new asset comes before the old one goes", async () => {
    const [writer, reader] = [rig.driver(), rig.driver({ recheckMs: { get: 60_000, stat: 60_000 } })];
    value(await writer.put(LAYOUT, bodyFor(blob("old"))));
    expect(String(await bytesOf(reader, LAYOUT))).toBe("old");
    rig.proxy.reset();
    value(await rig.driver().put(LAYOUT, bodyFor(blob("new")), { replace: true }));
    const changes = rig.proxy.requests.filter(({ method }) => method !== "GET").map(({ method }) => method);
    expect(changes).toEqual(["POST", "DELETE"]);
    // This reader knows the old asset only, and does not have to be told.
    expect(String(await bytesOf(reader, LAYOUT))).toBe("new");
    expect(rig.names).toHaveLength(1);
  });

  test("by one that had not seen the last version is the one that was written last", async () => {
    const [first, second] = [rig.driver({ recheckMs: { get: 60_000, stat: 60_000 } }), rig.driver()];
    value(await first.put(LAYOUT, bodyFor(blob("1")), { replace: true }));
    value(await second.put(LAYOUT, bodyFor(blob("2")), { replace: true }));
    value(await second.put(LAYOUT, bodyFor(blob("3")), { replace: true }));
    value(await first.put(LAYOUT, bodyFor(blob("4")), { replace: true }));
    expect(String(await bytesOf(rig.driver(), LAYOUT))).toBe("4");
    expect(rig.names).toHaveLength(1);
  });

  test("goes with all its versions when it is deleted, and nothing of others goes", async () => {
    const driver = rig.driver();
    value(await driver.put(LAYOUT, bodyFor(blob("1"))));
    const release = rig.releases[0]!;
    const [asset] = release.assets;
    const extra = { id: rig.rig.sandbox.world.nextId(), name: `${asset!.name}.2` };
    release.assets.push({ ...asset!, ...extra }, { ...asset!, id: extra.id + 1_000_000, name: "README.md" });
    value(await rig.driver().delete(LAYOUT));
    expect(rig.names).toEqual(["README.md"]);
  });
});
