import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest, Result } from "../../src/core/index.ts";
import { blobKey } from "../../src/store/index.ts";
import type { Store, StoredBlob } from "../../src/store/index.ts";
import { temporary } from "../git/repository.ts";

/** What a driver brings to the contract: a new, empty store on it, and ways to break what it keeps. */
export interface Subject {
  readonly store: Store;
  /** A second handle on the same blobs, as another machine would have. */
  readonly again: () => Store;
  /** Replaces the kept bytes of a blob, without the driver's knowledge. */
  readonly damage: (digest: Digest, bytes: Uint8Array) => void | Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a store promises on top of its driver, whichever that is: names, and bytes that are verified. */
export function storeContract(name: string, create: () => Promise<Subject>): void {
  describe(`store contract: ${name}`, () => {
    test("what is put is there, under the SHA-256 of its bytes", async () => {
      await using subject = await create();
      for (const bytes of [Buffer.alloc(0), Buffer.from("hello"), randomBytes(3_000_001)]) {
        const digest = name256(bytes);
        expect(must(await subject.store.has(digest))).toBe(false);
        expect(must(await subject.store.put(bytes))).toBe(digest);
        expect(must(await subject.again().has(digest))).toBe(true);
        expect(must(await subject.again().read(digest)).equals(bytes)).toBe(true);
      }
    });

    test("a file is put and taken out again", async () => {
      await using subject = await create();
      using folder = temporary();
      const bytes = randomBytes(5_000_003);
      writeFileSync(join(folder.path, "in"), bytes);
      const blob = must(await subject.store.putFile(join(folder.path, "in")));
      expect(blob).toEqual({ digest: name256(bytes), size: bytes.length });
      must(await subject.store.toFile(blob.digest, join(folder.path, "new/folder/out")));
      expect(readFileSync(join(folder.path, "new/folder/out")).equals(bytes)).toBe(true);
      expect(readdirSync(join(folder.path, "new/folder"))).toEqual(["out"]);
    });

    test("a blob is held as a file here, and refused when it is larger than the reader expects", async () => {
      await using subject = await create();
      const bytes = randomBytes(1001);
      const { store } = subject;
      const digest = must(await store.put(bytes));
      const held = must(await store.hold(digest, { maxBytes: 1001 }));
      expect(readFileSync(held.path).equals(bytes)).toBe(true);
      await held[Symbol.asyncDispose]();
      expect(must(await store.read(digest)).equals(bytes)).toBe(true);
      expect(await store.hold(digest, { maxBytes: 1000 })).toMatchObject({ failures: [{ code: "external" }] });
      await subject.damage(digest, Buffer.alloc(1001));
      expect(await store.hold(digest)).toMatchObject({ failures: [{ code: "blob-corrupt", digest }] });
      const absent = name256(Buffer.from("absent"));
      expect(await store.hold(absent)).toMatchObject({ failures: [{ code: "blob-missing" }] });
    });

    test("toFile replaces what is there", async () => {
      await using subject = await create();
      using folder = temporary();
      const target = join(folder.path, "file");
      writeFileSync(target, "a much longer text than the new one");
      must(await subject.store.toFile(must(await subject.store.put(Buffer.from("new"))), target));
      expect(readFileSync(target, "utf8")).toBe("new");
    });

    test("a blob that is not there is a failure, and leaves no file", async () => {
      await using subject = await create();
      using folder = temporary();
      const digest = name256(Buffer.from("absent"));
      const failures = [{ code: "blob-missing", digest, store: subject.store.url }];
      expect(await subject.store.read(digest)).toMatchObject({ ok: false, failures });
      expect(await subject.store.toFile(digest, join(folder.path, "x"))).toMatchObject({ ok: false, failures });
      expect(existsSync(join(folder.path, "x"))).toBe(false);
    });

    test("damaged bytes are never handed out, and the file they were to replace stays", async () => {
      await using subject = await create();
      using folder = temporary();
      const digest = must(await subject.store.put(Buffer.from("the right bytes")));
      writeFileSync(join(folder.path, "x"), "as before");
      for (const wrong of ["the wrong bytes", "the right", "the right bytes and more", ""]) {
        await subject.damage(digest, Buffer.from(wrong));
        const failures = [{ code: "blob-corrupt", digest }];
        expect(await subject.store.read(digest), wrong).toMatchObject({ ok: false, failures });
        expect(await subject.store.toFile(digest, join(folder.path, "x")), wrong).toMatchObject({ failures });
        expect(readFileSync(join(folder.path, "x"), "utf8")).toBe("as before");
        expect(readdirSync(folder.path)).toEqual(["x"]);
      }
    });

    test("putting a blob again mends one that was cut short", async () => {
      await using subject = await create();
      using folder = temporary();
      const bytes = Buffer.from("all of it");
      writeFileSync(join(folder.path, "in"), bytes);
      const digest = must(await subject.store.put(bytes));
      await subject.damage(digest, bytes.subarray(0, 3));
      must(await subject.store.put(bytes));
      expect(must(await subject.store.read(digest)).equals(bytes)).toBe(true);
      await subject.damage(digest, bytes.subarray(0, 3));
      must(await subject.store.putFile(join(folder.path, "in")));
      expect(must(await subject.store.read(digest)).equals(bytes)).toBe(true);
    });

    test("a blob larger than the reader expects is refused", async () => {
      await using subject = await create();
      const digest = must(await subject.store.put(Buffer.alloc(1001)));
      expect(await subject.store.read(digest, { maxBytes: 1000 })).toMatchObject({ ok: false });
      expect(must(await subject.store.read(digest, { maxBytes: 1001 }))).toHaveLength(1001);
    });

    test("many writers of the same and of other blobs all succeed", async () => {
      await using subject = await create();
      const blobs = Array.from({ length: 8 }, (_, at) => Buffer.alloc(100_000, at));
      const puts = Array.from({ length: 40 }, (_, at) => subject.again().put(blobs[at % 8] as Buffer));
      for (const result of await Promise.all(puts)) must(result);
      expect(await collect(subject.store)).toHaveLength(8);
      for (const bytes of blobs) expect(must(await subject.store.read(name256(bytes))).equals(bytes)).toBe(true);
    });
  });
}

export function name256(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  return result.value;
}

/** The blobs of a store, sorted. */
export async function collect(store: Store): Promise<StoredBlob[]> {
  const blobs: StoredBlob[] = [];
  for await (const { key, size } of store.driver.list("blobs")) {
    blobs.push({ digest: `sha256:${key.slice("blobs/".length)}` as Digest, size });
  }
  return blobs.sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** Takes a blob away, as a collector or an accident would. */
export async function remove(store: Store, digest: Digest): Promise<void> {
  must(await store.driver.delete(blobKey(digest)));
}
