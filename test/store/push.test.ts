import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RelativePath } from "../../src/core/index.ts";
import {
  blobKey,
  closure,
  copyOutputs,
  digestOf,
  layoutKey,
  localCache,
  openStore,
  restore,
  snapshot,
} from "../../src/store/index.ts";
import type { Key } from "../../src/store/index.ts";
import { contextIn, write } from "../git/repository.ts";
import { collect, must, name256, remove } from "./contract.ts";
import { bytesOf, damage, DATA, fileOf, flip, keysOf, MiB, storeRig, stream, watched } from "./rig.ts";

const none = new Set<Key>();

/** Files of 10 kB by number, the same for the same number. */
function files(from: number, to: number): Record<string, Buffer> {
  return Object.fromEntries(
    Array.from({ length: to - from }, (_, at) => [`data/${from + at}`, stream(`file ${from + at}`, 10_000)]),
  );
}

test("sends parts, then where they lie, then the manifest; whole packs as they are; and only what lacks", async () => {
  using at = storeRig();
  write(at.path, files(0, 30));
  const taken = must(await snapshot(at.context, DATA, at.cache));
  const team = watched(at.team);
  expect(must(await copyOutputs(at.context, at.cache, team, [taken], { condemned: none }))).toMatchObject({ blobs: 2 });
  const [pack] = must(await at.cache.layout(taken.digest))!.packs;
  expect(keysOf(team.requests, "put")).toEqual([blobKey(pack!), layoutKey(taken.digest), blobKey(taken.digest)]);
  expect(must(await at.team.layout(taken.digest))).toEqual(must(await at.cache.layout(taken.digest)));
  expect(must(await closure(taken, at.team))).toEqual(keysOf(team.requests, "put"));
  team.requests.length = 0;
  expect(must(await copyOutputs(at.context, at.cache, team, [taken], { condemned: none }))).toEqual({
    blobs: 0,
    bytes: 0,
  });
  expect(keysOf(team.requests, "put")).toEqual([]);
});

test("small outputs of many kinds go in one pack: loose blobs, packed files and those of another version", async () => {
  using at = storeRig();
  write(at.path, { ...files(0, 4), "data/large": stream("large", 2 * MiB), "data/larger": stream("larger", 3 * MiB) });
  const taken = must(await snapshot(at.context, DATA, at.cache));
  expect(await collect(at.cache)).toHaveLength(4); // a pack, two blobs, the manifest
  must(await copyOutputs(at.context, at.cache, at.team, [taken], { condemned: none }));
  const layout = must(await at.team.layout(taken.digest))!;
  expect(layout.size).toBe(6);
  expect(layout.loose).toEqual([]);
  expect(await collect(at.team)).toHaveLength(layout.packs.length + 1);
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
  expect(must(await snapshot(contextIn(at.path), DATA)).digest).toBe(taken.digest);
});

test("one file that changed in the next version is one small object more", async () => {
  using at = storeRig();
  write(at.path, files(0, 60));
  const first = await at.publish();
  const before = await collect(at.team);
  write(at.path, { "data/7": "edited" });
  const second = must(await snapshot(contextIn(at.path), DATA, at.cache, [first.digest]));
  const team = watched(at.team);
  const sent = must(
    await copyOutputs(at.context, at.cache, team, [second], { bases: [first.digest], condemned: none }),
  );
  expect(sent.blobs).toBe(2); // the file and the manifest
  expect(sent.bytes).toBeLessThan(12_000);
  expect(await collect(at.team)).toHaveLength(before.length + 2);
  const [pack] = must(await at.team.layout(first.digest))!.packs;
  expect(must(await at.team.layout(second.digest))!.packs).toContain(pack);
});

test("a pack of which less than a quarter is still needed is not kept alive: what is needed is sent again", async () => {
  using at = storeRig();
  write(at.path, files(0, 40));
  const first = await at.publish();
  const [old] = must(await at.team.layout(first.digest))!.packs;
  for (const [keep, reused] of [
    [20, true],
    [5, false],
  ] as const) {
    rmSync(join(at.path, "data"), { recursive: true });
    write(at.path, { ...files(0, keep), ...files(100, 110) });
    const next = await at.publish([first.digest]);
    expect(must(await at.team.layout(next.digest))!.packs.includes(old!), `${keep} of 40`).toBe(reused);
  }
});

test("a pack here of which little is to be sent is not sent whole", async () => {
  using at = storeRig();
  write(at.path, files(0, 40));
  const whole = must(await snapshot(at.context, DATA, at.cache));
  rmSync(join(at.path, "data"), { recursive: true });
  write(at.path, files(0, 10));
  const part = must(await snapshot(contextIn(at.path), DATA, at.cache, [whole.digest]));
  const [pack] = must(await at.cache.layout(part.digest))!.packs;
  expect(must(await at.cache.layout(whole.digest))!.packs).toEqual([pack]);
  const sent = must(await copyOutputs(at.context, at.cache, at.team, [part], { condemned: none }));
  expect(sent.bytes).toBeLessThan(105_000);
  expect(must(await at.team.layout(part.digest))!.packs).not.toContain(pack);
});

