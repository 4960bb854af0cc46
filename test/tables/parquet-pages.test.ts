import { expect, test } from "vitest";
import { checkPage, pagesOf } from "../../src/tables/parquet-pages.ts";
import type { Flat } from "../../src/tables/parquet-pages.ts";

const [SIZE, VALUES] = [40, 10];
const FLAT: Flat = { rows: VALUES, optional: false, boolean: false };

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A field of Thrift's compact protocol that follows the one before it by `step`. */
const int = (step: number, value: number): number[] => [(step << 4) | 5, ...varint(2 * value)];

/** A data page of version 1 that says `values` and `size`, with `packed` bytes after it. */
function page({ type = 0, size = SIZE, packed = SIZE, values = VALUES, encoding = 0 } = {}): Uint8Array {
  const said = [...int(1, values), ...int(1, encoding), 0];
  const header = [...int(1, type), ...int(1, size), ...int(1, packed), 0x2c, ...said, 0];
  return Uint8Array.from([...header, ...Array.from({ length: SIZE }, () => 0)]);
}

test("a page that fits is found where its bytes start", () => {
  const chunk = page();
  expect([...pagesOf(chunk, FLAT)]).toEqual([
    [chunk.length - SIZE, { size: SIZE, values: VALUES, encoding: 0, version: 1 }],
  ]);
});

test.each([
  [{ values: 2_000_000_000 }, "a page of 2000000000 values in a row group of 10 rows"],
  [{ size: 2_000_000_000 }, "a page of 2000000000 bytes"],
  [{ packed: 41 }, "a page beyond its column's end"],
  [{ values: 9 }, "a column has 9 values, its row group 10 rows"],
  [{ type: 2 }, "a page header that does not say what it must"],
  [{ type: 1 }, "a page of type 1"],
  [{ encoding: 7 }, "texts as differences to the text before (DELTA_BYTE_ARRAY), which can unpack to any size"],
])("a page that says %j is refused before anything is unpacked", (lie, problem) => {
  expect(() => pagesOf(page(lie), FLAT)).toThrow(problem);
});

test("a page of version 2 that leaves out the length of its levels is refused", () => {
  const said = [...int(1, VALUES), ...int(1, 0), ...int(1, VALUES), ...int(1, 0), 0];
  const header = [...int(1, 3), ...int(1, SIZE), ...int(1, SIZE), 0x5c, ...said, 0];
  const chunk = Uint8Array.from([...header, ...Array.from({ length: SIZE }, () => 0)]);
  expect(() => pagesOf(chunk, { ...FLAT, optional: true })).toThrow("does not say what it must");
});

test("a header that never ends, or goes down without end, is refused", () => {
  expect(() =>
    pagesOf(
      Uint8Array.from({ length: 1000 }, () => 0x1c),
      FLAT,
    ),
  ).toThrow("too deep");
  expect(() =>
    pagesOf(
      Uint8Array.from({ length: 1000 }, () => 0x15),
      FLAT,
    ),
  ).toThrow();
});

const dictionary = { size: SIZE, values: VALUES, encoding: 8, version: 1 } as const;

test("runs that hold more than the page's values are refused", () => {
  const run = (count: number): Uint8Array => Uint8Array.from([1, ...varint(2 * count), 0]);
  expect(() => checkPage(run(10), dictionary, FLAT)).not.toThrow();
  expect(() => checkPage(run(1_000_000_000), dictionary, FLAT)).toThrow("a run of 1000000000 values in a page of 10");
  const packed = Uint8Array.from([1, ...varint(2 * 100_000_000 + 1), 0]);
  expect(() => checkPage(packed, dictionary, FLAT)).toThrow("a run of 800000000 values in a page of 10");
});

test("levels are held to the page too", () => {
  const levels = [...varint(2 * 1_000_000_000), 1];
  const bytes = Uint8Array.from([levels.length, 0, 0, 0, ...levels, 0, 0]);
  expect(() => checkPage(bytes, { ...dictionary, encoding: 0 }, { ...FLAT, optional: true })).toThrow("a run of");
  const beyond = Uint8Array.from([255, 255, 0, 0, 1]);
  expect(() => checkPage(beyond, { ...dictionary, encoding: 0 }, { ...FLAT, optional: true })).toThrow(
    "beyond the page",
  );
});
