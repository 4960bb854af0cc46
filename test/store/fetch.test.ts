import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Digest } from "../../src/core/index.ts";
import { digestBytes } from "../../src/store/digest-table.ts";
import {
  blobKey,
  bodyOf,
  composeTree,
  copyOutputs,
  digestOf,
  encodeTree,
  layoutKey,
  liftFile,
  openStore,
  readContent,
  readTree,
  restore,
  snapshot,
  writeFiles,
} from "../../src/store/index.ts";
import type { Snapshot, Store, TreeEntry } from "../../src/store/index.ts";
import { LayoutBuilder } from "../../src/store/layout.ts";
import type { Layout, Place } from "../../src/store/layout.ts";
import { contextIn, write } from "../git/repository.ts";
import { collect, must, remove } from "./contract.ts";
import { bytesOf, contents, damage, DATA, flip, keysOf, MiB, storeRig, stream, watched } from "./rig.ts";
import type { StoreRig } from "./rig.ts";

/** 190 files of 6 kB in one pack. */
const files = Object.fromEntries(
  Array.from({ length: 190 }, (_, at) => [`data/${at % 10}/${at}`, stream(`file ${at}`, 6_000)]),
);

/** Writes some files of a root below `out`, as a pull by path does. */
async function bring(
  at: StoreRig,
  { digest }: Snapshot,
  names: readonly string[],
  ...stores: Store[]
): Promise<unknown> {
  const entries = must(await readTree(digest, stores, "a test")).filter(({ path }) => names.includes(path));
  rmSync(join(at.path, "out"), { recursive: true, force: true });
  return writeFiles(contextIn(at.path), { root: digest, path: "data", entries }, stores, join(at.path, "out"));
}

/** Replaces the layout of a root by one in which some places are others. */
async function lie(store: Store, root: Digest, change: (digest: Digest, place: Place) => Place): Promise<void> {
  const layout = must(await store.layout(root))!;
  const builder = new LayoutBuilder();
  for (const { digest, place } of layout.parts()) builder.add(digestBytes(digest), 0, change(digest, place));
  for (const [file, { size }] of layout.chunked) builder.addChunked(file, size, layout.chunksOf(file)!);
  const bytes = builder.encode();
  must(await store.driver.put(layoutKey(root), bodyOf(bytes, digestOf(bytes)), { replace: true }));
}

test("one file of many is one range of one pack", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  at.forget();
  const team = watched(at.team);
  must((await bring(at, taken, ["3/33"], team)) as never);
  expect(readFileSync(join(at.path, "out/3/33"))).toEqual(files["data/3/33"]);
  const [pack] = must(await at.team.layout(taken.digest))!.packs;
  expect(team.requests.filter(({ what, key }) => what === "get" && key === blobKey(pack!))).toMatchObject([
    { bytes: 6_000 },
  ]);
  expect(team.requests.length).toBeLessThan(5); // the manifest, the layout, the pack's size, the range
  // Now it is here.
  team.requests.length = 0;
  must((await bring(at, taken, ["3/33"], team)) as never);
  expect(
    bytesOf(
      team.requests.filter(({ key }) => key !== blobKey(taken.digest)),
      "get",
    ),
  ).toBe(0);
});

test("files that stand near each other come by one range, those far apart by one each", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  const [pack] = must(await at.team.layout(taken.digest))!.packs;
  for (const [names, ranges] of [
    [["3/33", "3/43", "3/53"], 1],
    [["0/10", "5/55", "9/99"], 3],
  ] as const) {
    at.forget();
    const team = watched(at.team);
    must((await bring(at, taken, names, team)) as never);
    expect(keysOf(team.requests, "get").filter((key) => key === blobKey(pack!))).toHaveLength(ranges);
    for (const name of names) expect(readFileSync(join(at.path, "out", name))).toEqual(files[`data/${name}`]);
  }
});

test("a folder comes as whole packs, one request each, and the second time from here", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  const before = contents(join(at.path, "data"));
  at.forget();
  const team = watched(at.team);
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [team]));
  expect(contents(join(at.path, "data"))).toEqual(before);
  expect(keysOf(team.requests, "get")).toHaveLength(3); // manifest, layout, pack
  rmSync(join(at.path, "data"), { recursive: true });
  team.requests.length = 0;
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.cache, team]));
  expect(team.requests).toEqual([]);
  expect(contents(join(at.path, "data"))).toEqual(before);
});

test("a part that is damaged here is fetched again by itself, and stays mended", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  const { pack, offset } = must(await at.cache.layout(taken.digest))!.find(digestOf(files["data/3/33"]!))!;
  damage(join(at.path, ".lockstep/cache"), pack!, flip(offset + 7));
  rmSync(join(at.path, "data"), { recursive: true });
  const team = watched(at.team);
  const context = contextIn(at.path);
  must(await restore(context, { path: DATA, ...taken }, [at.cache, team]));
  expect(readFileSync(join(at.path, "data/3/33"))).toEqual(files["data/3/33"]);
  expect(context.events).toContainEqual({ type: "warning", message: expect.stringContaining("data/3/33 was damaged") });
  expect(
    bytesOf(
      team.requests.filter(({ key }) => key === blobKey(pack!)),
      "get",
    ),
  ).toBe(6_000);
  rmSync(join(at.path, "data"), { recursive: true });
  team.requests.length = 0;
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.cache, team]));
  expect(team.requests).toEqual([]);
});

