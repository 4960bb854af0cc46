import { expect, test } from "vitest";
import type { Performance, ResultDocument } from "../../src/config/index.ts";
import { renderMarkdown } from "../../src/report/index.ts";
import { speedOf } from "../../src/report/speed.ts";
import { input, report } from "./fixture.ts";

type Model = NonNullable<ReturnType<typeof input>["models"]>[number];
const made = (changes: Partial<Model>): ReturnType<typeof report> => {
  const [model] = input().models;
  return report({ models: [{ ...model!, ...changes }] });
};
const DIGEST = `sha256:${"a".repeat(64)}` as Performance["digest"];

test.each<[string, Partial<Model>]>([
  [
    "a check",
    { gates: [{ check: "labels" }], checks: [{ name: "labels", passed: false, found: "3 @rows | missing" }] },
  ],
  ["a card", { gates: [{ card: ["limitations"] }], card: { intended_use: "x" } }],
  ["a slice", { gates: [{ metric: "accuracy", min: 0.5, slice: "region" }] }],
  ["a speed that was not measured", { gates: [{ latency: "p95", max: "1s" }], speed: speedOf("digits", [], none()) }],
])("%s that fails makes the check run and the status fail, and is told", (_, model) => {
  const shown = made(model);
  expect(shown.conclusion).toBe("failure");
  const markdown = renderMarkdown(shown);
  expect(markdown).toMatch(/and a gate fails\.\*\*/);
  expect(markdown).toContain("❌\u00a0**fail**");
  expect(markdown).not.toContain("@rows | missing");
});

test("they pass, and the report succeeds", () => {
  const checks = [{ name: "labels", passed: true, found: "none is missing" }];
  const speed = { kind: "none", why: "Not measured here." } as const;
  const gates = [{ check: "labels" }, { card: ["limitations"] }, { latency: "p95", max: "1s" }] as Model["gates"];
  const shown = made({ gates, checks, speed, card: { limitations: "One digit." } });
  expect(shown.conclusion).toBe("success");
  expect(shown.models[0]?.gates.map(({ found }) => found)).toEqual([
    "none is missing",
    "all are filled in",
    "Not measured here.",
  ]);
});

test("what a result says of its own speed does not count for another file", () => {
  const one = { value: 1, low: 1, high: 1 };
  const quantities = { p50: one, p95: one, p99: one, throughput: one };
  const forged: NonNullable<ResultDocument["performance"]> = [
    {
      model: "digits",
      digest: `sha256:${"b".repeat(64)}` as typeof DIGEST,
      quantities,
      against: null,
      ratios: null,
      runs: 1,
    },
  ];
  const shown = made({
    gates: [{ latency: "p95", max: "1s" }],
    speed: speedOf("digits", forged, { ...none(), head: DIGEST }),
  });
  expect(shown.models[0]?.gates).toMatchObject([
    { passed: false, found: "The experiment measured other files than these." },
  ]);
});

function none(): Parameters<typeof speedOf>[2] {
  return { head: undefined, base: undefined, production: undefined };
}
