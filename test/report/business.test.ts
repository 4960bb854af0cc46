import { expect, test } from "vitest";
import { buildReport } from "../../src/report/index.ts";
import { formatChange, formatValue } from "../../src/report/format.ts";
import { BINARY } from "../metrics/helpers.ts";
import { input } from "./fixture.ts";

test("an amount is written with its unit and thousands apart", () => {
  const values = [1234.5, -1234.5, 0, 12, 0.5, 99_999.994, 123_456.7, 1e9, 0.001, 1e20];
  expect(values.map((value) => formatValue(value, "EUR"))).toEqual([
    "EUR 1,234.50",
    "−EUR 1,234.50",
    "EUR 0.00",
    "EUR 12.00",
    "EUR 0.50",
    "EUR 99,999.99",
    "EUR 123,457",
    "EUR 1,000,000,000",
    "EUR 1.000e-3",
    "EUR 1.000e+20",
  ]);
  expect([3, -3, 0].map((value) => formatChange(value, "EUR"))).toEqual(["+EUR 3.00", "−EUR 3.00", "0"]);
  expect(formatValue(null, "EUR")).toBe("–");
});

test("formulas stand in the report: one that is first before all metrics, another after them", () => {
  const evaluation = {
    ...BINARY,
    metrics: ["accuracy", "roc_auc"],
    business: {
      cost: { formula: "fp * 12.5", unit: "EUR", direction: "lower" },
      saved: { formula: "tp * 0.5 * 80 - fp * 2", unit: "EUR", direction: "higher", first: true },
    },
  } as const;
  const report = buildReport(input({ evaluation: { ...evaluation, metrics: [...evaluation.metrics] } }));
  const rows = report.models[0]!.metrics;
  expect(rows.map(({ name, unit, direction }) => [name, unit, direction])).toEqual([
    ["saved", "EUR", "higher"],
    ["accuracy", null, "higher"],
    ["roc_auc", null, "higher"],
    ["cost", "EUR", "lower"],
  ]);
  expect(rows[0]).toMatchObject({ base: 3560, head: 3824, difference: 264 });
  expect(rows[0]!.interval).not.toBeNull();
});