test("a pack that is gone or cut short here is made good from the store", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  const before = contents(join(at.path, "data"));
  const [pack] = must(await at.cache.layout(taken.digest))!.packs;
  const cut = async (): Promise<void> => {
    await Promise.resolve();
    damage(join(at.path, ".lockstep/cache"), pack!, (bytes) => bytes.subarray(0, 100_000));
  };
  for (const spoil of [async () => remove(at.cache, pack!), cut]) {
    at.forget();
    must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
    await spoil();
    rmSync(join(at.path, "data"), { recursive: true });
    must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.cache, at.team]));
    expect(contents(join(at.path, "data"))).toEqual(before);
  }
});

test("damage of a store is told with file and pack; a second store that is good serves", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  const second = must(openStore(at.context, "file:../second"));
  must(await copyOutputs(at.context, at.cache, second, [taken], { condemned: new Set() }));
  const { pack, offset } = must(await at.team.layout(taken.digest))!.find(digestOf(files["data/3/33"]!))!;
  damage(join(at.path, "../team"), pack!, flip(offset));
  at.forget();
  const whole = await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]);
  expect(whole).toMatchObject({
    failures: [{ code: "blob-corrupt", digest: pack, where: expect.stringMatching(/^data\/.*file:\.\.\/team/) }],
  });
  expect(await bring(at, taken, ["3/33"], at.team)).toMatchObject({
    failures: [
      { code: "blob-corrupt", where: expect.stringMatching(new RegExp(`^data/3/33: file:../team, pack ${pack}`)) },
    ],
  });
  must((await bring(at, taken, ["3/33"], at.team, second)) as never);
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team, second]));
  expect(readFileSync(join(at.path, "data/3/33"))).toEqual(files["data/3/33"]);
});

test("a layout that lies is never believed: another offset, another length, a pack that is not there", async () => {
  using at = storeRig();
  write(at.path, files);
  const taken = await at.publish();
  const second = must(openStore(at.context, "file:../second"));
  must(await copyOutputs(at.context, at.cache, second, [taken], { condemned: new Set() }));
  const victim = digestOf(files["data/3/33"]!);
  const absent = digestOf(Buffer.from("absent"));
  const changes: [string, (place: Place) => Place, string][] = [
    ["offset", (place) => ({ ...place, offset: place.offset + 1 }), "blob-corrupt"],
    ["offset out of range", (place) => ({ ...place, offset: 2 ** 32 - 1 - place.length }), "external"],
    ["length", (place) => ({ ...place, length: place.length - 1 }), "tree-invalid"],
    ["too large a length", (place) => ({ ...place, offset: 0, length: 2 ** 32 - 1 }), "tree-invalid"],
    ["pack", (place) => ({ ...place, pack: absent }), "blob-missing"],
    ["no pack", ({ length }) => ({ offset: 0, length }), "blob-missing"],
  ];
  for (const [what, change, code] of changes) {
    at.forget();
    await lie(at.team, taken.digest, (digest, place) => (digest === victim ? change(place) : place));
    expect(await bring(at, taken, ["3/33"], at.team), what).toMatchObject({ ok: false, failures: [{ code }] });
    must((await bring(at, taken, ["3/33"], at.team, second)) as never);
    expect(readFileSync(join(at.path, "out/3/33")), what).toEqual(files["data/3/33"]);
    at.forget();
    expect(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]), what).toMatchObject({ ok: false });
    const layout: Layout = must(await second.layout(taken.digest))!;
    await lie(at.team, taken.digest, (digest) => layout.find(digest)!);
  }
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
});

test("chunks in another order, or too many, are not put together to a file", async () => {
  using at = storeRig();
  const bytes = stream("chunked", 9 * MiB);
  write(at.path, { "data/large": bytes });
  const taken = await at.publish();
  const layout = must(await at.team.layout(taken.digest))!;
  const [[file, { size }] = [digestOf(bytes), { size: 0 }]] = [...layout.chunked];
  const chunks = layout.chunksOf(file)!;
  const relist = async (list: readonly Digest[]): Promise<void> => {
    const builder = new LayoutBuilder();
    for (const { digest, place } of layout.parts()) builder.add(digestBytes(digest), 0, place);
    builder.addChunked(
      file,
      list.reduce((sum, chunk) => sum + layout.find(chunk)!.length, 0),
      list,
    );
    const text = builder.encode();
    must(await at.team.driver.put(layoutKey(taken.digest), bodyOf(text, digestOf(text)), { replace: true }));
  };
  for (const [list, code] of [
    [chunks.toReversed(), "blob-corrupt"],
    [Array.from({ length: 50_000 }, () => chunks[0]!), "tree-invalid"],
    [chunks.slice(1), "tree-invalid"],
  ] as const) {
    at.forget();
    await relist(list);
    expect(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team])).toMatchObject({
      failures: [{ code, ...(code === "blob-corrupt" ? { where: expect.stringContaining("data/large") } : {}) }],
    });
    const label = "data/large";
    const wanted = { digest: file, label, size, maxBytes: size };
    expect(await readContent([at.team], taken.digest, wanted)).toMatchObject({ failures: [{ code }] });
  }
  await relist(chunks);
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
  expect(readFileSync(join(at.path, "data/large")).equals(bytes)).toBe(true);
});

