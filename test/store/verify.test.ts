import { join } from "node:path";
import { expect, test } from "vitest";
import type { Digest, Failure } from "../../src/core/index.ts";
import { digestBytes } from "../../src/store/digest-table.ts";
import { bodyOf, copyOutputs, digestOf, encodeTree, layoutKey, readTree, verifyRoot } from "../../src/store/index.ts";
import type { Checked, Snapshot } from "../../src/store/index.ts";
import { LayoutBuilder } from "../../src/store/layout.ts";
import type { Place } from "../../src/store/layout.ts";
import { write } from "../git/repository.ts";
import { must, remove } from "./contract.ts";
import { bytesOf, damage, flip, MiB, storeRig, stream, watched } from "./rig.ts";
import type { StoreRig } from "./rig.ts";

async function rig({ large = false } = {}): Promise<StoreRig & { readonly taken: Snapshot }> {
  const at = storeRig();
  write(at.path, {
    ...Object.fromEntries(Array.from({ length: 30 }, (_, number) => [`data/${number}`, stream(`${number}`, 5_000)])),
    "data/empty": "",
    ...(large ? { "data/large": stream("large", 9 * MiB) } : {}),
  });
  return { ...at, taken: await at.publish() };
}

async function verify(at: StoreRig & { readonly taken: Snapshot }): Promise<readonly Failure[]> {
  return must(await verifyRoot(at.team, at.taken, "data", new Map())).failures;
}

/** Writes the layout of the root anew, with other places and chunk lists. */
async function lie(
  at: StoreRig & { readonly taken: Snapshot },
  change: (digest: Digest, place: Place) => Place,
  list: (chunks: Digest[]) => Digest[] = (chunks) => chunks,
): Promise<void> {
  const layout = must(await at.team.layout(at.taken.digest))!;
  const builder = new LayoutBuilder();
  for (const { digest, place } of layout.parts()) builder.add(digestBytes(digest), 0, change(digest, place));
  for (const [file, { size }] of layout.chunked) builder.addChunked(file, size, list(layout.chunksOf(file)!));
  const bytes = builder.encode();
  must(await at.team.driver.put(layoutKey(at.taken.digest), bodyOf(bytes, digestOf(bytes)), { replace: true }));
}

test("what is whole has no failures, and roots that share objects read them once", async () => {
  using at = await rig();
  const checked: Checked = new Map();
  const team = watched(at.team);
  const first = must(await verifyRoot(team, at.taken, "data", checked));
  expect(first.failures).toEqual([]);
  const { packs, loose } = must(await at.team.layout(at.taken.digest))!;
  expect(first.objects).toBe(packs.length + loose.length + 1);
  const bytes = bytesOf(team.requests, "get");
  expect(must(await verifyRoot(team, at.taken, "data", checked)).failures).toEqual([]);
  expect(bytesOf(team.requests, "get")).toBeLessThan(2 * bytes);
});

test("a flipped byte, a pack that is cut, one that is gone: each is named", async () => {
  using at = await rig();
  const { packs } = must(await at.team.layout(at.taken.digest))!;
  const [pack] = packs as [Digest];
  const folder = join(at.path, "../team");
  damage(folder, pack, flip(3_000));
  expect(await verify(at)).toMatchObject([
    { code: "blob-corrupt", digest: pack, where: expect.stringContaining("file:../team") },
  ]);
  damage(folder, pack, flip(3_000));
  expect(await verify(at)).toEqual([]);
  damage(folder, pack, (bytes) => bytes.subarray(0, -1));
  expect(await verify(at)).toMatchObject([{ code: "blob-corrupt", digest: pack }]);
  await remove(at.team, pack);
  expect(await verify(at)).toMatchObject([{ code: "blob-missing", digest: pack, neededBy: "data" }]);
  await remove(at.team, at.taken.digest);
  expect(await verify(at)).toMatchObject([{ code: "blob-missing", digest: at.taken.digest }]);
});

