import { expect, test } from "vitest";
import type { Performance } from "../../src/config/index.ts";
import { renderHtml, renderMarkdown, renderText } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { sectionsOf } from "../../src/report/views.ts";
import { BINARY } from "../metrics/helpers.ts";
import { input, report } from "./fixture.ts";

const digest = (digit: string): Performance["digest"] => `sha256:${digit.repeat(64)}` as Performance["digest"];
const around = (value: number): Performance["quantities"]["p50"] => ({ value, low: value * 0.98, high: value * 1.02 });
const quantities = (p50: number): Performance["quantities"] => ({
  p50: around(p50),
  p95: around(p50 * 1.5),
  p99: around(p50 * 3),
  throughput: around(20_000 / p50),
});
const beside = (what: "base" | "production", times: number): Performance => ({
  model: "digits",
  digest: digest("a"),
  quantities: quantities(0.2 * times),
  against: { what, digest: digest("b"), quantities: quantities(0.2) },
  ratios: { p50: around(times), p95: around(times), p99: around(times), throughput: around(1 / times) },
  runs: 900,
});
const size = (value: number): Record<string, number> => ({ "model.onnx": value });

function shownTo(view: "business" | "engineer", changes: Partial<ReturnType<typeof input>["models"][number]>): Report {
  const [model] = input().models;
  return report({ sections: sectionsOf(undefined, view), models: [{ ...model!, ...changes }] });
}
/** The rows of the table that starts with this word, cell by cell. */
const table = (markdown: string, head: string): string[][] =>
  (markdown.split("\n\n").find((block) => block.startsWith(`| ${head}`)) ?? "")
    .split("\n")
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").replaceAll("\u00a0", " ")));

test("an engineer reads first what serving takes: beside production, with the ratio's interval", async () => {
  const shown = shownTo("engineer", {
    speed: { kind: "measured", all: [beside("production", 1.25), beside("base", 1.2)] },
    sizes: { base: size(410_000), production: size(400_000) },
  });
  const markdown = renderMarkdown(shown);
  expect(table(markdown, "serving")).toEqual([
    ["serving", "base", "this PR", "production v3", "against production (95 % interval)"],
    [":--", "--:", "--:", "--:", ":--"],
    ["p50 latency ↓", "200 us", "**250 us**", "200 us", "1.25 times (1.23 to 1.27)"],
    ["p95 latency ↓", "300 us", "**375 us**", "300 us", "1.25 times (1.23 to 1.27)"],
    ["p99 latency ↓", "600 us", "**750 us**", "600 us", "1.25 times (1.23 to 1.27)"],
    ["throughput ↑", "100000 rows/s", "**80000 rows/s**", "100000 rows/s", "0.8 times (0.784 to 0.816)"],
    ["`model.onnx` ↓", "410.0 kB", "**412.0 kB**", "400.0 kB", "+12.0 kB"],
  ]);
  expect(markdown.indexOf("| serving")).toBeLessThan(markdown.indexOf("<summary>Stages"));
  const page = await renderHtml(shown);
  for (const said of ["250 us", "1.25 times (1.23 to 1.27)", "+12.0 kB"]) expect(page).toContain(said);
  const text = renderText(shown);
  expect(text).toMatch(/\np50 latency ↓ +200 us +250 us +200 us +1\.25 times \(1\.23 to 1\.27\)\n/);
  expect(text).toMatch(/\nmodel\.onnx ↓ +410\.0 kB +412\.0 kB +400\.0 kB +\+12\.0 kB\n/);
  expect(renderText(report())).not.toContain("latency");
});

test("what was not measured is said, and the table holds what is known", () => {
  const why = "The experiment did not measure it.";
  const markdown = renderMarkdown(shownTo("engineer", { speed: { kind: "missing", why } }));
  expect(table(markdown, "serving").slice(2)).toEqual([["`model.onnx` ↓", "**412.0 kB**"]]);
  expect(markdown).toContain(why);
  expect(markdown).not.toContain("NaN");
});

test("a hundred files shorten with the rest, and the verdict stays", () => {
  const name = (at: number): string => `${"shard".repeat(40)}-${at}.bin`;
  const files = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [name(at), at * 1000]));
  const markdown = renderMarkdown(shownTo("engineer", { files, gates: [] }), { maxCharacters: 4_000 });
  expect(markdown.length).toBeLessThanOrEqual(4_000);
  expect(markdown).toMatch(/… and \d+ more rows of latency, throughput and size\./);
});

test("of several models only those with something to say have a title in a part", () => {
  const [model] = input().models;
  const none = { kind: "none", why: "The base has no such model to compare with." } as const;
  const models = [{ ...model!, name: "fresh", base: none, gates: [] }, model!];
  const markdown = renderMarkdown(report({ sections: sectionsOf(undefined, "engineer"), models }));
  expect(markdown.split("### `fresh`").length).toBeGreaterThan(2);
  expect(markdown).not.toMatch(/^### .*\n\n###/m);
});

test("business reads what is at stake first, in its own words and units, with the worst and the best case", async () => {
  const business = {
    saved: { formula: "tp * 4 - fp * 2", unit: "EUR", direction: "higher" as const, desc: "of customers we keep" },
    missed: { formula: "fn", direction: "lower" as const },
  };
  const evaluation = { ...BINARY, metrics: ["accuracy"], business };
  const shown = shownTo("business", { evaluation, gates: [] });
  const markdown = renderMarkdown(shown);
  const [saved = "", missed = ""] = markdown.split("\n").filter((line) => line.startsWith("- **`"));
  expect(saved).toMatch(
    /^- \*\*`saved`\*\* \(of customers we keep\): EUR [\d.]+ before, EUR [\d.]+ now on the 300 test examples, \+EUR [\d.]+\. At worst \+EUR [\d.]+, at best \+EUR [\d.]+ \(95 % interval\): the gain is real\.$/,
  );
  // Fewer are better, so the worst case is the one with the most.
  const [, worst, best] = /At worst −([\d.]+), at best −([\d.]+)/.exec(missed) ?? [];
  expect(Number(worst)).toBeLessThan(Number(best));
  expect(markdown.indexOf(saved)).toBeLessThan(markdown.indexOf("| metric"));
  expect(await renderHtml(shown)).toContain("the gain is real");
  expect(renderText(shown)).toMatch(/\n\nsaved \(of customers we keep\): EUR .* the gain is real\.\nmissed: /);
  expect(renderMarkdown(report({ evaluation }))).not.toContain("At worst");
});