test("a damaged chunk of a large file is mended from the store", async () => {
  using at = storeRig();
  const bytes = stream("chunked", 9 * MiB);
  write(at.path, { "data/large": bytes });
  const taken = await at.publish();
  const { loose } = must(await at.cache.layout(taken.digest))!;
  damage(join(at.path, ".lockstep/cache"), loose[0]!, flip(1_000_000));
  rmSync(join(at.path, "data"), { recursive: true });
  expect(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.cache])).toMatchObject({
    failures: [{ code: "blob-corrupt", digest: loose[0] }],
  });
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.cache, at.team]));
  expect(readFileSync(join(at.path, "data/large")).equals(bytes)).toBe(true);
});

test("a lone file that is kept as chunks is read, copied out, fetched and found like any blob", async () => {
  using at = storeRig();
  const bytes = stream("lone", 9 * MiB);
  write(at.path, { data: bytes });
  const taken = await at.publish();
  expect(taken).toMatchObject({ kind: "file", digest: digestOf(bytes) });
  for (const store of [at.cache, at.team]) {
    expect(must(await store.driver.stat(blobKey(taken.digest)))).toBeUndefined();
    expect(must(await store.has(taken.digest))).toBe(true);
    expect(must(await store.read(taken.digest)).equals(bytes)).toBe(true);
    expect(await store.read(taken.digest, { maxBytes: bytes.length - 1 })).toMatchObject({
      failures: [{ code: "external" }],
    });
    must(await store.toFile(taken.digest, join(at.path, "copy")));
    expect(readFileSync(join(at.path, "copy")).equals(bytes)).toBe(true);
  }
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, ...taken }, [at.team]));
  expect(readFileSync(join(at.path, "data")).equals(bytes)).toBe(true);
  const [pack] = must(await at.team.layout(taken.digest))!.packs;
  damage(join(at.path, "../team"), pack!, flip(5 * MiB));
  expect(await at.team.read(taken.digest)).toMatchObject({
    failures: [{ code: "blob-corrupt", digest: taken.digest }],
  });
});

test("a tree of files that other roots have is composed without their bytes, and can be used like any", async () => {
  using at = storeRig();
  write(at.path, { "data/a": "a", "data/b": "b", "data/large": stream("large", 10 * MiB) });
  const first = await at.publish();
  rmSync(join(at.path, "data"), { recursive: true });
  write(at.path, { "data/c": "c" });
  const second = await at.publish();
  const trees = await Promise.all(
    [first, second].map(async ({ digest }) => must(await readTree(digest, [at.team], "t"))),
  );
  const entries: TreeEntry[] = trees.flat().filter(({ path }) => path !== "b");
  const team = watched(at.team);
  const digest = must(await composeTree(at.context, team, "data", entries, [first.digest, second.digest]));
  expect(digest).toBe(digestOf(must(encodeTree("data", entries))));
  expect(keysOf(team.requests, "put")).toEqual([layoutKey(digest), blobKey(digest)]);
  at.forget();
  must(await restore(contextIn(at.path), { path: DATA, kind: "tree", digest }, [at.team]));
  expect(must(await snapshot(contextIn(at.path), DATA)).digest).toBe(digest);
  expect(await composeTree(at.context, at.team, "data", [...entries, { ...entries[0]!, path: "A" }], [])).toMatchObject(
    {
      failures: [{ code: "tree-invalid" }],
    },
  );
});

test("a file of a tree is lifted: small as a blob, large by its chunks", async () => {
  using at = storeRig();
  write(at.path, { "data/a": "a", "data/large": stream("large", 10 * MiB) });
  const taken = await at.publish();
  const entries = must(await readTree(taken.digest, [at.team], "t"));
  for (const entry of entries) {
    expect(must(await at.team.has(entry.digest)), entry.path).toBe(false);
    must(await liftFile(at.team, taken.digest, entry));
    expect(digestOf(must(await at.team.read(entry.digest)))).toBe(entry.digest);
    const before = (await collect(at.team)).length;
    must(await liftFile(at.team, taken.digest, entry));
    expect(await collect(at.team)).toHaveLength(before);
  }
  damage(join(at.path, "../team"), entries[0]!.digest, () => Buffer.from("b"));
  await remove(at.team, entries[0]!.digest);
  const { pack, offset } = must(await at.team.layout(taken.digest))!.find(entries[0]!.digest)!;
  damage(join(at.path, "../team"), pack!, flip(offset));
  expect(await liftFile(at.team, taken.digest, entries[0]!)).toMatchObject({ failures: [{ code: "blob-corrupt" }] });
});
