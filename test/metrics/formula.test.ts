import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { modelSchema } from "../../src/config/index.ts";
import { compareModels } from "../../src/evaluate/index.ts";
import {
  evaluationFailures,
  findMetric,
  formulaColumns,
  metricOf,
  readPredictions,
  totals,
} from "../../src/metrics/index.ts";
import type { Evaluation, Predictions } from "../../src/metrics/index.ts";
import { loadModels } from "../../src/registry/index.ts";
import { BINARY, MULTICLASS, predictions, REGRESSION } from "./helpers.ts";

function having(evaluation: Evaluation, formula: string): Evaluation {
  return { ...evaluation, business: { money: { formula, direction: "higher" } } };
}

async function money(text: string, evaluation: Evaluation, formula: string): Promise<number | null> {
  const source = having(evaluation, formula);
  return metricOf(await predictions(text, source), "money", source);
}

/** tp 2, fp 1, fn 1, tn 1. */
const ROWS = `id,label,prediction,score,price,monthly fee
a,1,1,0.9,10,1
b,1,1,0.8,20,2
c,0,1,0.7,30,3
d,1,0,0.4,40,4
e,0,0,0.1,50,5
`;

describe("a formula over binary predictions", () => {
  test.each<[string, number | null]>([
    ["tp * 0.5 * 8 - fp * 2", 6],
    ["tp + fp * 10 + fn * 100 + tn * 1000 + n * 1e4", 51112],
    ["-tp ** 2", null],
    ["-(tp ** 2) + 2 ** 3 ** 2 - 512", -4],
    ["7 % 4 + 10 / 4", 5.5],
    ["fp > 1 ? 100 : fn >= 1 ? 50 : 0", 50],
    ["(tp == 2) + (tp != 2) * 10 + (fp < 1) * 100", 1],
    ["tp > 1 && fp > 1 || !(tn > 1)", 1],
    ["min(tp, fp, 7) + max(tp, 3) + abs(fp - tp) + sqrt(4) + log(exp(2))", 9],
    ["sum(price)", 150],
    ["mean(price)", 30],
    ["sum(price * (prediction == label))", 80],
    ["sum(price * label * (score > 0.5))", 30],
    ['sum(column("monthly fee"))', 15],
    ["sum(prediction ? max(price - 15, 0) : -price / 10)", 11],
    ["sum(price) / sum(1) + sum(price)", 180],
    ["1 / (fp - 1)", null],
    ["log(0 - tp)", null],
  ])("%s", async (formula, expected) => {
    expect(await money(ROWS, BINARY, formula)).toEqual(expected);
  });

  test("weights count", async () => {
    const weighted = { ...BINARY, columns: { ...BINARY.columns, weight: "price" } };
    expect(await money(ROWS, weighted, "tp + n * 1000")).toBe(150_030);
    expect(await money(ROWS, weighted, 'mean(column("monthly fee"))')).toBeCloseTo((10 + 40 + 90 + 160 + 250) / 150);
  });

  test("what a formula reads is what is read of the file", async () => {
    const source = having(BINARY, 'sum(price) + mean(column("monthly fee")) + tp');
    expect(formulaColumns(source)).toEqual(["monthly fee", "price"]);
    const file = await readPredictions({
      file: "p.csv",
      bytes: Buffer.from("id,label,prediction,score\n1,1,1,1\n"),
      evaluation: source,
    });
    expect(file.ok ? [] : file.failures).toMatchObject([
      { problem: 'the column "monthly fee" is missing (in a formula of the evaluation)' },
      { problem: 'the column "price" is missing (in a formula of the evaluation)' },
    ]);
  });

  test("a comparison judges it like any metric", async () => {
    const source = having(BINARY, "tp * 3 - fp");
    const rows = (right: (row: number) => boolean): string =>
      `id,label,prediction,score\n${Array.from({ length: 400 }, (_, row) => `${row},${row % 2},${right(row) ? row % 2 : 1 - (row % 2)},0.5`).join("\n")}\n`;
    const [base, head] = [
      await predictions(
        rows((row) => row % 5 > 1),
        source,
      ),
      await predictions(
        rows((row) => row % 5 > 0),
        source,
      ),
    ];
    const { metrics } = compareModels({ base, head, metrics: ["money"], evaluation: source, resamples: 200 });
    expect(metrics).toMatchObject([{ name: "money", base: 280, head: 440, difference: 160, verdict: "better" }]);
  });
});

