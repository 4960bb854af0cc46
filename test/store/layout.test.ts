import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/core/index.ts";
import type { Digest } from "../../src/core/index.ts";
import { digestBytes } from "../../src/store/digest-table.ts";
import { bodyOf, digestOf, layoutKey, openStore } from "../../src/store/index.ts";
import { Layout, LAYOUT_LIMITS, LayoutBuilder } from "../../src/store/layout.ts";
import type { Place } from "../../src/store/layout.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { must, name256 } from "./contract.ts";
import golden from "./golden/layouts.json" with { type: "json" };

const ROOT = name256(Buffer.from("root"));
const MAGIC = "lockstep-layout/1\n";
const LOOSE = 0xffff_ffff;

function add(builder: LayoutBuilder, digest: Digest, place: Place): void {
  builder.add(digestBytes(digest), 0, place);
}

describe.each(golden)("golden layout: $name", ({ places, files, hex, digest }) => {
  test("is encoded so, in whatever order its parts come", () => {
    for (const order of [places, places.toReversed()]) {
      const builder = new LayoutBuilder();
      for (const { part, pack, offset, length } of order) {
        add(builder, part as Digest, { ...(pack === null ? {} : { pack: pack as Digest }), offset, length });
      }
      for (const { file, size, chunks } of files) builder.addChunked(file as Digest, size, chunks as Digest[]);
      expect(builder.encode().toString("hex")).toBe(hex);
      expect(digestOf(builder.encode())).toBe(digest);
    }
  });

  test("is read back", () => {
    const layout = must(Layout.parse(ROOT, Buffer.from(hex, "hex")));
    expect(layout.size).toBe(places.length);
    for (const { part, pack, offset, length } of places) {
      expect(layout.find(part as Digest)).toEqual({ ...(pack === null ? {} : { pack }), offset, length });
    }
    expect(layout.loose.sort()).toEqual(places.flatMap(({ part, pack }) => (pack === null ? [part] : [])).sort());
    expect(layout.chunked.size).toBe(files.length);
    for (const { file, size, chunks } of files) {
      expect(layout.chunked.get(file as Digest)?.size).toBe(size);
      expect(layout.chunksOf(file as Digest)).toEqual(chunks);
    }
  });
});

test("any layout that can be written is read back as it was, and no other bytes are taken for it", () => {
  const digest = fc.integer({ min: 0, max: 60 }).map((number) => name256(Buffer.from(`${number}`)));
  // Few packs and few digests, so that they meet; the upper bytes of digests tie on purpose in the test below.
  const place = fc.record({ pack: digest, offset: fc.nat(2 ** 31), length: fc.nat(2 ** 31) });
  const loose = fc.record({ offset: fc.constant(0), length: fc.nat(2 ** 32 - 1) });
  const parts = fc.uniqueArray(fc.tuple(digest, fc.oneof(place, loose)), { selector: ([name]) => name, maxLength: 20 });
  const lists = fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, lists, fc.nat(), fc.integer({ min: 0, max: 255 }), (list, chunked, at, byte) => {
      const builder = new LayoutBuilder();
      for (const [name, where] of list) add(builder, name, where);
      const files =
        list.length === 0 ? [] : chunked.map((numbers) => numbers.map((number) => list[number % list.length]!));
      for (const [number, chunks] of files.entries()) {
        const size = chunks.reduce((sum, [, { length }]) => sum + length, 0);
        builder.addChunked(
          name256(Buffer.from(`file ${number}`)),
          size,
          chunks.map(([name]) => name),
        );
      }
      const bytes = builder.encode();
      const read = must(Layout.parse(ROOT, bytes));
      for (const [name, where] of list) expect(read.find(name)).toEqual(where);
      for (const [number, chunks] of files.entries()) {
        expect(read.chunksOf(name256(Buffer.from(`file ${number}`)))).toEqual(chunks.map(([name]) => name));
      }
      expect(read.find(name256(Buffer.from("absent")))).toBeUndefined();
      const other = Buffer.from(bytes);
      other[at % other.length] = byte;
      const reread = Layout.parse(ROOT, other);
      if (!reread.ok) return;
      // Whatever is accepted is the one spelling of what it says.
      const again = new LayoutBuilder();
      for (const part of reread.value.parts()) add(again, part.digest, part.place);
      for (const [file, { size }] of reread.value.chunked) again.addChunked(file, size, reread.value.chunksOf(file)!);
      if (canonicalJson(again.packs.sort()) === canonicalJson(reread.value.packs))
        expect(again.encode()).toEqual(other);
    }),
    { numRuns: 150 },
  );
});

