import { expect, test } from "vitest";
import { renderHtml } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { loadCharts } from "../../src/report/page/chart.ts";
import { PALETTE } from "../../src/report/page/style.ts";
import { sectionsOf } from "../../src/report/views.ts";
import { contrast } from "./contrast.ts";
import { fullReport, PLOTS, report, runRecord } from "./fixture.ts";

const drawable = PLOTS.filter((one) => one.kind === "lines" || one.kind === "bars");
const titles = (page: string): string[] => [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title = ""]) => title);

test("a chart is drawn in the page's colours, the same every time, and its texts stay texts", async () => {
  const charts = await loadCharts();
  for (const plot of drawable) {
    const svg = await charts.draw(plot);
    expect(svg).toContain("var(--");
    expect(svg).not.toMatch(/#[0-9a-f]{6}|rgb\(|url\(|href|<script|clip-path|font-family/);
    expect(svg.length).toBeLessThan(12_000);
    const hostile = '"><script>alert(1)</script>{{datum}} datum.x signal url(x)';
    const named = plot.kind === "bars" ? { ...plot, bars: plot.bars.map((bar) => ({ ...bar, name: hostile })) } : plot;
    const drawn = await charts.draw({ ...named, x: hostile, y: hostile });
    expect(drawn.replace(/<text[^>]*>[^<]*<\/text>/g, "")).not.toMatch(/script|datum|alert/);
    for (const name of ["toString", ""])
      expect(await charts.draw({ ...plot, x: name, y: name })).toContain(`>${name}</text>`);
  }
});

test("a plot without a point, with one, and with equal ones is drawn too", async () => {
  const charts = await loadCharts();
  const [lines] = drawable;
  if (lines?.kind !== "lines") throw new Error("no lines");
  const one = (points: [number, number][]): typeof lines => ({
    ...lines,
    template: "smooth",
    series: [{ side: "head", name: "", points, total: points.length }],
  });
  for (const points of [
    [],
    [[1, 1]],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [0, 1e300],
      [1, -1e300],
    ],
  ] as [number, number][][])
    expect(await charts.draw(one(points))).not.toMatch(/NaN|undefined|Infinity/);
});

test("sections come in the order of the view; what is not in it is left out", async () => {
  const full = fullReport();
  expect(titles(await renderHtml(full))).toEqual(["Model digits", "Changes", "Pipeline digits", "Plots", "Reproduce"]);
  const engineer = await renderHtml({ ...full, sections: sectionsOf(undefined, "engineer") });
  expect(titles(engineer).slice(0, 2)).toEqual(["Model digits", "Pipeline digits"]);
  const own = await renderHtml({
    ...full,
    sections: sectionsOf({ version: 1, store: "file:x", report: { sections: ["stages"] } }),
  });
  expect(titles(own)).toEqual(["Pipeline digits"]);
  expect(own).toMatch(/USD 0\.0085/);
});

test("no metric, no base, a failure and a refusal make a page as well", async () => {
  const [model] = report().models;
  if (model === undefined) throw new Error("no model");
  const bare = { ...model, metrics: [], gates: [], flips: null, plots: [], verdict: null };
  const first = report({ pipelines: [{ head: runRecord(), base: null, notes: [] }] });
  const cases: Report[] = [
    { ...first, models: [bare] },
    { ...first, models: [] },
    { ...first, models: [], state: "failed", verdict: "failed", conclusion: "failure", failures: ["boom\nline two"] },
    { ...first, models: [], pipelines: [], sections: [], state: "refused", verdict: "refused", failures: ["no"] },
  ];
  for (const one of cases) {
    const page = await renderHtml(one);
    expect(page.match(/<h1>/g)).toHaveLength(1);
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  }
  expect(await renderHtml(cases[2]!)).toContain("boom\nline two\n");
});

test("the palette can be read: 4.5 to 1 for words, 3 to 1 for lines, in light and dark", () => {
  for (const [scheme, colours] of Object.entries(PALETTE)) {
    for (const ground of [colours.paper, colours.tint]) {
      for (const word of ["ink", "dim", "good", "bad", "warn", "note"] as const)
        expect(contrast(colours[word], ground), `${scheme} ${word}`).toBeGreaterThanOrEqual(4.5);
    }
    for (const mark of ["axis", "base", "head", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"] as const)
      expect(contrast(colours[mark], colours.paper), `${scheme} ${mark}`).toBeGreaterThanOrEqual(3);
  }
});
