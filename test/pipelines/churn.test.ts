import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe as suite, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { modelSchema } from "../../src/config/index.ts";
import { metricOf } from "../../src/metrics/index.ts";
import type { Predictions } from "../../src/metrics/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { loadPipeline } from "../../src/pipeline/index.ts";
import { FEATURES, PLANS, featuresOf } from "../../pipelines/churn/customers.ts";
import type { Cells, Customer } from "../../pipelines/churn/customers.ts";
import { generate } from "../../pipelines/churn/generate.ts";
import { prepare } from "../../pipelines/churn/prepare.ts";
import { valueOf } from "../../pipelines/churn/value.ts";
import type { Offer } from "../../pipelines/churn/value.ts";
import { contextIn } from "../git/repository.ts";
import { value } from "../helpers/value.ts";

const root = resolve(import.meta.dirname, "../..");
const PARAMS = { seed: 7, customers: 200, months: 4, shift: 3 };
const { customers } = generate({}, { generate: PARAMS });

/** As the engine hands them on. */
const cellsOf = (rows: readonly Customer[]): Cells[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, String(cell)])) as Cells);

suite("the churn example", () => {
  test("has a pipeline and a model that can be read", async () => {
    const pipeline = value(await loadPipeline(workingTree(contextIn(root, {})), "churn"));
    expect(pipeline.stages.map(({ name }) => name)).toEqual(["generate", "prepare", "train", "evaluate"]);
    const evaluate = pipeline.stages.at(-1)!;
    expect(evaluate.deps.map(({ path }) => path)).toContain("pipelines/churn/value.ts");
    expect(evaluate.env.files.map(({ path }) => path)).toEqual(["package-lock.json"]);
    const model = modelSchema.parse(parseYaml(await readFile(join(root, "models/churn/model.yaml"), "utf8")));
    expect(evaluate.predictions).toBe(model.evaluation.predictions);
  });
});

suite("the customers", () => {
  test("are the same for the same seed, as many every month, and gone once they left", () => {
    expect(generate({}, { generate: PARAMS }).customers).toEqual(customers);
    expect(generate({}, { generate: { ...PARAMS, seed: 8 } }).customers).not.toEqual(customers);
    for (let month = 1; month <= PARAMS.months; month++)
      expect(customers.filter((row) => row.month === month)).toHaveLength(PARAMS.customers);
    const left = customers.filter(({ churned }) => churned === 1);
    expect(left.length).toBeGreaterThan(20);
    for (const { customer, month } of left)
      expect(customers.some((row) => row.customer === customer && row.month > month)).toBe(false);
  });

  test("stay or leave for reasons that change with the shift", () => {
    const many = generate({}, { generate: { seed: 1, customers: 2000, months: 4, shift: 3 } }).customers;
    const rate = (rows: readonly Customer[]): number =>
      rows.filter(({ churned }) => churned === 1).length / rows.length;
    const lift = (from: number, of: (row: Customer) => boolean): number => {
      const rows = many.filter(({ month }) => month === from || month === from + 1);
      return rate(rows.filter(of)) / rate(rows.filter((row) => !of(row)));
    };
    const dear = ({ fee, plan }: Customer): boolean => fee > { basic: 15, plus: 28, family: 45 }[plan];
    expect(lift(3, dear)).toBeGreaterThan(1.3 * lift(1, dear));
    const troubled = ({ calls }: Customer): boolean => calls > 1;
    expect(lift(1, troubled)).toBeGreaterThan(1.5);
  });
});

suite("the preparation", () => {
  const {
    train,
    test: tested,
    later,
  } = prepare({ customers: cellsOf(customers) }, { prepare: { train_until: 2, test_until: 3 } });

  test("splits by time, and loses nobody", () => {
    const months = (rows: readonly { readonly id: string }[]): string[] => [
      ...new Set(rows.map(({ id }) => id.split("-")[1]!)),
    ];
    expect([train, tested, later].map(months)).toEqual([["1", "2"], ["3"], ["4"]]);
    expect(train.length + tested.length + later.length).toBe(customers.length);
  });

  test("gives the features in the order of the model's input", () => {
    const [first] = customers;
    expect(FEATURES.map((_, at) => train[0]![`features.${at}`])).toEqual(
      FEATURES.map((name) => (name === "plan" ? PLANS.indexOf(first!.plan) : first![name])),
    );
  });

  test.each([
    [{ plan: "gold" }, 'plan is "gold"'],
    [{ usage: "" }, 'usage is ""'],
    [{ fee: "dear" }, 'fee is "dear"'],
  ])("refuses %j", (cell, problem) => {
    expect(() => featuresOf({ ...cellsOf(customers.slice(0, 1))[0]!, ...cell })).toThrow(problem);
  });
});

test("the model's business metric is the value per customer", () => {
  const { evaluation } = modelSchema.parse(parseYaml(readFileSync(join(root, "models/churn/model.yaml"), "utf8")));
  const { offer } = parseYaml(readFileSync(join(root, "pipelines/churn/params.yaml"), "utf8")) as { offer: Offer };
  const rows = Array.from({ length: 200 }, (_, row) => ({
    fee: 5 + ((row * 37) % 50),
    probability: ((row * 61) % 100) / 100,
    churned: row % 3 === 0,
  }));
  const predictions: Predictions = {
    task: "binary",
    digest: `sha256:${"0".repeat(64)}` as Predictions["digest"],
    ids: rows.map((_, row) => String(row)),
    weight: null,
    group: null,
    slices: {},
    preview: {},
    numbers: { monthly_fee: Float64Array.from(rows, ({ fee }) => fee) },
    label: Uint8Array.from(rows, ({ churned }) => Number(churned)),
    prediction: Uint8Array.from(rows, ({ probability }) => Number(probability >= 0.5)),
    score: Float64Array.from(rows, ({ probability }) => probability),
  };
  const { offers, value_per_customer } = valueOf(rows, offer);
  expect(offers).toBeGreaterThan(50);
  expect(metricOf(predictions, "value_per_customer", evaluation)).toBeCloseTo(value_per_customer, 3);
});

suite("the value", () => {
  const OFFER = { cost: 10, discount: 0.5, accepted: 0.5, months: 8 };
  // Keeping one who pays 20 a month is worth 0.5 * 20 * 0.5 * 8 = 40 euros, so that an offer pays from 1 in 4 on.
  const one = { fee: 20, probability: 0.3, churned: true };

  test("counts who is saved, and every offer", () => {
    expect(valueOf([one, { ...one, churned: false }, { ...one, probability: 0.2 }], OFFER)).toEqual({
      offers: 2,
      saved: 0.5,
      value: 20,
      value_per_customer: 6.667,
      value_share: 0.333,
    });
  });

  test("is that of a clairvoyant, when the model is one, and nothing without customers", () => {
    const known = [1, 0, 1, 0].map((churned) => ({ fee: 20, probability: churned, churned: churned === 1 }));
    expect(valueOf(known, OFFER)).toMatchObject({ offers: 2, value: 60, value_share: 1 });
    expect(valueOf([], OFFER)).toMatchObject({ offers: 0, value: 0, value_per_customer: 0, value_share: 0 });
  });
});
