import fc from "fast-check";
import { describe as suite, expect, test } from "vitest";
import type { DataFormat as AnyFormat } from "../../../src/config/index.ts";
import { toFolder } from "../../../src/pipeline/functions/folder.ts";
import { FORMATS } from "../../../src/pipeline/functions/formats.ts";

type DataFormat = Exclude<AnyFormat, "files">;

/** What a value is after it was written and read. */
async function through(format: DataFormat, value: unknown): Promise<unknown> {
  const written = await FORMATS[format].write(value);
  if (!written.ok) return written.problem;
  const read = await FORMATS[format].read("file", Buffer.from(written.value));
  return read.ok ? read.value : read.problem;
}

const read = async (format: DataFormat, text: string): Promise<unknown> =>
  FORMATS[format].read("a/b", Buffer.from(text));

const columns = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 });
const tableOf = (cell: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>[]> =>
  columns.chain((names) =>
    fc.array(
      fc.tuple(...names.map(() => cell)).map((cells) => Object.fromEntries(names.map((name, at) => [name, cells[at]]))),
      { minLength: 1, maxLength: 5 },
    ),
  );

suite("what is written is read back", () => {
  test("csv, whatever the texts hold", async () => {
    await fc.assert(
      fc.asyncProperty(tableOf(fc.string({ unit: "grapheme" })), async (rows) => {
        expect(await through("csv", rows)).toEqual(rows);
      }),
    );
  });

  test("json and json lines", async () => {
    const exact = fc.jsonValue().filter((value) => !JSON.stringify(value).includes("__proto__"));
    await fc.assert(
      fc.asyncProperty(fc.array(exact), async (values) => {
        const same = JSON.parse(JSON.stringify(values)) as unknown;
        expect(await through("json", values)).toEqual(same);
        expect(await through("jsonl", values)).toEqual(same);
      }),
    );
  });

  test("parquet, with its types", async () => {
    const rows = [
      { name: "a", count: 1, big: 2n ** 60n, share: 0.5, ok: true, day: new Date(86_400_000), none: null },
      { name: "ü\n", count: null, big: 1n, share: 2, ok: false, day: new Date(0), none: null },
    ];
    expect(await through("parquet", rows)).toEqual([{ ...rows[0] }, { ...rows[1], big: 1 }]);
    await fc.assert(
      fc.asyncProperty(tableOf(fc.option(fc.double({ noNaN: true }))), async (table) => {
        const zero = (value: unknown): unknown => (value === 0 ? 0 : value);
        const plain = (list: Record<string, unknown>[]): unknown =>
          list.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, zero(value)])));
        expect(plain((await through("parquet", table)) as Record<string, unknown>[])).toEqual(plain(table));
      }),
      { numRuns: 30 },
    );
  });

  test("a column may have any name", async () => {
    const row = Object.fromEntries(["__proto__", "constructor", "toString"].map((name, at) => [name, at]));
    for (const format of ["csv", "parquet"] as const) {
      const [back] = (await through(format, [row])) as [Record<string, unknown>];
      expect(Object.entries(back).map(([name, value]) => [name, Number(value)])).toEqual(Object.entries(row));
    }
  });

  test("text and bytes", async () => {
    expect(await through("text", "ä\r\n")).toBe("ä\r\n");
    expect(await through("bytes", new Uint8Array([0, 255]))).toEqual(Buffer.from([0, 255]));
  });
});

