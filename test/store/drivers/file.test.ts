import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { workingTree } from "../../../src/git/index.ts";
import { openStore, storeUrl } from "../../../src/store/index.ts";
import type { Driver, Store } from "../../../src/store/index.ts";
import { contextIn, temporary, write } from "../../git/repository.ts";
import { collect, must, name256, storeContract } from "../contract.ts";
import { driverContract } from "./contract.ts";

driverContract("file:", () => {
  const folder = temporary();
  const again = (signal?: AbortSignal): Driver => {
    const context = contextIn(folder.path);
    return must(openStore(signal === undefined ? context : { ...context, signal }, "file:store")).driver;
  };
  return Promise.resolve({
    driver: again(),
    again,
    many: 300, // a folder has no pages
    [Symbol.asyncDispose]: () => Promise.resolve(folder[Symbol.dispose]()),
  });
});

storeContract("file:", () => {
  const folder = temporary();
  const again = (): Store => must(openStore(contextIn(folder.path), "file:store"));
  return Promise.resolve({
    store: again(),
    again,
    damage: (digest, bytes) => {
      const path = pathIn(join(folder.path, "store"), digest);
      chmodSync(path, 0o644);
      writeFileSync(path, bytes);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(folder[Symbol.dispose]()),
  });
});

test("a blob is one file, read-only, under the layout's version", async () => {
  using folder = temporary();
  const digest = must(await must(openStore(contextIn(folder.path), "file:s")).put(Buffer.from("hello")));
  const path = pathIn(join(folder.path, "s"), digest);
  expect(path).toMatch(/v1\/blobs\/sha256\/2c\/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824$/);
  expect(readFileSync(path, "utf8")).toBe("hello");
  expect(statSync(path).mode & 0o777).toBe(0o444);
  expect(readdirSync(join(folder.path, "s/v1/tmp"))).toEqual([]);
});

test("putting a blob that is there writes nothing and tells no effect", async () => {
  using folder = temporary();
  const context = contextIn(folder.path);
  const store = must(openStore(context, "file:s"));
  const digest = must(await store.put(Buffer.from("x")));
  const before = statSync(pathIn(join(folder.path, "s"), digest), { bigint: true });
  write(folder.path, { in: "x" });
  must(await store.put(Buffer.from("x")));
  must(await store.putFile(join(folder.path, "in")));
  const after = statSync(pathIn(join(folder.path, "s"), digest), { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  expect(context.events).toEqual([{ type: "effect", name: "blob stored" }]);
});

test("a writer killed at any moment leaves a blob whole or not there", async () => {
  using folder = temporary();
  const store = must(openStore(contextIn(folder.path), "file:s"));
  for (let round = 0; round < 6; round++) {
    const child = fork(join(import.meta.dirname, "../writer.ts"), [folder.path, String(round)], { silent: true });
    const closed = once(child, "close");
    // The child says when it starts on its first blob; what it has reached after some turns of our loop is chance.
    await once(child, "message");
    for (let turn = 0; turn < round * 40; turn++) await new Promise(setImmediate);
    child.kill("SIGKILL");
    await closed;
  }
  const blobs = await collect(store);
  expect(blobs.length).toBeGreaterThan(0);
  for (const { digest, size } of blobs) expect(must(await store.read(digest)).length).toBe(size);
}, 30_000);

test("files that are no blobs are not listed", async () => {
  using folder = temporary();
  const store = must(openStore(contextIn(folder.path), "file:s"));
  const digest = must(await store.put(Buffer.from("x")));
  write(join(folder.path, "s/v1/blobs/sha256"), { "zz/aa": "", ".DS_Store": "", [`${digest.slice(7, 9)}/x`]: "" });
  expect(await collect(store)).toEqual([{ digest, size: 1 }]);
});

test("what the system refuses is a failure, not an exception", async () => {
  using folder = temporary();
  write(folder.path, { s: "a file where the folder should be" });
  const store = must(openStore(contextIn(folder.path), "file:s"));
  const failed = { ok: false, failures: [{ code: "external" }] };
  expect(await store.put(Buffer.from("x"))).toMatchObject(failed);
  expect(await store.putFile(join(folder.path, "s"))).toMatchObject(failed);
  expect(await store.putFile(join(folder.path, "absent"))).toMatchObject(failed);
  expect(await store.has(name256(Buffer.from("x")))).toMatchObject(failed);
});

test("a store's URL is relative to the repository, or absolute; others are refused", async () => {
  using folder = temporary();
  const context = contextIn(join(folder.path, "repository"));
  const bytes = Buffer.from("x");
  for (const url of ["file:../a", pathToFileURL(join(folder.path, "b")).href, `file:${join(folder.path, "c")}`]) {
    must(await must(openStore(context, url)).put(bytes));
  }
  for (const name of ["a", "b", "c"])
    expect(readFileSync(pathIn(join(folder.path, name), name256(bytes)))).toEqual(bytes);
  expect(openStore(context, "ftp://host/x")).toMatchObject({ failures: [{ code: "unsupported" }] });
  expect(openStore(context, "file:")).toMatchObject({ failures: [{ code: "usage" }] });
  expect(openStore(context, "file://host/share")).toMatchObject({ failures: [{ code: "usage" }] });
});

test("the environment goes before the settings, and they before the default", async () => {
  using folder = temporary();
  const url = (env: Record<string, string> = {}): ReturnType<typeof storeUrl> => {
    const context = contextIn(folder.path, env);
    return storeUrl(context, workingTree(context));
  };
  expect(must(await url())).toBe("file:.lockstep/store");
  write(folder.path, { ".github/lockstep.yml": "version: 1\nstore: file:../team\n" });
  expect(must(await url())).toBe("file:../team");
  expect(must(await url({ LOCKSTEP_STORE: "file:/elsewhere" }))).toBe("file:/elsewhere");
  expect(must(await url({ LOCKSTEP_STORE: "" }))).toBe("file:../team");
  write(folder.path, { ".github/lockstep.yml": "version: 1\nstore: 3\n" });
  expect(await url()).toMatchObject({
    failures: [{ code: "file-invalid", at: { file: ".github/lockstep.yml", line: 2 } }],
  });
});

function pathIn(store: string, digest: string): string {
  return join(store, "v1/blobs/sha256", digest.slice(7, 9), digest.slice(9));
}
