import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { readPredictions } from "../../src/metrics/index.ts";
import type { Evaluation, Predictions } from "../../src/metrics/index.ts";
import { BINARY, listed, problems as problemsOf } from "./helpers.ts";

type Format = "csv" | "tsv" | "jsonl" | "parquet";
type Cell = string | number | boolean | null;
type Table = Readonly<Record<string, readonly Cell[]>>;

const WIDE: Evaluation = {
  ...BINARY,
  slices: ["region", "__proto__"],
  columns: { ...BINARY.columns, weight: "w", preview: ["region"] },
};

const as = (format: Format, evaluation = WIDE): Evaluation => ({
  ...evaluation,
  predictions: `p.${format}` as Evaluation["predictions"],
});

function typeOf(cells: readonly Cell[] = []): "BOOLEAN" | "DOUBLE" | "STRING" {
  const cell = cells.find((one) => one !== null);
  return typeof cell === "boolean" ? "BOOLEAN" : typeof cell === "number" ? "DOUBLE" : "STRING";
}

function write(format: Format, table: Table): Uint8Array {
  const [titles, length] = [Object.keys(table), Object.values(table)[0]?.length ?? 0];
  const rows = Array.from({ length }, (_, row) => titles.map((title) => table[title]?.[row] ?? null));
  if (format === "parquet") {
    const columnData = titles.map((name) => ({ name, data: [...(table[name] ?? [])], type: typeOf(table[name]) }));
    return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 7 }));
  }
  if (format === "jsonl") {
    const lines = rows.map((cells) => {
      const members = titles.map((title, at) => `${JSON.stringify(title)}:${JSON.stringify(cells[at])}`);
      return `{${members.join(", ")}}\n`;
    });
    return Buffer.from(lines.join(""));
  }
  return Buffer.from(
    stringify([titles, ...rows], { delimiter: format === "tsv" ? "\t" : ",", cast: { boolean: String } }),
  );
}

async function read(format: Format, bytes: Uint8Array, evaluation = WIDE): Promise<Predictions> {
  const result = await readPredictions({ file: `p.${format}`, bytes, evaluation: as(format, evaluation) });
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  return result.value;
}

