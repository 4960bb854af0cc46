import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Digest, Failure } from "../../../src/core/index.ts";
import { bodyOf } from "../../../src/store/driver.ts";
import type { Body, Driver, Key, KeyKind, ObjectInfo, Range } from "../../../src/store/driver.ts";
import { value } from "../../helpers/value.ts";
import type { Faulty, When } from "./faulty.ts";

/** What a driver brings to the contract: a new, empty store on the real thing. */
export interface DriverSubject {
  readonly driver: Driver;
  /** A second handle on the same objects, as another machine would have; its work ends when `signal` says so. */
  readonly again: (signal?: AbortSignal) => Driver;
  /** ms by which the remote's clock may differ from this machine's; 5,000 unless told. */
  readonly skewMs?: number;
  /** Objects of the test for long lists; 1,100 unless told: more than a page of every remote. */
  readonly many?: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A subject whose drivers reach the remote through a proxy. Their pauses and time limits have to be short. */
export interface FaultySubject extends DriverSubject {
  readonly proxy: Faulty;
  /** The requests that carry the bytes of an object to the driver. */
  readonly reads: When;
  /** The requests that carry the bytes of an object to the remote. */
  readonly writes: When;
}

/** What every driver promises (`src/store/driver.ts`). A driver's test calls this with a factory, and adds its own. */
export function driverContract(name: string, create: () => Promise<DriverSubject>): void {
  describe(`driver contract: ${name}`, () => {
    test("what is put is there, whole and in ranges", async () => {
      await using subject = await create();
      const bytes = randomBytes(300_000);
      const key = keyOf(bytes);
      expect(value(await subject.driver.stat(key))).toBeUndefined();
      expect(await bytesOf(subject.driver, key)).toBeUndefined();
      value(await subject.driver.put(key, bodyFor(bytes)));
      const other = subject.again();
      expect(value(await other.stat(key))).toMatchObject({ size: bytes.length });
      expect((await bytesOf(other, key))?.equals(bytes)).toBe(true);
      for (const [offset, length] of [
        [0, 1],
        [bytes.length / 2, 1],
        [bytes.length - 1, 1],
        [12_345, 100_001],
        [0, bytes.length],
      ] as const) {
        const part = await bytesOf(other, key, { offset, length });
        expect(part?.equals(bytes.subarray(offset, offset + length)), `${offset}+${length}`).toBe(true);
      }
    });

    test("a range past the end is a failure that names the object, and hands nothing over", async () => {
      await using subject = await create();
      const key = keyOf(Buffer.from("ten bytes."));
      value(await subject.driver.put(key, bodyFor(Buffer.from("ten bytes."))));
      for (const range of [
        { offset: 10, length: 1 },
        { offset: 9, length: 2 },
        { offset: 5_000, length: 10 },
      ]) {
        const given: Uint8Array[] = [];
        const result = await subject.driver.get(key, (chunk) => void given.push(chunk), range);
        expect(failureOf(result)).toMatchObject({ code: "external", what: expect.stringContaining(key) });
        expect(given).toEqual([]);
      }
    });

    test("an empty object is an object", async () => {
      await using subject = await create();
      const key = keyOf(Buffer.alloc(0));
      value(await subject.driver.put(key, bodyFor(Buffer.alloc(0))));
      expect(value(await subject.again().stat(key))).toMatchObject({ size: 0 });
      expect((await bytesOf(subject.again(), key))?.length).toBe(0);
    });

    test("20 MB from a source that gives small and large pieces", async () => {
      await using subject = await create();
      const bytes = randomBytes(20_000_003);
      const key = keyOf(bytes);
      value(await subject.driver.put(key, inPieces(bytes, [1, 70_000, 3, 2_000_000])));
      expect((await bytesOf(subject.again(), key))?.equals(bytes)).toBe(true);
      const part = await bytesOf(subject.again(), key, { offset: 9_999_999, length: 5_000_000 });
      expect(part?.equals(bytes.subarray(9_999_999, 14_999_999))).toBe(true);
    });

    test("the time of an object is when it was written", async () => {
      await using subject = await create();
      const skew = subject.skewMs ?? 5_000;
      const before = Date.now();
      const key: Key = "gc/started";
      value(await subject.driver.put(key, bodyFor(Buffer.from("x"))));
      const modified = value(await subject.driver.stat(key))?.modified ?? 0;
      expect(modified).toBeGreaterThan(before - skew);
      expect(modified).toBeLessThan(Date.now() + skew);
      const [found] = await listed(subject.driver, "gc");
      expect(Math.abs((found?.modified ?? 0) - modified)).toBeLessThan(1_000); // seconds are all that some headers hold
    });

    test("an object that is there is not written again", async () => {
      await using subject = await create();
      const bytes = randomBytes(1_000);
      const key = keyOf(bytes);
      value(await subject.driver.put(key, bodyFor(bytes)));
      const unread: Body = {
        ...bodyFor(bytes),
        read: () => {
          throw new Error("it was read again");
        },
      };
      value(await subject.again().put(key, unread));
      expect((await bytesOf(subject.driver, key))?.equals(bytes)).toBe(true);
    });

    test("`replace` writes it again, and another size is mended without being told", async () => {
      await using subject = await create();
      const key: Key = `layouts/${"ab".repeat(32)}`;
      value(await subject.driver.put(key, bodyFor(Buffer.from("first"))));
      value(await subject.again().put(key, bodyFor(Buffer.from("other")), { replace: true }));
      expect(String(await bytesOf(subject.driver, key))).toBe("other");
      value(await subject.again().put(key, bodyFor(Buffer.from("a longer one"))));
      expect(String(await bytesOf(subject.driver, key))).toBe("a longer one");
    });

    test("two writers of one object both succeed", async () => {
      await using subject = await create();
      const bytes = randomBytes(400_000);
      const key = keyOf(bytes);
      const writers = [subject.driver, subject.again(), subject.again(), subject.again()];
      const results = await Promise.all(writers.map((driver) => driver.put(key, inPieces(bytes, [50_000]))));
      results.forEach(value);
      expect((await bytesOf(subject.again(), key))?.equals(bytes)).toBe(true);
      expect((await keysOf(subject.driver, "blobs")).length).toBe(1);
    });

    test("two writers of different bytes under one key leave the bytes of one", async () => {
      await using subject = await create();
      const key: Key = `layouts/${"cd".repeat(32)}`;
      const versions = [Buffer.alloc(100_000, "a"), Buffer.alloc(100_000, "b")];
      const put = (bytes: Buffer): Promise<unknown> => subject.again().put(key, bodyFor(bytes), { replace: true });
      await Promise.all(versions.map(put));
      const left = await bytesOf(subject.driver, key);
      expect(versions.some((version) => left?.equals(version))).toBe(true);
    });

    test("lists each kind by itself, with sizes", async () => {
      await using subject = await create();
      const blobs = [Buffer.from("one"), Buffer.from("three")];
      for (const blob of blobs) value(await subject.driver.put(keyOf(blob), bodyFor(blob)));
      value(await subject.driver.put(`layouts/${"0f".repeat(32)}`, bodyFor(Buffer.from("layout"))));
      value(await subject.driver.put(`checkpoints/${"1e".repeat(32)}`, bodyFor(Buffer.from("latest"))));
      value(await subject.driver.put("gc/mark", bodyFor(Buffer.from("m"))));
      const found = await listed(subject.again(), "blobs");
      const sizes = new Map(found.map(({ key, size }) => [key, size]));
      expect(sizes).toEqual(new Map(blobs.map((blob) => [keyOf(blob), blob.length])));
      expect(await keysOf(subject.again(), "layouts")).toEqual([`layouts/${"0f".repeat(32)}`]);
      expect(await keysOf(subject.again(), "checkpoints")).toEqual([`checkpoints/${"1e".repeat(32)}`]);
      expect(await keysOf(subject.again(), "gc")).toEqual(["gc/mark"]);
    });

    test("lists nothing in a store that is empty", async () => {
      await using subject = await create();
      for (const kind of ["blobs", "layouts", "checkpoints", "gc"] as const)
        expect(await keysOf(subject.driver, kind)).toEqual([]);
    });

    test("lists more than one page, each object once", async () => {
      await using subject = await create();
      const blobs = Array.from({ length: subject.many ?? 1_100 }, (_, at) => Buffer.from(`object ${at}`));
      const left = [...blobs];
      const writer = async (): Promise<void> => {
        for (let blob = left.pop(); blob !== undefined; blob = left.pop()) {
          // oxlint-disable-next-line no-await-in-loop -- as many at a time as the driver is wide
          value(await subject.driver.put(keyOf(blob), bodyFor(blob)));
        }
      };
      await Promise.all(Array.from({ length: subject.driver.width }, writer));
      expect(await keysOf(subject.again(), "blobs")).toEqual(blobs.map(keyOf).sort());
    });

    test("deletes, twice as well as once", async () => {
      await using subject = await create();
      const [gone, kept] = [Buffer.from("gone"), Buffer.from("kept")];
      for (const blob of [gone, kept]) value(await subject.driver.put(keyOf(blob), bodyFor(blob)));
      value(await subject.driver.delete(keyOf(gone)));
      value(await subject.again().delete(keyOf(gone)));
      expect(value(await subject.again().stat(keyOf(gone)))).toBeUndefined();
      expect(await keysOf(subject.again(), "blobs")).toEqual([keyOf(kept)]);
      value(await subject.driver.put(keyOf(gone), bodyFor(gone)));
      expect(String(await bytesOf(subject.again(), keyOf(gone)))).toBe("gone");
    });

    test("a source that cannot be read to its end leaves nothing behind", async () => {
      await using subject = await create();
      const bytes = randomBytes(200_000);
      const broken: Body = {
        ...bodyFor(bytes),
        async *read(offset) {
          yield bytes.subarray(offset, 100_000);
          throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" });
        },
      };
      const failure = failureOf(await subject.driver.put(keyOf(bytes), broken));
      expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining("EIO") });
      await isAbsent(subject, bytes);
    });

    test.each([
      ["other bytes", (bytes: Buffer) => bodyOf(randomBytes(bytes.length), nameOf(bytes))],
      ["fewer bytes", (bytes: Buffer) => ({ ...bodyFor(bytes.subarray(0, -7)), size: bytes.length })],
      ["more bytes", (bytes: Buffer) => ({ ...inPieces(bytes, [64_000], true), size: bytes.length - 7 })],
    ])("%s than were announced are refused and not published", async (_, lie) => {
      await using subject = await create();
      const bytes = randomBytes(200_000);
      const failure = failureOf(await subject.driver.put(keyOf(bytes), lie(bytes)));
      expect(failure).toMatchObject({ code: "external", what: expect.stringContaining(keyOf(bytes)) });
      await isAbsent(subject, bytes);
    });

    test("what the sink throws ends the transfer and is thrown on", async () => {
      await using subject = await create();
      const bytes = randomBytes(3_000_000);
      value(await subject.driver.put(keyOf(bytes), bodyFor(bytes)));
      // As the system says it, which is not to be taken for trouble with the remote.
      const problem = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", syscall: "write" });
      let calls = 0;
      const sink = (): void => {
        calls++;
        throw problem;
      };
      await expect(subject.driver.get(keyOf(bytes), sink)).rejects.toBe(problem);
      expect(calls).toBe(1);
      expect((await bytesOf(subject.driver, keyOf(bytes)))?.equals(bytes)).toBe(true);
    });

    test("an abort ends a put as interrupted, and leaves nothing behind", async () => {
      await using subject = await create();
      const abort = new AbortController();
      const bytes = randomBytes(500_000);
      const body: Body = {
        ...bodyFor(bytes),
        async *read(offset, length) {
          const half = Math.floor(length / 2);
          yield bytes.subarray(offset, offset + half);
          abort.abort();
          yield bytes.subarray(offset + half, offset + length);
        },
      };
      expect(failureOf(await subject.again(abort.signal).put(keyOf(bytes), body))).toEqual({ code: "interrupted" });
      await isAbsent(subject, bytes);
      expect(failureOf(await subject.again(abort.signal).put(keyOf(bytes), bodyFor(bytes))).code).toBe("interrupted");
      await isAbsent(subject, bytes);
    });

    test("an abort ends a get as interrupted", async () => {
      await using subject = await create();
      const bytes = randomBytes(5_000_000);
      value(await subject.driver.put(keyOf(bytes), bodyFor(bytes)));
      const abort = new AbortController();
      const result = await subject.again(abort.signal).get(keyOf(bytes), () => abort.abort());
      expect(failureOf(result)).toEqual({ code: "interrupted" });
    });
  });
}

