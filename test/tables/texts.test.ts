import fc from "fast-check";
import { expect, test } from "vitest";
import { Texts, TextTable } from "../../src/tables/index.ts";

const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 80 }), fc.constantFrom("", "a", "b", "a\0", "é"));

test("a table numbers texts as they come, whatever their bytes are", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 200 }), (words) => {
      const table = new TextTable();
      const known = new Map<string, number>();
      for (const word of words) {
        if (!known.has(word)) known.set(word, known.size);
        expect(table.addText(word)).toBe(known.get(word));
      }
      const { texts } = table;
      expect(Array.from({ length: texts.length }, (_, at) => texts.at(at))).toEqual([...known.keys()]);
      expect([texts.at(-1), texts.at(texts.length)]).toEqual([undefined, undefined]);
    }),
    { numRuns: 50 },
  );
});

test("a table over texts that are there finds each of 100,000, and none that is not", () => {
  const texts = Texts.from(Array.from({ length: 100_000 }, (_, row) => `user-${row}`));
  const table = new TextTable(texts);
  const found =
    texts.length === 100_000 &&
    Array.from({ length: 100_000 }, (_, row) => row).every(
      (row) => table.find(texts.bytes, texts.startOf(row), texts.endOf(row)) === row,
    );
  expect(found).toBe(true);
  const other = Buffer.from("user-100000");
  expect(table.find(other, 0, other.length)).toBe(-1);
});