const table = fc
  .uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 })
  .chain((ids) => {
    const column = <T>(cell: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
      fc.array(cell, { minLength: ids.length, maxLength: ids.length });
    return fc
      .record({
        label: column(fc.boolean()),
        prediction: column(fc.integer({ min: 0, max: 1 })),
        score: column(fc.double({ min: 0, max: 1, noNaN: true })),
        w: column(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
        region: column(fc.string({ unit: "grapheme", maxLength: 5 })),
        proto: column(fc.constantFrom("a", "", 'say "no"', "x, y\nz")),
      })
      .map(({ proto, ...columns }): Table =>
        Object.fromEntries([["id", ids], ...Object.entries(columns), ["__proto__", proto]]),
      );
  });

test("what the ordinary libraries write is read alike in every format", async () => {
  await fc.assert(
    fc.asyncProperty(table, async (columns) => {
      const zero = (value: number): number => (value === 0 ? 0 : value);
      for (const format of ["csv", "tsv", "jsonl", "parquet"] as const) {
        const found = await read(format, write(format, columns));
        expect(listed(found.ids)).toEqual(columns["id"]);
        expect(Array.from(found.label)).toEqual(columns["label"]?.map(Number));
        expect(found.task === "binary" && Array.from(found.prediction)).toEqual(columns["prediction"]);
        expect(found.task === "binary" && Array.from(found.score ?? [], zero)).toEqual(
          columns["score"]?.map((one) => zero(Number(one))),
        );
        expect(Array.from(found.weight ?? [], zero)).toEqual(columns["w"]?.map((one) => zero(Number(one))));
        expect(listed(found.preview["region"]!)).toEqual(columns["region"]);
        for (const title of ["region", "__proto__"]) {
          const slice = Object.getOwnPropertyDescriptor(found.slices, title)?.value as Predictions["slices"][string];
          expect(Array.from(slice.code, (code) => slice.values[code])).toEqual(
            Object.entries(columns).find(([name]) => name === title)?.[1],
          );
        }
      }
    }),
    { numRuns: 40 },
  );
});

const problems = async (format: Format, bytes: Uint8Array | string, evaluation = BINARY): Promise<string[]> =>
  problemsOf(bytes, as(format, evaluation), { file: `p.${format}` });

test("JSON lines: every problem with its line and column", async () => {
  const lines = [
    '{"id":"a","label":1,"prediction":1,"score":0.5,"__proto__":1}',
    "",
    '{"id":"a", "label":2, "prediction":null, "score":"high"}',
    '{"id":"b","label":[1],"prediction":1,"score":0.5}',
    '{"id":"c","label":1,"prediction":1}',
    '{"id":"d","label":1,"prediction":1,"score":NaN}',
    '{"id":"e","label":1, "label":0,"prediction":1,"score":1e999}',
    '{"id":"f","label":0,"prediction":1,"score":1e999}',
    "[1, 2]",
    '{"id":"g","label":1',
    '{"id":12345678901234567890,"label":true,"prediction":"yes","score":"1","\\u0069d":7}',
  ];
  expect(await problems("jsonl", lines.join("\n"))).toEqual([
    '3:7 the id "a" is already on line 1',
    '3:20 "2" is neither 0 nor 1 (nor true, false, yes, no)',
    '3:50 "high" is not a finite number',
    "3:36 the cell is empty; 0 or 1 is needed",
    '4:19 "label" holds a list',
    '5:36 "score" is missing',
    expect.stringMatching(/^6:\d+ not JSON: /) as string,
    '7:22 the key "label" is there twice',
    '8:44 "1e999" is not a finite number',
    "9:1 the line is no object",
    expect.stringMatching(/^10:20 not JSON: /) as string,
    '11:72 the key "id" is there twice',
  ]);
  expect(await problems("jsonl", '{"id":1,"label":1}\n')).toEqual([
    '1:19 the column "prediction" is missing (prediction of the evaluation)',
    '1:19 the column "score" is missing (score of the evaluation)',
  ]);
  expect(await problems("jsonl", "\n\n")).toEqual(["1:1 the file is empty"]);
});

test("JSON lines: whole numbers as ids are what the file spells, however long", async () => {
  const line = (id: string): string => `{"id":${id},"label":1,"prediction":1,"score":1}\n`;
  const found = await read(
    "jsonl",
    Buffer.from(line("12345678901234567890") + line("12345678901234567891") + line("7")),
    BINARY,
  );
  expect(listed(found.ids)).toEqual(["12345678901234567890", "12345678901234567891", "7"]);
});

test("a line without end is left as soon as it is too long", async () => {
  for (const format of ["csv", "jsonl"] as const) {
    let sent = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(format === "csv" ? 'id,label,prediction,score\n"' : '{"id":"');
      for (; sent < 1_000_000_000; sent += 65_536) yield Buffer.alloc(65_536, "x");
    };
    const result = await readPredictions({ file: "p", bytes: endless(), evaluation: as(format, BINARY) });
    expect(result.ok ? [] : result.failures).toMatchObject([
      { problem: expect.stringContaining("1000000 bytes") as string },
    ]);
    expect(sent).toBeLessThan(2_000_000);
  }
});

test("bytes that are no UTF-8 are told with their line", async () => {
  const row = Buffer.concat([
    Buffer.from("id,label,prediction,score\na,1,1,1\nb"),
    Buffer.from([0xff]),
    Buffer.from(",1,1,1\n"),
  ]);
  expect(await problems("csv", row)).toEqual(["3:1 not UTF-8"]);
  expect(await problems("jsonl", Buffer.from([0x7b, 0x22, 0xff]))).toEqual(["1:1 not UTF-8"]);
});

const SMALL: Table = { id: ["a", "b", "a"], label: [1, 0, 1], prediction: [1, 1, 0], score: [0.5, 0.25, 1.5] };

test("Parquet: every problem with its row and column", async () => {
  expect(await problems("parquet", write("parquet", SMALL))).toEqual([
    '3:1 row 3, column "id": the id "a" is already in row 1',
    '3:4 row 3, column "score": 1.5 is not a probability (0 to 1)',
  ]);
  const { score: _, ...unscored } = SMALL;
  expect(await problems("parquet", write("parquet", unscored))).toEqual([
    '1:4 the column "score" is missing (score of the evaluation)',
  ]);
  const empty = { ...SMALL, id: ["a", "b", null], score: [0.5, Number.NaN, null] };
  expect(await problems("parquet", write("parquet", empty))).toEqual([
    '2:4 row 2, column "score": "NaN" is not a finite number',
    '3:1 row 3, column "id": the id is missing',
    '3:4 row 3, column "score": the cell is empty; a number is needed',
  ]);
  const nested = parquetWriteBuffer({
    columnData: [
      ...["label", "prediction", "score"].map((name) => ({ name, data: [1], type: "INT32" as const })),
      { name: "id", data: [{ deep: 1 }], type: "JSON" as const },
    ],
  });
  expect(await problems("parquet", new Uint8Array(nested))).toEqual([
    '1:4 row 1, column "id": the cell holds bytes, a list or an object',
  ]);
  expect(await problems("parquet", "PAR1, but not really")).toEqual([
    "1:1 cannot be read as Parquet: parquet file invalid (footer != PAR1)",
  ]);
});

test("Parquet: whatever byte is another, the file is read or refused", async () => {
  const rows = Array.from({ length: 40 }, (_, row) => row);
  const table: Table = {
    id: rows.map((row) => `id${row}`),
    label: rows.map((row) => row % 2),
    prediction: rows.map((row) => (row % 3 === 0 ? 1 : 0)),
    score: rows.map((row) => row / 40),
    region: rows.map((row) => (row < 20 ? "north" : "south")),
  };
  const sound = write("parquet", table);
  const evaluation = as("parquet", { ...BINARY, slices: ["region"] });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(sound.length - 9), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (changes) => {
        const bytes = Uint8Array.from(sound);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await readPredictions({ file: "p", bytes, evaluation });
        expect(result.ok ? result.value.ids.length : result.failures.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 300, seed: 1 },
  );
});