test("a formula over classes counts cells, and compares classes in a row", async () => {
  const rows =
    "id,label,prediction,cost\n1,cat,cat,1\n2,cat,dog,2\n3,dog,dog,4\n4,dog,cat,8\n5,eel,eel,16\n6,cat,dog,32\n";
  const { score: _, ...columns } = MULTICLASS.columns;
  const classes = { ...MULTICLASS, columns };
  expect(await money(rows, classes, 'correct * 100 + n + count("cat", "dog") * 1000')).toBe(2306);
  expect(await money(rows, classes, 'sum(cost * (label == "cat" && prediction != label))')).toBe(34);
  expect(await money(rows, classes, 'count("eel", "cat")')).toBe(0);
  expect(await money(rows, classes, 'count("emu", "cat")')).toBeNull();
});

test("a formula over numbers has the row's label and prediction", async () => {
  const rows = "id,label,prediction\n1,10,12\n2,20,17\n3,5,5\n";
  expect(await money(rows, REGRESSION, "sum(abs(prediction - label) > 2 ? 7 : 0) + n")).toBe(10);
  expect(await money(rows, REGRESSION, "mean((prediction - label) ** 2) ** 0.5")).toBeCloseTo(Math.sqrt(13 / 3));
});

test("its weighted sums and its value agree for any weights", async () => {
  const source = having(BINARY, "tp * 2 - fp + sum(price * label) / mean(price)");
  const read: Predictions = await predictions(ROWS, source);
  const metric = findMetric(source, "money")!;
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.1, max: 9, noNaN: true }), { minLength: 5, maxLength: 5 }), (weights) => {
      const sums = metric.sums!(read);
      expect(sums.value(totals(sums, weights))).toBe(metric.prepare(read)(weights));
    }),
    { seed: 3, numRuns: 50 },
  );
});

/** The problems of a formula in a model.yaml, as `line:column problem (hint)`; line 9 holds the formula. */
async function problems(formula: string, task = "binary", quote = '"', name = "saved"): Promise<string[]> {
  const text = `version: 1
pipeline: churn
files: {}
evaluation:
  predictions: p.csv
  task: ${task}
  columns: {id: id, label: y, prediction: p}
  metrics: [accuracy]
  business: {${name}: {direction: higher, formula: ${quote}${formula}${quote}}}
`;
  const models = await loadModels({
    list: async () => ({ ok: true, value: ["models/churn/model.yaml"] }),
    read: async () => ({ ok: true, value: Buffer.from(text) }),
  } as unknown as Parameters<typeof loadModels>[0]);
  if (models.ok) return [];
  return models.failures.map((failure) => {
    if (failure.code !== "file-invalid") throw new Error(failure.code);
    const { line, column } = failure.at;
    return `${line}:${column - 50} ${failure.problem}${failure.hint === undefined ? "" : ` (${failure.hint})`}`;
  });
}