/**
 * What every driver does about a bad network and a bad remote. `signedRange`: the remote refuses a request whose range
 * the proxy has taken away, so that the driver's own test needs a server for answers with other ranges.
 */
export function faultContract(
  name: string,
  create: () => Promise<FaultySubject>,
  { signedRange = false }: { readonly signedRange?: boolean } = {},
): void {
  describe(`driver faults: ${name}`, () => {
    const bytes = randomBytes(900_000);
    const key = keyOf(bytes);
    const stored = async (): Promise<FaultySubject> => {
      const subject = await create();
      value(await subject.driver.put(key, bodyFor(bytes)));
      subject.proxy.reset();
      return subject;
    };

    test.each([
      ["429", { kind: "answer", status: 429, headers: { "retry-after": "0" } }],
      ["500", { kind: "answer", status: 500 }],
      ["503", { kind: "answer", status: 503 }],
      ["a connection that is cut before the answer", { kind: "lose-answer" }],
      ["a connection that is cut in the middle", { kind: "cut-response", after: 300_000 }],
      ["half a body", { kind: "cut-response", after: 300_000, politely: true }],
      ["an answer that never comes", { kind: "stall" }],
      ["a body that stops coming", { kind: "stall", after: 300_000 }],
    ] as const)("a get survives %s", async (_, fault) => {
      await using subject = await stored();
      subject.proxy.plan(fault, { ...subject.reads, times: 2 });
      expect((await bytesOf(subject.driver, key))?.equals(bytes)).toBe(true);
      expect(subject.proxy.struck).toBe(true);
    });

    test("a get that was cut goes on where it was", async () => {
      await using subject = await stored();
      subject.proxy.plan({ kind: "cut-response", after: 600_000, politely: true }, subject.reads);
      expect((await bytesOf(subject.driver, key))?.equals(bytes)).toBe(true);
      expect(subject.proxy.requests.at(-1)?.headers["range"]).toMatch(/^bytes=[1-9]\d*-/);
    });

    test.each([
      ["429", { kind: "answer", status: 429, headers: { "retry-after": "0" } }],
      ["500", { kind: "answer", status: 500 }],
      ["503", { kind: "answer", status: 503 }],
      ["a connection that is cut in the middle", { kind: "cut-request", after: 300_000 }],
      ["an answer that is lost", { kind: "lose-answer" }],
      ["a remote that stops reading", { kind: "stall-request", after: 300_000 }],
      ["an answer that never comes", { kind: "stall" }],
    ] as const)("a put survives %s", async (_, fault) => {
      await using subject = await stored();
      const other = randomBytes(800_000);
      subject.proxy.plan(fault, subject.writes);
      value(await subject.driver.put(keyOf(other), bodyFor(other)));
      expect(subject.proxy.struck).toBe(true);
      expect((await bytesOf(subject.again(), keyOf(other)))?.equals(other)).toBe(true);
    });

    test.skipIf(signedRange).each([
      ["everything", { kind: "ignore-range" }],
      ["another range", { kind: "wrong-range" }],
    ] as const)("a range that is answered with %s hands over no wrong byte", async (_, fault) => {
      await using subject = await stored();
      const range = { offset: 1_000, length: 200_000 };
      subject.proxy.plan(fault, subject.reads);
      expect((await bytesOf(subject.driver, key, range))?.equals(bytes.subarray(1_000, 201_000))).toBe(true);
      expect(subject.proxy.struck).toBe(true);
    });

    test.each([
      ["500", { kind: "answer", status: 500 }],
      ["403", { kind: "answer", status: 403 }],
      ["silence", { kind: "stall" }],
    ] as const)("a remote that answers nothing but %s is a failure that names object and remote", async (_, fault) => {
      await using subject = await stored();
      const other = randomBytes(50_000);
      const otherKey = keyOf(other);
      subject.proxy.plan(fault, { times: Infinity });
      const got = failureOf(await subject.driver.get(key, () => {}));
      expect(got).toMatchObject({ code: "external", what: expect.stringContaining(key) });
      expect(got).toMatchObject({ what: expect.stringContaining(subject.driver.url) });
      const put = failureOf(await subject.driver.put(otherKey, bodyFor(other)));
      expect(put).toMatchObject({ code: "external", what: expect.stringContaining(otherKey) });
      expect(put).toMatchObject({ what: expect.stringContaining(subject.driver.url) });
      expect(subject.proxy.count()).toBeLessThan(40);
      subject.proxy.reset();
      await isAbsent(subject, other);
    });

    test("a list whose next page is refused ends as an error, not as a short list", async () => {
      await using subject = await stored();
      subject.proxy.plan({ kind: "answer", status: 403 }, { times: Infinity });
      await expect(keysOf(subject.again(), "blobs")).rejects.toThrow(/./);
    });
  });
}

