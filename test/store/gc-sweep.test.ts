import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fail } from "../../src/core/index.ts";
import type { Context, RelativePath } from "../../src/core/index.ts";
import type { Driver, Key } from "../../src/store/driver.ts";
import { condemned, writeCondemned } from "../../src/store/gc-condemned.ts";
import { kindsOf, listObjects } from "../../src/store/gc-list.ts";
import { sweep } from "../../src/store/gc-sweep.ts";
import type { Unneeded } from "../../src/store/gc-sweep.ts";
import { closure, copyOutputs, localCache, openStore, snapshot, verifyRoot } from "../../src/store/index.ts";
import type { LocalStore, Snapshot, Store } from "../../src/store/index.ts";
import { age, DAY, keysIn } from "../data/gc-rig.ts";
import { contextIn, temporary, write } from "../git/repository.ts";
import { must } from "./contract.ts";

/** A cache with two versions of a folder that share their pack, and a store that has the first. */
interface Rig extends Disposable {
  readonly context: Context;
  readonly cache: LocalStore;
  readonly team: string;
  readonly store: Store;
  readonly first: Snapshot;
  readonly second: Snapshot;
}

async function rig(): Promise<Rig> {
  const folder = temporary();
  const path = join(folder.path, "work");
  mkdirSync(path);
  const context = contextIn(path);
  const cache = localCache(context);
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`data/${at}`, `${at} `.repeat(100)]));
  write(path, files);
  const first = must(await snapshot(context, "data" as RelativePath, cache));
  write(path, { "data/0": "changed" });
  const second = must(await snapshot(context, "data" as RelativePath, cache));
  const store = must(openStore(context, "file:../team"));
  must(await copyOutputs(context, cache, store, [first], { condemned: new Set() }));
  return {
    context,
    cache,
    team: join(folder.path, "team"),
    store,
    first,
    second,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

async function everything({ driver }: Store): Promise<Unneeded[]> {
  const objects = [...must(await listObjects(driver)).values()];
  const kinds = must(await kindsOf(driver, objects));
  return objects.map((object) => ({ ...object, kind: kinds.get(object.key)! }));
}

/** A driver that does something before the n-th call of some of its methods. */
function stepped(driver: Driver, steps: readonly (keyof Driver)[], at: number, work: () => Promise<void>): Driver {
  let calls = 0;
  const methods = Object.fromEntries(
    steps.map((name) => [
      name,
      async (...args: unknown[]) => {
        if (calls++ === at) await work();
        return (driver[name] as (...given: unknown[]) => Promise<unknown>)(...args);
      },
    ]),
  );
  return { ...driver, ...methods, width: 1 };
}

/** Every tree of the store whose manifest is there has all that it needs. */
async function expectWhole(store: Store, what: string): Promise<void> {
  const keys = await keysIn(store);
  for (const { key, kind } of await everything(store)) {
    if (kind !== "trees") continue;
    const digest = `sha256:${key.slice("blobs/".length)}` as Snapshot["digest"];
    const needed = must(await closure({ kind: "tree", digest }, store));
    expect(
      needed.filter((need) => !keys.has(need)),
      what,
    ).toEqual([]);
  }
}

describe("a sweep", () => {
  test("that ends anywhere leaves no tree without what it needs, and the next one finishes", async () => {
    for (let at = 0, done = false; !done; at++) {
      using made = await rig();
      const { context, store } = made;
      const unneeded = await everything(store);
      expect(unneeded.map(({ kind }) => kind).toSorted()).toEqual(["layouts", "packs", "trees"]);
      let stopped = false;
      const refuse = { ...store.driver, delete: async () => fail({ code: "interrupted" }) };
      const driver = stepped(store.driver, ["put", "stat", "delete"], at, async () => {
        stopped = true;
        Object.assign(driver, refuse, { put: refuse.delete, stat: refuse.delete });
      });
      const ended = await sweep(context, driver, unneeded, 0);
      done = !stopped;
      await expectWhole(store, `stopped at ${at}`);
      if (done) expect(must(ended).due).toHaveLength(unneeded.length);
      must(await sweep(context, store.driver, await everything(store), 0));
      expect(await keysIn(store)).toEqual(new Set());
    }
  });

  test("spares what a push builds on, whenever in the sweep the push is made", async () => {
    let steps = 0;
    for (let at = 0; at <= steps; at++) {
      using made = await rig();
      const { context, cache, store, first, second } = made;
      const unneeded = await everything(store);
      must(await writeCondemned(store.driver, new Map(unneeded.map(({ key, modified }) => [key, modified]))));
      age(made.team, 2 * DAY);
      const old = await everything(store);
      let pushed = false;
      // Not between a look at an object and its deletion right after it, which is what no driver can close.
      const driver = stepped(store.driver, ["put", "get", "stat"], at, async () => {
        pushed = true;
        const doomed = must(await condemned(store));
        must(await copyOutputs(context, cache, store, [second], { bases: [first.digest], condemned: doomed }));
      });
      must(await sweep(context, driver, old, DAY));
      if (!pushed) break;
      steps = at + 1;
      expect(must(await verifyRoot(store, second, "data", new Map())).failures, `pushed at ${at}`).toEqual([]);
      await expectWhole(store, `pushed at ${at}`);
    }
    expect(steps).toBeGreaterThan(5);
  });

  test("that is made whole in the middle of a push takes nothing from it", async () => {
    let steps = 0;
    for (let at = 0; at <= steps; at++) {
      using made = await rig();
      const { context, cache, store, first, second } = made;
      const unneeded = await everything(store);
      must(await writeCondemned(store.driver, new Map(unneeded.map(({ key, modified }) => [key, modified]))));
      age(made.team, 2 * DAY);
      const old = await everything(store);
      let swept = false;
      const doomed = must(await condemned(store));
      const driver = stepped(store.driver, ["put", "get", "stat"], at, async () => {
        swept = true;
        must(await sweep(context, store.driver, old, DAY));
      });
      const target = { ...store, driver };
      must(await copyOutputs(context, cache, target, [second], { bases: [first.digest], condemned: doomed }));
      if (!swept) break;
      steps = at + 1;
      expect(must(await verifyRoot(store, second, "data", new Map())).failures, `swept at ${at}`).toEqual([]);
    }
    expect(steps).toBeGreaterThan(3);
  });

  test("a list that fails is a failure, and so is whatever the driver answers", async () => {
    using made = await rig();
    const { context, store } = made;
    const unneeded = await everything(store);
    // oxlint-disable-next-line require-yield -- it fails before the first
    async function* list(): AsyncGenerator<never> {
      throw new Error("page 2: 500");
    }
    expect(await listObjects({ ...store.driver, list })).toMatchObject({ ok: false, failures: [{ code: "external" }] });
    const refusal = fail({ code: "external", what: "it", problem: "403" });
    for (const method of ["stat", "put", "get", "delete"] as const) {
      const driver = { ...store.driver, [method]: async () => refusal };
      if (method === "get") must(await writeCondemned(store.driver, new Map()));
      expect(await sweep(context, driver, unneeded, 0), method).toEqual(refusal);
    }
    expect((await keysIn(store)).size).toBe(3);
    const aborted = { ...context, signal: AbortSignal.abort() };
    expect(await sweep(aborted, store.driver, unneeded, 0)).toMatchObject({ failures: [{ code: "interrupted" }] });
  });

  test("an object is what its first bytes say", async () => {
    using made = await rig();
    const { store } = made;
    const texts = ["", "x", '{"entries":[', '{"entries":[],"treeVersion":1}', "lockstep-pack/1\n", "lockstep-pack/2\n"];
    const keys = await Promise.all(texts.map(async (text) => must(await store.put(Buffer.from(text)))));
    const kinds = new Map((await everything(store)).map(({ key, kind }) => [key, kind]));
    const seen = keys.map((digest) => kinds.get(`blobs/${digest.slice("sha256:".length)}` as Key));
    expect(seen).toEqual(["files", "files", "files", "trees", "packs", "files"]);
  });
});