describe("what is wrong with a formula is told at its place", () => {
  test.each<[string, string[]]>([
    ["tp * 2", []],
    ["tp * 2 -", ["9:8 not a formula: Expected expression after -"]],
    ["(tp", ["9:3 not a formula: Unclosed ("]],
    ["", ["9:0 the formula is empty"]],
    [
      "tp + fpp * 2 + foo",
      [
        '9:6 "fpp" is not a count of a binary task; a column goes into sum(...) or mean(...) (did you mean fp?)',
        '9:16 "foo" is not a count of a binary task; a column goes into sum(...) or mean(...) (known: fn, fp, n, tn, tp)',
      ],
    ],
    ["2 * summ(price)", ['9:5 there is no function "summ" here (did you mean sum?)']],
    ["sum(tp)", ['9:5 "tp" is a count, not a value of a row']],
    ["sum(sum(price))", ['9:5 there is no function "sum" here (known: abs, column, exp, log, max, min, sqrt)']],
    ["sum(price, fee)", ["9:1 one value of a row is summed, as in sum(price * label)"]],
    ["abs(tp, fp)", ["9:1 abs takes one value"]],
    ["tp & fp", ["9:1 there is no operator & in formulas"]],
    ["1 < tp < 3", ["9:1 comparisons cannot be chained (write a < b && b < c)"]],
    ["-tp ** 2", ["9:1 what is raised is not clear (write (-x) ** 2 or -(x ** 2))"]],
    ["tp fp", ["9:1 a formula is one expression"]],
    ["tp.constructor", ["9:1 a formula has numbers, names, operators and functions only"]],
    ["[tp]", ["9:1 a formula has numbers, names, operators and functions only"]],
    ["this", ["9:1 a formula has numbers, names, operators and functions only"]],
    ["true", ["9:1 true is not a number"]],
    ["tp + 'x'", ["9:6 'x' is not a number"]],
    ["tp.f(1)", ["9:1 only functions by their name can be called"]],
    [
      "constructor + 1",
      [
        '9:1 "constructor" is not a count of a binary task; a column goes into sum(...) or mean(...) (known: fn, fp, n, tn, tp)',
      ],
    ],
    ["toString(1)", ['9:1 there is no function "toString" here (known: abs, exp, log, max, mean, min, sqrt, sum)']],
    [`${"(".repeat(60)}1${")".repeat(60)}`, ["9:41 the formula is too deep"]],
  ])("%s", async (formula, expected) => {
    expect(await problems(formula)).toEqual(expected);
  });

  test("of a multiclass task", async () => {
    expect(await problems("sum(price * label)", "multiclass")).toEqual([
      '9:13 "label" is a class here: compare it by == or !=, as in prediction == "dog"',
    ]);
    expect(await problems('sum(label < "dog")', "multiclass", "'")).toEqual([
      '9:5 a class can only be compared with a class, by == or !=, as in prediction == "dog"',
    ]);
    expect(await problems('count("dog")', "multiclass", "'")).toEqual([
      '9:1 count takes two classes: the label and the prediction, as in count("cat", "dog")',
    ]);
    expect(await problems("tp", "multiclass")).toEqual([
      '9:1 "tp" is not a count of a multiclass task; a column goes into sum(...) or mean(...) (known: correct, n)',
    ]);
  });

  test("and a name that is a metric already, too many sums, a unit that is none", async () => {
    const many = Array.from({ length: 17 }, (_, index) => `sum(c${index})`).join(" + ");
    expect(await problems(many)).toEqual(["9:171 a formula has at most 16 different sums"]);
    expect(await problems("tp", "binary", '"', "f0.5")).toEqual(['9:-36 "f0.5" is a metric already']);
    const evaluation = {
      ...having(BINARY, "tp"),
      business: { f1: { formula: "tp", direction: "higher", unit: "<b>" } },
    };
    const parsed = modelSchema.safeParse({ version: 1, pipeline: "p", files: {}, evaluation });
    expect(parsed.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)).toEqual([
      "evaluation.business.f1.unit: a unit is a short word, as in EUR (USD for the dollar)",
    ]);
  });
});

test("the documentation's formulas are sound", () => {
  const page = readFileSync(new URL("../../docs/verdict.md", import.meta.url), "utf8");
  const example = page.split("### Business metrics")[1]!.split("```yaml\n")[1]!.split("```")[0]!;
  const { evaluation } = modelSchema.parse({ version: 1, pipeline: "churn", files: {}, ...(parse(example) as object) });
  expect(evaluationFailures(evaluation, () => ({ file: "model.yaml", line: 1, column: 1 }))).toEqual([]);
  expect(formulaColumns(evaluation)).toEqual(["price"]);
});

test("README's rules of a model are ones", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, rules = ""] = /```yaml\n(evaluation:[^]*?)```/.exec(readme) ?? [];
  const { evaluation, gates } = modelSchema.parse({
    version: 1,
    pipeline: "churn",
    files: { "model.onnx": "build/churn/model.onnx" },
    ...(parse(rules) as object),
  });
  expect(evaluationFailures(evaluation, () => ({ file: "model.yaml", line: 1, column: 1 }))).toEqual([]);
  expect(gates).toHaveLength(3);
});

test("any text is a formula or a problem, and never more than that", () => {
  const pieces = fc.constantFrom(
    "tp",
    "fp",
    "sum(",
    "(",
    ")",
    "+",
    "-",
    "*",
    "**",
    "?",
    ":",
    "1",
    ".5",
    ",",
    '"a"',
    "[",
    "]",
    ".",
    "__proto__",
    "price",
    " ",
    "==",
    "constructor",
    "`",
    "${",
    "\\u0000",
    ";",
    "e9",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const source = having(BINARY, parts.join(""));
      const metric = findMetric(source, "money")!;
      const columns = formulaColumns(source);
      expect(columns.every((column) => typeof column === "string")).toBe(true);
      expect(metric.direction).toBe("higher");
    }),
    { seed: 11, numRuns: 2_000 },
  );
});
