import { expect, test } from "vitest";
import { modelSchema, parseConfig } from "../../src/config/index.ts";
import { BINARY, listed, predictions, problems, RANKING } from "./helpers.ts";

const WIDE = {
  ...BINARY,
  columns: { ...BINARY.columns, weight: "w", group: "user", preview: ["text", "__proto__"] },
  slices: ["region", "__proto__"],
};

test("weights, groups, slices, previews and a formula's numbers are read beside the answers", async () => {
  const read = await predictions(
    'id,label,prediction,score,w,user,region,text,__proto__,price\na,1,1,.9,2,u1,north,"long, text",x,3\nb,0,1,.6,0.5,u2,,t,y,-1e2\nc,0,0,.1,0,u1,north,,x,0\n',
    WIDE,
    ["price", "w"],
  );
  expect(read.weight).toEqual(Float64Array.of(2, 0.5, 0));
  expect(read.group).toMatchObject({ code: Int32Array.of(0, 1, 0) });
  expect([read.group?.values.length, read.group?.values.at(1)]).toEqual([2, "u2"]);
  expect(Object.keys(read.slices)).toEqual(["region", "__proto__"]);
  expect(read.slices["region"]).toEqual({ values: ["north", ""], code: Int32Array.of(0, 1, 0) });
  expect(Object.getOwnPropertyDescriptor(read.slices, "__proto__")?.value).toEqual({
    values: ["x", "y"],
    code: Int32Array.of(0, 1, 0),
  });
  expect(read.numbers).toEqual({ price: Float64Array.of(3, -100, 0), w: Float64Array.of(2, 0.5, 0) });
  expect([0, 1, 2, 3].map((row) => read.preview["text"]?.at(row))).toEqual(["long, text", "t", "", undefined]);
});

test("each of them is refused with its place", async () => {
  const text =
    "id,label,prediction,score,w,user,region,text,__proto__,price\na,1,1,.9,-1,,n,t,x,3\nb,1,1,.9,Infinity,u,n,t,x,free\n";
  expect(await problems(text, WIDE, { numbers: ["price"] })).toEqual([
    "2:10 -1 is negative; a weight is not",
    "2:13 the group is missing",
    '3:10 "Infinity" is not a finite number',
    '3:27 "free" is not a finite number',
  ]);
  expect(await problems("id,label,prediction,score\na,1,1,.9\n", WIDE, { numbers: ["price"] })).toEqual([
    '1:26 the column "w" is missing (weight of the evaluation)',
    '1:26 the column "user" is missing (group of the evaluation)',
    '1:26 the column "region" is missing (slice of the evaluation)',
    '1:26 the column "__proto__" is missing (slice of the evaluation)',
    '1:26 the column "price" is missing (in a formula of the evaluation)',
    '1:26 the column "text" is missing (preview of the evaluation)',
    '1:26 the column "__proto__" is missing (preview of the evaluation)',
  ]);
});

test("a ranking has queries, relevances and scores of any size", async () => {
  const read = await predictions("id,query,relevance,score\n1,q1,3,-7.5\n2,q2,0,12\n3,q1,0.5,0\n", RANKING);
  expect(read).toMatchObject({
    task: "ranking",
    label: Float64Array.of(3, 0, 0.5),
    score: Float64Array.of(-7.5, 12, 0),
  });
  expect(read).toMatchObject({ query: { code: Int32Array.of(0, 1, 0) } });
  expect(read.task === "ranking" && listed(read.query.values)).toEqual(["q1", "q2"]);
  expect(await problems("id,query,relevance,score\n1,,-1,NaN\n", RANKING)).toEqual([
    "2:4 -1 is negative; a relevance is not",
    '2:7 "NaN" is not a finite number',
    "2:3 the query is missing",
  ]);
});

test("a binary model may leave its answer to the score", async () => {
  const columns = { id: "id", label: "label", score: "score" };
  const read = await predictions("id,label,score\na,1,0.5\nb,1,0.49\n", { ...BINARY, columns });
  expect(read).toMatchObject({ prediction: Uint8Array.of(1, 0), score: Float64Array.of(0.5, 0.49) });
});

test.each([
  ["binary", "{id: i, label: l}", "a binary task needs `prediction` or `score`"],
  ["multiclass", "{id: i, label: l, score: s}", "a multiclass task needs `prediction`"],
  ["regression", "{id: i, label: l}", "a regression task needs `prediction`"],
  ["ranking", "{id: i, label: l, score: s}", "a ranking needs `query` and `score`"],
  ["regression", "{id: i, label: l, prediction: p, query: q}", "`query` belongs to a ranking"],
])("a %s task with columns %s is refused", (task, columns, problem) => {
  const text = `version: 1\npipeline: p\nfiles: {m.onnx: m.onnx}\nevaluation:\n  predictions: p.csv\n  task: ${task}\n  columns: ${columns}\n  metrics: [mae]\n`;
  const read = parseConfig("models/m/model.yaml", text, modelSchema);
  expect(read.ok ? [] : read.failures).toMatchObject([
    { at: { file: "models/m/model.yaml", line: 7, column: 12 }, problem: `"evaluation.columns": ${problem}` },
  ]);
});
