import { expect, test } from "vitest";
import { readPredictions } from "../../src/metrics/index.ts";
import { digestOf } from "../../src/store/index.ts";
import { BINARY, listed, NO_COLUMNS, MULTICLASS, predictions, problems, REGRESSION } from "./helpers.ts";

test("reads each task into columns; other columns are left alone", async () => {
  const text = 'id,region,label,prediction,score\na,"north, cold",1,0,0.25\nb,,false,true,1\n';
  const read = await predictions(text, BINARY);
  expect({ ...read, ids: listed(read.ids) }).toEqual({
    ...NO_COLUMNS,
    task: "binary",
    digest: digestOf(Buffer.from(text)),
    ids: ["a", "b"],
    label: Uint8Array.of(1, 0),
    prediction: Uint8Array.of(0, 1),
    score: Float64Array.of(0.25, 1),
  });
  const classes = await predictions("id,label,prediction,p_cat,p_a b\n1,cat,a b,0.5,0.5\n2,a b,a b,0,1\n", MULTICLASS);
  expect(classes).toMatchObject({
    classes: ["a b", "cat"],
    label: Int32Array.of(1, 0),
    prediction: Int32Array.of(0, 0),
  });
  expect(classes).toMatchObject({ scores: [Float64Array.of(0.5, 1), Float64Array.of(0.5, 0)] });
  const numbers = await predictions("id,label,prediction\r\n1,-1.5e3,2\r\n", REGRESSION);
  expect(numbers).toMatchObject({ label: Float64Array.of(-1500), prediction: Float64Array.of(2) });
});

test("a byte order mark, empty lines and chunks cut anywhere change nothing", async () => {
  const text = 'id,label,prediction,score\n\né,1,1,0.9\n\n"b\nc",0,0,0.1\n';
  const bytes = Buffer.from(`\uFEFF${text}`);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
  }
  const read = await readPredictions({ file: "p.csv", bytes: chunks(), evaluation: BINARY });
  expect(read.ok && listed(read.value.ids)).toEqual(["é", "b\nc"]);
  expect(read.ok && read.value.digest).toBe(digestOf(bytes));
});

test("every problem is told at once, each with its line and column", async () => {
  const text = [
    "id,label,prediction,score",
    "a,1,1,0.9",
    ",1,1,0.9",
    "a,0,0,0.1",
    "b,,1,0.9",
    'c,"maybe",1,0.9',
    "d,1,1,NaN",
    "e,1,1,",
    "f,1,1,1.5",
    "g,1,1",
    '"h\nh",1,1,high',
    "i,1,1,Infinity",
  ].join("\n");
  expect(await problems(text, BINARY)).toEqual([
    "3:1 the id is missing",
    '4:1 the id "a" is already on line 2',
    "5:3 the cell is empty; 0 or 1 is needed",
    '6:3 "maybe" is neither 0 nor 1 (nor true, false, yes, no)',
    '7:7 "NaN" is not a finite number',
    "8:7 the cell is empty; a number is needed",
    "9:7 1.5 is not a probability (0 to 1)",
    "10:6 this row has 3 cells, the header 4",
    '12:8 "high" is not a finite number',
    '13:7 "Infinity" is not a finite number',
  ]);
});

test("the place of a problem is underlined in the text of its line", async () => {
  const bytes = Buffer.from('id,label,prediction,score\n"x ""y"", z",1,1,0.9\na,1,2,0.5\n');
  const read = await readPredictions({ file: "p.csv", bytes, evaluation: BINARY });
  expect(read.ok ? [] : read.failures).toMatchObject([
    { at: { file: "p.csv", line: 3, column: 5, length: 1, source: "a,1,2,0.5" } },
  ]);
});

test("columns that are missing or there twice are told from the header", async () => {
  expect(await problems("id,prediction,id\n1,1,2\n", BINARY)).toEqual([
    '1:15 the column "id" is there twice',
    '1:17 the column "label" is missing (label of the evaluation)',
    '1:17 the column "score" is missing (score of the evaluation)',
  ]);
  expect(await problems("id,label,prediction\n1,a,a\n", MULTICLASS)).toEqual([
    '1:20 the column "p_<class>" is missing (score of a class of the evaluation)',
  ]);
  expect(await problems("id,label,prediction,p_a\n1,a,b\n1,a,b,1\n", MULTICLASS)).toEqual([
    "2:6 this row has 3 cells, the header 4",
    '3:5 the class "b" has no score column',
  ]);
});

test("what is no CSV at all is one problem", async () => {
  expect(await problems("", BINARY)).toEqual(["1:1 the file is empty"]);
  expect(await problems("id,label,prediction,score\n", BINARY)).toEqual(["1:1 the file has no rows"]);
  expect(await problems('id,label,prediction,score\na,1,"1,0.5\n', BINARY)).toHaveLength(1);
  expect(await problems('id,label,prediction,score\na,1,1"x",0.5\n', BINARY)).toHaveLength(1);
  expect((await problems(`id,label,prediction,score\n"${"x".repeat(2_000_000)}`, BINARY))[0]).toMatch(/not a CSV file/);
});

test("a file with a hundred thousand problems is told in a hundred lines", async () => {
  const rows = Array.from({ length: 100_000 }, (_, row) => `${row},1,1,x`);
  const told = await problems(["id,label,prediction,score", ...rows].join("\n"), BINARY);
  expect(told).toHaveLength(101);
  expect(told.at(-1)).toBe("1:1 and 99900 more problems");
});