test("parts whose digests begin alike are found, and those that only look alike are not", () => {
  const digests = Array.from(
    { length: 40 },
    (_, at) => `sha256:${"ab".repeat(31)}${(at * 6).toString(16).padStart(2, "0")}` as Digest,
  );
  const builder = new LayoutBuilder();
  for (const [length, digest] of digests.toReversed().entries()) add(builder, digest, { offset: 0, length });
  const layout = must(Layout.parse(ROOT, builder.encode()));
  for (const [length, digest] of digests.toReversed().entries())
    expect(layout.find(digest)).toEqual({ offset: 0, length });
  expect(layout.find(`sha256:${"ab".repeat(31)}01` as Digest)).toBeUndefined();
});

test("the first place of a part stays", () => {
  const builder = new LayoutBuilder();
  add(builder, ROOT, { offset: 0, length: 3 });
  add(builder, ROOT, { pack: ROOT, offset: 9, length: 3 });
  expect(must(Layout.parse(ROOT, builder.encode())).find(ROOT)).toEqual({ offset: 0, length: 3 });
});

test("many large files may be made of few chunks", () => {
  const zeros = name256(Buffer.from("zeros"));
  const builder = new LayoutBuilder();
  add(builder, zeros, { offset: 0, length: 8 });
  for (let times = 2; times < 6; times++) {
    builder.addChunked(
      name256(Buffer.from(`${times}`)),
      8 * times,
      Array.from({ length: times }, () => zeros),
    );
  }
  expect(must(Layout.parse(ROOT, builder.encode())).chunked.size).toBe(4);
});

