import { expect, test } from "vitest";
import { renderMarkdown } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { fullReport, PLOTS } from "./fixture.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";

const texts = HOSTILE_TEXTS.map(([, text]) => text);
const many = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));
/** Told apart by their beginning, however much of the rest is shown. */
const name = (kind: string, index: number): string =>
  `${kind}${index} ${texts[index % texts.length]} ${"long ".repeat(60)}`;

function large(): Report {
  const full = fullReport();
  const [model] = full.models;
  const [pipeline] = full.pipelines;
  const [metric] = model?.metrics ?? [];
  if (model === undefined || pipeline === undefined || metric === undefined) throw new Error("nothing to enlarge");
  const row = { ...metric, verdict: "worse" as const };
  return {
    ...full,
    conclusion: "failure",
    models: [
      {
        ...model,
        metrics: many(400, (index) => ({ ...metric, name: name("m", index) })),
        gates: many(60, (index) => ({ rule: name("g", index), passed: index < 50, found: name("found", index) })),
        slices: {
          rows: many(60, (index) => ({ ...row, slice: { column: name("s", index), value: "v" }, examples: 9 })),
          left: 60 * 400 - 60,
          count: 60,
          metrics: [metric.name],
          tooMany: many(9, (index) => name("t", index)),
          tests: 180,
          search: null,
        },
        notes: many(50, (index) => name("note", index)),
      },
    ],
    pipelines: [
      {
        ...pipeline,
        plots: many(50, (index) => ({ ...PLOTS[index % PLOTS.length]!, id: `p${index}`, title: name("p", index) })),
        numbers: many(400, (index) => ({ ...metric, file: "f", name: name("n", index) })),
        params: many(400, (index) => ({ file: "f", key: name("k", index), base: "1", head: "2" })),
        notes: many(50, (index) => name("note", index)),
      },
    ],
    notes: many(50, (index) => name("note", index)),
  };
}

/** Which of the rows of a kind stand there, as their numbers. */
const shown = (text: string, kind: string): number[] =>
  [...text.matchAll(new RegExp(`^\\| (?:❌\u00A0\\*\\*fail\\*\\* \\| )?(?:\`|<code>)${kind}(\\d+)`, "gm"))].map(
    ([, number]) => Number(number),
  );

test.each([
  { limit: 65_000, metrics: 30, gates: 10, slices: 10 },
  { limit: 30_000, metrics: 5, gates: 5, slices: 3 },
])("400 metrics, 60 slices and 50 plots with long hostile names in $limit: the first screen stays", (least) => {
  const text = renderMarkdown(large(), { maxCharacters: least.limit });
  expect(text.length).toBeLessThanOrEqual(least.limit);
  expect(text).toMatch(/^> \[!CAUTION\]\n> \*\*Better, and a gate fails\.\*\* .*10 of 60 gates fail\./);
  const [metrics, gates, slices] = ["m", "g", "s"].map((kind) => shown(text, kind));
  expect(metrics!.length).toBeGreaterThanOrEqual(least.metrics);
  expect(metrics).toEqual(many(metrics!.length, (index) => index));
  // Those that fail, in their order, before any that passes.
  expect(gates!.slice(0, least.gates)).toEqual(many(least.gates, (index) => 50 + index));
  expect(slices!.slice(0, least.slices)).toEqual(many(least.slices, (index) => index));
  expect(text).toContain("<details open>\n<summary>Slices: 60 compared, 60 worse");
  for (const said of ["more metrics", "more rows", "54 plots:", "more notes"]) expect(text).toContain(said);
  expect(text).toMatch(/<sub>Lockstep ·[^\n]*$/);
});