test("1 MB that changes in 40 MB sends the chunks around it", async () => {
  using at = storeRig();
  const bytes = stream("forty", 40 * MiB);
  write(at.path, { "data/large": bytes });
  const first = await at.publish();
  expect(must(await at.team.layout(first.digest))!.chunked.size).toBe(1);
  stream("edit", 1_000_000).copy(bytes, 20 * MiB);
  write(at.path, { "data/large": bytes });
  const stored = (await collect(at.cache)).reduce((sum, { size }) => sum + size, 0);
  const second = must(await snapshot(contextIn(at.path), DATA, at.cache, [first.digest]));
  const more = (await collect(at.cache)).reduce((sum, { size }) => sum + size, 0) - stored;
  expect(more).toBeLessThan(24 * MiB);
  const sent = must(
    await copyOutputs(at.context, at.cache, at.team, [second], { bases: [first.digest], condemned: none }),
  );
  expect(sent.bytes).toBeGreaterThan(1_000_000);
  expect(sent.bytes).toBeLessThan(24 * MiB);
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...second }, [at.team]));
  expect(must(await snapshot(contextIn(at.path), DATA)).digest).toBe(second.digest);
});

test("objects that are about to be collected are written again", async () => {
  using at = storeRig();
  write(at.path, files(0, 10));
  const taken = await at.publish();
  const keys = must(await closure(taken, at.team));
  for (const key of keys) {
    const team = watched(at.team);
    must(await copyOutputs(at.context, at.cache, team, [taken], { condemned: new Set([key, keys.at(-1)!]) }));
    expect(keysOf(team.requests, "put"), key).toContain(key);
  }
  // A base that goes is no base.
  write(at.path, { "data/new": "new" });
  const next = must(await snapshot(contextIn(at.path), DATA, at.cache, [taken.digest]));
  const team = watched(at.team);
  must(
    await copyOutputs(at.context, at.cache, team, [next], { bases: [taken.digest], condemned: new Set([keys[0]!]) }),
  );
  expect(bytesOf(team.requests, "put")).toBeGreaterThan(100_000);
});

test("damage of the cache is told with its place, and nothing is published", async () => {
  using at = storeRig();
  write(at.path, { ...files(0, 10), "data/large": stream("large", 2 * MiB), "data/other": stream("other", 2 * MiB) });
  const taken = must(await snapshot(at.context, DATA, at.cache));
  const folder = join(at.path, ".lockstep/cache");
  const [pack] = must(await at.cache.layout(taken.digest))!.packs;
  const large = name256(stream("large", 2 * MiB));
  for (const damaged of [pack!, large]) {
    damage(folder, damaged, flip(500));
    expect(await copyOutputs(at.context, at.cache, at.team, [taken], { condemned: none }), damaged).toMatchObject({
      failures: [{ code: "blob-corrupt", where: fileOf(folder, damaged) }],
    });
    expect(must(await at.team.has(taken.digest))).toBe(false);
    damage(folder, damaged, flip(500));
  }
  await remove(at.cache, large);
  expect(await copyOutputs(at.context, at.cache, at.team, [taken], { condemned: none })).toMatchObject({
    failures: [{ code: "blob-missing", digest: large }],
  });
  expect(must(await at.team.has(taken.digest))).toBe(false);
});

test("lone files: a blob goes as it is, a large one as its chunks; nothing stays behind", async () => {
  using at = storeRig();
  const other = must(openStore(at.context, "file:../other"));
  const blob = Buffer.alloc(3_000_000, "large");
  write(at.path, { model: blob, checkpoint: stream("checkpoint", 20 * MiB) });
  for (const path of ["model", "checkpoint"] as RelativePath[]) {
    const taken = must(await snapshot(at.context, path, localCache(at.context)));
    const sent = must(await copyOutputs(at.context, at.cache, other, [taken], { condemned: none }));
    expect(sent.bytes).toBeGreaterThanOrEqual(taken.size);
    expect(must(await other.has(taken.digest))).toBe(true);
    expect(digestOf(must(await other.read(taken.digest)))).toBe(taken.digest);
    expect(must(await copyOutputs(at.context, at.cache, other, [taken], { condemned: none }))).toMatchObject({
      blobs: 0,
    });
  }
  expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
  const absent = name256(Buffer.from("absent"));
  expect(
    await copyOutputs(at.context, at.cache, other, [{ kind: "file", digest: absent }], { condemned: none }),
  ).toMatchObject({
    failures: [{ code: "blob-missing", digest: absent }],
  });
});

test("large files of one byte over and over share a chunk", async () => {
  using at = storeRig();
  write(at.path, {
    "data/a": Buffer.alloc(16 * MiB),
    "data/b": Buffer.alloc(24 * MiB),
  });
  const taken = await at.publish();
  expect(await collect(at.team)).toHaveLength(2);
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
  expect(must(await snapshot(contextIn(at.path), DATA)).digest).toBe(taken.digest);
});
