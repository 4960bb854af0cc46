import { expect, test } from "vitest";
import { renderMarkdown } from "../../src/report/index.ts";
import type { BarsPlot, LinesPlot, PlotReport } from "../../src/report/plots/schema.ts";
import { barChart, COLOURS, lineChart } from "../../src/report/xychart.ts";
import { contrast } from "./contrast.ts";
import { fullReport, PLOTS } from "./fixture.ts";

const [lines, scatter, bars, matrix] = PLOTS as [LinesPlot, LinesPlot, BarsPlot, PlotReport];
const one = (side: "base" | "head", points: [number, number][]): LinesPlot["series"][number] => ({
  side,
  name: "",
  points,
  total: points.length,
});
const section = (plots: readonly PlotReport[]): string => {
  const full = fullReport();
  const [pipeline] = full.pipelines;
  const text = renderMarkdown({
    ...full,
    models: [],
    sections: ["plots"],
    pipelines: [{ ...pipeline!, plots: [...plots] }],
  });
  return text.split("\n\n").slice(1, -1).join("\n\n");
};

test("lines are read off at even places, base against head, and their colours are told", () => {
  const series = [
    one("base", [
      [0, 0],
      [24, 48],
    ]),
    one("head", [
      [0, 1],
      [12, 1],
      [12, 3],
      [24, 3],
    ]),
  ];
  const made = lineChart({ ...lines, series });
  const rows = made?.mermaid.split("\n") ?? [];
  expect(rows.slice(1, 4)).toEqual(["xychart-beta", '  x-axis "epoch" 0 --> 24', '  y-axis "loss" 0 --> 48']);
  expect(rows[4]).toBe(`  line [${Array.from({ length: 25 }, (_, at) => at * 2).join(", ")}]`);
  expect(rows[5]).toBe(`  line [${Array.from({ length: 25 }, (_, at) => (at < 12 ? 1 : 3)).join(", ")}]`);
  expect(made).toMatchObject({
    colours: [
      ["grey", { side: "base" }],
      ["blue", { side: "head" }],
    ],
    note: null,
  });
  expect(section([{ ...lines, series }])).toContain("\n\ngrey: base; blue: this PR.");
});

test("lines of different lengths are drawn where all have points; what cannot be drawn is named", () => {
  const longer = one("head", [
    [1, 1],
    [9, 2],
  ]);
  const shorter = one("base", [
    [0, 1],
    [5, 2],
  ]);
  const both = lineChart({ ...lines, series: [shorter, longer] });
  expect(both?.mermaid).toContain('x-axis "epoch" 1 --> 5\n');
  expect(both?.note).toBe("Drawn where all lines have points.");
  const far = one("head", [
    [6, 1],
    [9, 2],
  ]);
  const huge = one("head", [
    [0, -1e300],
    [9, 1e300],
  ]);
  const fine = one("head", [
    [0, 1],
    [9, 1 + 1e-9],
  ]);
  const point = one("head", [[0, 1]]);
  for (const series of [[shorter, far], [huge], [fine], [point], []])
    expect(lineChart({ ...lines, series })).toBeNull();
  expect(section([scatter])).toBe(
    "<details>\n<summary>Plots: 1</summary>\n\nOn the report's page: `scores`.\n\n</details>",
  );
});

test("a bar of each side has a place of its own, also where names are the same", () => {
  const text = barChart({
    ...bars,
    bars: [
      { name: "a", base: 1, head: 2 },
      { name: "a", base: null, head: 3 },
    ],
  });
  expect(text?.mermaid).toMatch(
    /x-axis "feature" \["1 a \(base\)", "1 a", "2 a \(base\)", "2 a"\]\n {2}y-axis "gain" 0 --> 3\n {2}bar \[1, 0, 0, 0\]\n {2}bar \[0, 2, 0, 3\]$/,
  );
  expect(barChart({ ...bars, bars: [{ name: "a", base: -1, head: 2 }] })).toBeNull();
});

test("a confusion matrix is one table; a cell that changed has both numbers", () => {
  const text = section([matrix]);
  expect(text).toContain("| `0` | 40\u00a0→\u00a041 | 1\u00a0→\u00a00 | 0 |");
  expect(text).toContain("Rows: actual. Columns: predicted. Cells: base → this PR where they differ.");
});

test("no name leaves its quotes", () => {
  const hostile = 'x"] --> y\n  click me\n```\n%%{init: {}}%% [1, 2]';
  const made = [
    lineChart({ ...lines, x: hostile, y: hostile }),
    barChart({ ...bars, x: hostile, y: "  ", bars: bars.bars.map((bar) => ({ ...bar, name: hostile })) }),
  ];
  for (const chart of made) {
    const rows = (chart?.mermaid ?? "").split("\n");
    expect(
      rows
        .slice(1)
        .join("\n")
        .replace(/"[A-Za-z0-9 ._()-]+"/g, ""),
    ).toMatch(
      /^xychart-beta( horizontal)?\n {2}x-axis {2}(\[[ ,]*\]|[\d. >-]+)\n {2}y-axis {2}[\d. >-]+(\n {2}(line|bar) \[[\d., -]+\])+$/,
    );
  }
});

test("the colours stand out from GitHub's page, light and dark", () => {
  for (const [name, colour] of COLOURS)
    for (const page of ["#ffffff", "#0d1117"]) expect(contrast(colour, page), `${name} on ${page}`).toBeGreaterThan(3);
});
