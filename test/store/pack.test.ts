import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/core/index.ts";
import { fileDriver } from "../../src/store/drivers/file.ts";
import { digestOf, snapshot } from "../../src/store/index.ts";
import { Layout, LayoutBuilder } from "../../src/store/layout.ts";
import { PACKED_FILE, PACK_LIMITS } from "../../src/store/pack.ts";
import { PackWriter } from "../../src/store/pack-writer.ts";
import { contextIn, temporary, write } from "../git/repository.ts";
import { collect, must, name256 } from "./contract.ts";
import golden from "./golden/packs.json" with { type: "json" };
import { DATA, fileOf, MiB, storeRig, stream } from "./rig.ts";

/** Writes these groups of parts and gives the packs' bytes, largest digest last, and where the parts lie. */
async function packed(...groups: (readonly Buffer[])[]): Promise<{ packs: Buffer[]; layout: Layout }> {
  using folder = temporary();
  const driver = fileDriver(contextIn(folder.path), { url: "file:s", folder: join(folder.path, "s"), durable: false });
  const builder = new LayoutBuilder();
  const writer = new PackWriter(driver, builder);
  for (const parts of groups) {
    const digests = Buffer.concat(parts.map((part) => Buffer.from(name256(part).slice(7), "hex")));
    let end = 0;
    await writer.add(
      digests,
      Buffer.concat(parts),
      parts.map((part) => (end += part.length)),
    );
  }
  await writer.close();
  const layout = must(Layout.parse(name256(Buffer.from("root")), builder.encode()));
  return { layout, packs: layout.packs.map((pack) => readFileSync(fileOf(join(folder.path, "s"), pack))) };
}

describe.each(golden)("golden pack: $name", ({ parts, hex, digest }) => {
  const bytes = parts.map((text) => Buffer.from(text));

  test("is written so, in one group or part by part", async () => {
    for (const groups of [[bytes], bytes.map((part) => [part])]) {
      const { packs, layout } = await packed(...groups);
      expect(packs.map((pack) => pack.toString("hex"))).toEqual([hex]);
      expect(layout.packs).toEqual([digest]);
    }
  });

  test("has its parts where the layout says", async () => {
    const { layout } = await packed(bytes);
    for (const part of bytes) {
      const { offset, length } = layout.find(digestOf(part))!;
      expect(Buffer.from(hex, "hex").subarray(offset, offset + length)).toEqual(part);
    }
  });
});

test("a part is written once: in a group, in the open pack, and when the layout places it already", async () => {
  const [a, b, c] = ["a", "b", "c"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
  const once = await packed([a, b, c]);
  expect((await packed([a, b, a, a, c, b])).packs).toEqual(once.packs);
  expect((await packed([a, b], [b, a], [], [a, c, c])).packs).toEqual(once.packs);
  using folder = temporary();
  const driver = fileDriver(contextIn(folder.path), { url: "file:s", folder: folder.path, durable: false });
  const builder = new LayoutBuilder();
  builder.add(Buffer.from(digestOf(b).slice(7), "hex"), 0, { offset: 0, length: 1 });
  const writer = new PackWriter(driver, builder);
  await writer.add(
    Buffer.concat([a, b, c].map((part) => Buffer.from(digestOf(part).slice(7), "hex"))),
    Buffer.from("abc"),
    [1, 2, 3],
  );
  await writer.close();
  expect(must(Layout.parse(digestOf(a), builder.encode())).packs).toEqual((await packed([a, c])).layout.packs);
});

test("a pack is closed before it is over its bytes or its number of parts", async () => {
  const parts = Array.from({ length: 80 }, (_, at) => Buffer.alloc(MiB, `part ${at}`));
  const { packs, layout } = await packed(...parts.map((part) => [part]));
  const counts = new Map<Digest, number>();
  for (const { place } of layout.parts()) counts.set(place.pack!, (counts.get(place.pack!) ?? 0) + 1);
  expect([...counts.values()].sort((a, b) => a - b)).toEqual([16, 64]);
  expect(packs.map(({ length }) => length).sort((a, b) => a - b)).toEqual(
    [16, 64].map((count) => count * MiB + 40 * count + 36),
  );
  const many = Array.from({ length: PACK_LIMITS.parts + 1 }, (_, at) => Buffer.from(`${at}`));
  expect((await packed(many)).layout.packs).toHaveLength(2);
}, 120_000);

test("an open pack that is dropped leaves nothing", async () => {
  using at = storeRig();
  const writer = new PackWriter(at.cache.driver, new LayoutBuilder());
  await writer.add(Buffer.alloc(32), Buffer.from("x"), [1]);
  await writer.drop();
  expect(await collect(at.cache)).toEqual([]);
});

test("what is small is packed, what is larger is a blob or chunks, and equal files are kept once", async () => {
  using at = storeRig();
  const edge = stream("edge", PACKED_FILE);
  const more = stream("more", PACKED_FILE + 1);
  write(at.path, { "data/a": "a", "data/again/a": "a", "data/edge": edge, "data/more": more, "data/more2": more });
  const taken = must(await snapshot(at.context, DATA, at.cache));
  const layout = must(await at.cache.layout(taken.digest))!;
  expect(layout.size).toBe(2);
  expect(layout.packs).toEqual([layout.find(digestOf(edge))!.pack]);
  expect((await collect(at.cache)).map(({ digest }) => digest)).toEqual(
    [layout.packs[0]!, digestOf(more), taken.digest].sort(),
  );
});

/** The store after `data` of a folder was taken by a process of its own: digests of all its objects. */
function takenBy(folder: string, env: Record<string, string>): unknown {
  const child = spawnSync(process.execPath, [join(import.meta.dirname, "taker.ts"), folder], {
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

test("the same files give the same packs, layout and tree, whatever the order, locale, zone or number of threads", async () => {
  const names = ["z", "Z2", "ä", "é/x", "a/b/c", "a.b", "a-b", "10", "9", "\u{1f600}", "i", "ı/y"];
  const files = Object.fromEntries(
    names.flatMap((name, at) =>
      Array.from({ length: 25 }, (_, copy) => [`data/${name}.${copy}`, stream(`${at % 7} ${copy}`, 10_000 + copy)]),
    ),
  );
  using one = temporary();
  using two = temporary();
  write(one.path, files);
  // The other way round, with gaps in the folders where files have gone.
  write(two.path, { "data/gone": "x", "data/a/gone": "x" });
  write(two.path, Object.fromEntries(Object.entries(files).reverse()));
  for (const name of ["data/gone", "data/a/gone"]) rmSync(join(two.path, name));
  const first = takenBy(one.path, { LC_ALL: "C", TZ: "UTC", UV_THREADPOOL_SIZE: "1" });
  const second = takenBy(two.path, {
    LC_ALL: "tr_TR.UTF-8",
    LANG: "sv_SE.UTF-8",
    TZ: "Asia/Kolkata",
    TAKER_THREADS: "7",
  });
  expect(second).toEqual(first);
});