test("a layout that lies on offset, length, range or the order of chunks is found out in a store that is whole", async () => {
  using at = await rig({ large: true });
  const layout = must(await at.team.layout(at.taken.digest))!;
  const victim = digestOf(stream("7", 5_000));
  const only =
    (change: (place: Place) => Place) =>
    (digest: Digest, place: Place): Place =>
      digest === victim ? change(place) : place;
  const lies: [string, (place: Place) => Place, object][] = [
    [
      "offset",
      (place) => ({ ...place, offset: place.offset + 1 }),
      { code: "blob-corrupt", digest: victim, where: expect.stringContaining("data/7") },
    ],
    [
      "length",
      (place) => ({ ...place, length: place.length - 1 }),
      { code: "tree-invalid", problem: expect.stringContaining("data/7 has 5000 bytes; it has 4999") },
    ],
    [
      "range",
      (place) => ({ ...place, offset: 2 ** 31 }),
      { code: "tree-invalid", problem: expect.stringContaining("beyond the") },
    ],
  ];
  for (const [what, change, failure] of lies) {
    await lie(at, only(change));
    const failures = await verify(at);
    expect(failures, what).toContainEqual(expect.objectContaining(failure));
    await lie(at, (digest) => layout.find(digest)!);
  }
  expect(await verify(at)).toEqual([]);
  await lie(
    at,
    (_, place) => place,
    (chunks) => chunks.toReversed(),
  );
  expect(await verify(at)).toMatchObject([
    { code: "blob-corrupt", digest: digestOf(stream("large", 9 * MiB)), where: expect.stringContaining("chunks") },
  ]);
  must(
    await at.team.driver.put(layoutKey(at.taken.digest), bodyOf(Buffer.from("x"), digestOf(Buffer.from("x"))), {
      replace: true,
    }),
  );
  expect(await verify(at)).toMatchObject([{ code: "tree-invalid", tree: `layout of ${at.taken.digest}` }]);
});

test("a tree that gives a wrong size is found out: of a packed, a large and a single file", async () => {
  using at = await rig({ large: true });
  const entries = must(await readTree(at.taken.digest, [at.team], "t"));
  const single = must(await at.team.put(Buffer.from("single")));
  for (const path of ["7", "large", "single"]) {
    const all = [...entries, { path: "single", mode: "644" as const, size: 6, digest: single }];
    const lying = must(
      encodeTree(
        "t",
        all.map((entry) => (entry.path === path ? { ...entry, size: entry.size + 1 } : entry)),
      ),
    );
    const digest = must(await at.team.put(lying));
    const copy = async (chunk: Uint8Array): Promise<void> => {
      must(await at.team.driver.put(layoutKey(digest), bodyOf(chunk, digestOf(chunk)), { replace: true }));
    };
    must(await at.team.driver.get(layoutKey(at.taken.digest), copy));
    const { failures } = must(await verifyRoot(at.team, { kind: "tree", digest }, "data", new Map()));
    expect(failures, path).toMatchObject([
      { code: "tree-invalid", problem: expect.stringContaining(`data/${path} has `) },
    ]);
  }
});

test("lone files: one blob, or chunks", async () => {
  using at = storeRig();
  for (const bytes of [Buffer.from("small"), stream("lone", 9 * MiB)]) {
    write(at.path, { data: bytes });
    const taken = await at.publish();
    const { objects, failures } = must(await verifyRoot(at.team, taken, "data", new Map()));
    expect(failures).toEqual([]);
    expect(objects).toBe(1); // the blob; the pack of the chunks
    must(await copyOutputs(at.context, at.cache, at.team, [taken], { condemned: new Set() }));
    const object = must(await at.team.layout(taken.digest))?.packs[0] ?? taken.digest;
    damage(join(at.path, "../team"), object, flip(2));
    expect(must(await verifyRoot(at.team, taken, "data", new Map())).failures).toMatchObject([
      { code: "blob-corrupt", digest: object },
    ]);
  }
});