suite("csv", () => {
  test("cells that are no texts are spelled as JavaScript does, and none as nothing", async () => {
    const written = await FORMATS.csv.write([{ a: 0.1, b: -0, c: true, d: null, e: undefined, f: 2n ** 60n }]);
    expect(written.ok && Buffer.from(written.value).toString()).toBe("a,b,c,d,e,f\n0.1,0,true,,,1152921504606846976\n");
  });

  test("no rows are an empty file, and the other way round", async () => {
    expect(await through("csv", [])).toEqual([]);
    expect(await read("csv", "a,b\n")).toEqual({ ok: true, value: [] });
  });

  test("an empty cell alone on its line is a row", async () => {
    expect(await through("csv", [{ a: "" }, { a: "1" }])).toEqual([{ a: "" }, { a: "1" }]);
  });

  test.each([
    ["a,b\n1,2\n3\n", { line: 3, column: 1, source: "3" }, "has 1 cells in a row, and the header has 2"],
    ['\ufeffa,b\n"1\n\n",2\n3,4,5\n', { line: 5, column: 1 }, "has 3 cells in a row, and the header has 2"],
    ['a\n"x" y\n', { line: 2 }, "is not CSV: Invalid Closing Quote"],
    ["a,b,a\n", { line: 1 }, 'has the column "a" twice'],
  ])("%j is refused with its place", async (text, at, problem) => {
    expect(await read("csv", text)).toMatchObject({
      ok: false,
      at: { file: "a/b", ...at },
      problem: expect.stringContaining(problem) as string,
    });
  });

  test("bytes that are no UTF-8 are refused", async () => {
    expect(await FORMATS.csv.read("a", Buffer.from([0x61, 0xff]))).toMatchObject({
      ok: false,
      problem: "is not UTF-8",
    });
  });
});

suite("json", () => {
  test.each([
    ["json", '{\n  "a": 1,\n  b\n}', { line: 3, column: 3, source: "  b" }],
    ["json", '{"a": [1,\n', { line: 2, column: 1 }],
    ["jsonl", '{"a": 1}\n\n{"a": 1]\n', { line: 3, column: 8 }],
  ] as const)("%s %j is refused with its place", async (format, text, at) => {
    expect(await read(format, text)).toMatchObject({ ok: false, at: { file: "a/b", ...at } });
  });
});

suite("a value that its format cannot say is refused", () => {
  test.each<[DataFormat, unknown, string]>([
    ["csv", { a: 1 }, "is an object; a table is a list of objects"],
    ["csv", [[1]], "has a list as row 1; a row is an object"],
    ["csv", [{}], "has rows without columns"],
    ["csv", [{ a: 1 }, { b: 1 }], 'has no "a" in row 2, which the first row has'],
    ["csv", [{ a: 1 }, { a: 1, b: 1 }], 'has "b" in row 2, which the first row has not'],
    ["csv", [{ a: Number.NaN }], 'has the number NaN in row 1, column "a"'],
    ["csv", [{ a: new Date(0) }], 'has a Date in row 1, column "a"'],
    ["json", { a: [1, Infinity] }, "has the number Infinity at a[1], which JSON cannot say"],
    ["json", { a: { b: undefined } }, "has undefined at a.b, which JSON cannot say"],
    ["json", new Map(), "has a Map, which JSON cannot say"],
    ["jsonl", { a: 1 }, "is an object; JSON lines are a list"],
    ["parquet", [], "has no rows, and a Parquet file needs its columns"],
    ["parquet", [{ a: 1 }, { a: "1" }], 'has the number 1 and a text in column "a"'],
    ["parquet", [{ a: [1] }], 'has a list in column "a"'],
    ["text", 1, "is the number 1, not a text"],
    ["bytes", "x", "is a text, not bytes"],
  ])("%s of %o", async (format, value, problem) => {
    expect(await FORMATS[format].write(value)).toMatchObject({ ok: false, problem });
  });

  test.each<[unknown, string]>([
    [new Uint8Array(1), "is bytes; a folder is an object of bytes by their paths"],
    [{}, "has no files, and a folder without files is none"],
    [{ "../x": new Uint8Array(1) }, 'has "../x", which is no path inside of a folder'],
    [{ x: "text" }, 'has a text at "x", not bytes'],
    [{ a: new Uint8Array(1), "a/b": new Uint8Array(1) }, 'has "a" both as a file and as a folder'],
  ])("files of %o", (value, problem) => {
    expect(toFolder(value)).toMatchObject({ ok: false, problem });
  });

  test("parquet that is none is refused", async () => {
    expect(await read("parquet", "PAR1 but not really")).toMatchObject({
      ok: false,
      problem: expect.stringContaining("cannot be read as Parquet") as string,
    });
  });
});