describe("a hostile layout is refused", () => {
  const [low, high] = [ROOT, name256(Buffer.from("a"))].sort() as [Digest, Digest];
  const pack = name256(Buffer.from("pack"));
  const part = (digest: Digest, where: number, offset: number, length: number): Buffer => {
    const numbers = Buffer.alloc(12);
    for (const [at, number] of [where, offset, length].entries()) numbers.writeUInt32BE(number, 4 * at);
    return Buffer.concat([digestBytes(digest), numbers]);
  };
  const file = (digest: Digest, size: bigint, numbers: readonly number[], count = numbers.length): Buffer => {
    const record = Buffer.alloc(12 + 4 * numbers.length);
    record.writeBigUInt64BE(size, 0);
    record.writeUInt32BE(count, 8);
    for (const [at, number] of numbers.entries()) record.writeUInt32BE(number, 12 + 4 * at);
    return Buffer.concat([digestBytes(digest), record]);
  };
  const make = (header: object, ...rest: Buffer[]): Buffer =>
    Buffer.concat([
      Buffer.from(
        `${MAGIC}${canonicalJson({ files: 0, layoutVersion: 1, packs: [], parts: 0, ...header } as never)}\n`,
      ),
      ...rest,
    ]);
  const text = (header: string): Buffer => Buffer.from(`${MAGIC}${header}\n`);
  const one = part(low, LOOSE, 0, 5);

  test("and one that is not is accepted, so that what follows is refused for its own reason", () => {
    const bytes = make(
      { files: 2, packs: [pack], parts: 2 },
      one,
      part(high, 0, 7, 9),
      file(low, 14n, [0, 1]),
      file(high, 0n, []),
    );
    expect(must(Layout.parse(ROOT, bytes)).chunksOf(low)).toEqual([low, high]);
  });

  const cases: Record<string, [Buffer, RegExp]> = {
    "is empty": [Buffer.alloc(0), /version 1/],
    "is of another version": [Buffer.from("lockstep-layout/2\n{}\n"), /version 1/],
    "is a pack": [Buffer.from("lockstep-pack/1\n"), /version 1/],
    "has no header": [Buffer.from(`${MAGIC}{"files":0`), /no header/],
    "has a header that is not JSON": [text("{"), /header/],
    "has a header that is a list": [text("[]"), /header/],
    "has a header that is null": [text("null"), /header/],
    "has a header with white space": [text('{"files":0, "layoutVersion":1,"packs":[],"parts":0}'), /header/],
    "has a header with another member": [make({ more: 1 }), /header/],
    "has a header without a member": [text('{"files":0,"layoutVersion":1,"packs":[]}'), /header/],
    "says another version in its header": [make({ layoutVersion: 2 }), /header/],
    "has a negative count of parts": [make({ parts: -1 }), /header/],
    "has a broken count of parts": [make({ parts: 0.5 }), /header/],
    "has a count of parts that is text": [make({ parts: "1" }, one), /header/],
    "has a count of parts that is no number": [
      text('{"files":0,"layoutVersion":1,"packs":[],"parts":1e400}'),
      /header/,
    ],
    "has too many parts": [make({ parts: LAYOUT_LIMITS.parts + 1 }), /header/],
    "has too many files": [make({ files: LAYOUT_LIMITS.parts + 1 }), /header/],
    "has a pack that is no digest": [make({ packs: ["sha256:12"] }), /header/],
    "has a pack that is a number": [make({ packs: [7] }), /header/],
    "has a pack twice": [make({ packs: [pack, pack] }), /header/],
    "has packs out of order": [make({ packs: [pack, ROOT].sort().reverse() }), /header/],
    "says a million parts and has none": [make({ parts: 1_000_000 }), /cut short/],
    "says a million files and has none": [make({ files: 1_000_000 }), /cut short/],
    "is cut in a part": [make({ parts: 1 }, one.subarray(0, -1)), /cut short/],
    "goes on after its parts": [make({ parts: 1 }, one, Buffer.from("x")), /after its end/],
    "goes on after its files": [
      make({ parts: 1, files: 1 }, one, file(low, 5n, [0]), Buffer.from("x")),
      /after its end/,
    ],
    "has parts out of order": [make({ parts: 2 }, part(high, LOOSE, 0, 1), one), /order/],
    "has a part twice": [make({ parts: 2 }, one, one), /order/],
    "has a part in a pack that is not listed": [make({ parts: 1, packs: [pack] }, part(low, 1, 0, 1)), /not listed/],
    "has a part beyond 32 bits": [make({ parts: 1, packs: [pack] }, part(low, 0, LOOSE, 1)), /out of range/],
    "has a blob with an offset": [make({ parts: 1 }, part(low, LOOSE, 1, 1)), /offset/],
    "is cut in a file": [make({ parts: 1, files: 1 }, one, file(low, 5n, [0]).subarray(0, -1)), /cut short/],
    "is cut before a file": [make({ parts: 1, files: 2 }, one, file(low, 5n, [0])), /cut short/],
    "has a chunk list without its chunks": [
      make({ parts: 1, files: 1 }, one, file(low, 5n, [], 4_000_000_000)),
      /cut short/,
    ],
    "names a part that is not there": [make({ parts: 1, files: 1 }, one, file(low, 5n, [1])), /not there/],
    "names a part far away": [make({ parts: 1, files: 1 }, one, file(low, 5n, [LOOSE])), /not there/],
    "has a size that lies": [make({ parts: 1, files: 1 }, one, file(low, 6n, [0])), /6 bytes and its chunks have 5/],
    "has a size beyond all numbers": [
      make({ parts: 1, files: 1 }, one, file(low, 2n ** 64n - 1n, [0])),
      /its chunks have 5/,
    ],
    "has a file twice": [make({ parts: 1, files: 2 }, one, file(low, 5n, [0]), file(low, 5n, [0])), /order/],
    "has files out of order": [make({ parts: 1, files: 2 }, one, file(high, 5n, [0]), file(low, 5n, [0])), /order/],
  };
  test.each(Object.entries(cases))("%s", (_, [bytes, problem]) => {
    expect(Layout.parse(ROOT, bytes)).toMatchObject({
      ok: false,
      failures: [{ code: "tree-invalid", tree: `layout of ${ROOT}`, problem: expect.stringMatching(problem) }],
    });
  });
});

test("a layout in a store is read as it is; one that is absent and one that is damaged are told apart", async () => {
  using folder = temporary();
  const store = must(openStore(contextIn(folder.path), "file:s"));
  expect(must(await store.layout(ROOT))).toBeUndefined();
  const bytes = Buffer.from(golden[0]!.hex, "hex");
  must(await store.driver.put(layoutKey(ROOT), bodyOf(bytes, digestOf(bytes))));
  expect(must(await store.layout(ROOT))?.size).toBe(golden[0]!.places.length);
  const wrong = bytes.subarray(0, -1);
  must(await store.driver.put(layoutKey(ROOT), bodyOf(wrong, digestOf(wrong)), { replace: true }));
  expect(await store.layout(ROOT)).toMatchObject({ failures: [{ code: "tree-invalid", tree: `layout of ${ROOT}` }] });
});