export function nameOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

export function keyOf(bytes: Uint8Array): Key {
  return `blobs/${nameOf(bytes).slice("sha256:".length)}`;
}

export function bodyFor(bytes: Uint8Array): Body {
  return bodyOf(bytes, nameOf(bytes));
}

/** Gives pieces of these lengths in turn; `beyond`: all there is, whatever length was asked for. */
export function inPieces(bytes: Buffer, lengths: readonly number[], beyond = false): Body {
  return {
    ...bodyFor(bytes),
    async *read(offset, length) {
      const end = beyond ? bytes.length : offset + length;
      for (let at = offset, turn = 0; at < end; turn++) {
        const next = Math.min(end, at + (lengths[turn % lengths.length] ?? 1));
        yield bytes.subarray(at, next);
        at = next;
      }
    },
  };
}

/** What a get hands over; undefined when the object is not there. */
export async function bytesOf(driver: Driver, key: Key, range?: Range): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  const there = value(await driver.get(key, (chunk) => void chunks.push(Buffer.from(chunk)), range));
  if (!there) expect(chunks).toEqual([]);
  return there ? Buffer.concat(chunks) : undefined;
}

export async function keysOf(driver: Driver, kind: KeyKind): Promise<Key[]> {
  return (await listed(driver, kind)).map(({ key }) => key).sort();
}

async function listed(driver: Driver, kind: KeyKind): Promise<(ObjectInfo & { readonly key: Key })[]> {
  const objects = [];
  for await (const object of driver.list(kind)) objects.push(object);
  return objects;
}

export function failureOf(result: { readonly ok: boolean } & object): Failure {
  if ("failures" in result) return (result.failures as readonly [Failure])[0];
  throw new Error("it should have failed");
}

async function isAbsent(subject: DriverSubject, bytes: Uint8Array): Promise<void> {
  expect(value(await subject.again().stat(keyOf(bytes)))).toBeUndefined();
  expect(await keysOf(subject.again(), "blobs")).not.toContain(keyOf(bytes));
}
