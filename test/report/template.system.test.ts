import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { ok } from "../../src/core/index.ts";
import type { Source } from "../../src/git/index.ts";
import type { Plot } from "../../src/pipeline/index.ts";
import { renderHtml, renderMarkdown } from "../../src/report/index.ts";
import { gatherPlots } from "../../src/report/plots/gather.ts";
import { plotReportSchema } from "../../src/report/plots/schema.ts";
import type { LinesPlot } from "../../src/report/plots/schema.ts";
import { templatesOf } from "../../src/report/plots/template/draw.ts";
import { contextFor } from "../registry/rig.ts";
import { fullReport } from "./fixture.ts";

/** A team's own: the anchors of DVC, an expression, points whose colour is the side. */
const OWN = {
  $schema: "https://vega.github.io/schema/vega-lite/v5.json",
  data: { values: "<DVC_METRIC_DATA>" },
  title: "<DVC_METRIC_TITLE>",
  params: ["<DVC_METRIC_ZOOM_AND_PAN>"],
  width: "<DVC_METRIC_PLOT_WIDTH>",
  transform: [{ calculate: "datum.loss * 100", as: "percent" }],
  mark: { type: "area", opacity: 0.4 },
  encoding: {
    x: { field: "<DVC_METRIC_X>", type: "quantitative", title: "<DVC_METRIC_X_LABEL>" },
    y: { field: "percent", type: "quantitative", title: "hundredths", stack: null },
    color: "<DVC_METRIC_COLOR>",
  },
};
const FILE = "h.csv" as Plot["y"][number]["file"];
const PLOT: Plot = {
  id: "h",
  template: "own",
  title: null,
  xLabel: null,
  yLabel: null,
  header: true,
  x: [{ file: null, field: "epoch" }],
  y: [{ file: FILE, fields: ["loss"] }],
};
const TABLE = "epoch,loss,said\n1,0.5,a\n2,0.25,b\n3,0.2,c\n";

async function drawn(template: unknown, plot: Plot = PLOT, text = TABLE): Promise<LinesPlot> {
  const source = {
    read: async (path: string) =>
      ok(path === ".dvc/plots/own.json" && template !== undefined ? Buffer.from(JSON.stringify(template)) : undefined),
  } as Source;
  const file = { path: FILE, read: async () => ok(Buffer.from(text)) };
  const files = { at: async () => ok([file]) } as never;
  const { plots } = await gatherPlots([plot], { base: files, head: files }, templatesOf(contextFor("."), source));
  expect(plotReportSchema.parse(plots[0])).toEqual(plots[0]);
  return plots[0] as LinesPlot;
}

describe("a template of the repository's own", { timeout: 60_000 }, () => {
  test("is drawn with the rows of both sides; the comment has lines in its place", async () => {
    const plot = await drawn(OWN);
    expect(plot.note).toBeNull();
    expect(plot.drawing).toMatch(/^<svg [^]*>epoch<[^]*>hundredths<[^]*>this change</);
    expect(plot.drawing?.match(/<path aria-label|<path [^>]*fill="var\(--(base|head)\)"/g)?.length).toBeGreaterThan(1);
    const full = fullReport();
    const [pipeline] = full.pipelines;
    const report = { ...full, pipelines: [{ ...pipeline!, plots: [plot] }] };
    expect(renderMarkdown(report)).toContain("by its own template on the report's page");
    expect(await renderHtml(report)).toMatch(
      /<img\s+class="chart"\s+alt="h\. [^"]+"\s+src="data:image\/svg\+xml;base64,/,
    );
  });

  test("columns of words are drawn too, where lines have nothing", async () => {
    const words = {
      ...OWN,
      transform: [],
      mark: "bar",
      encoding: { y: { field: "<DVC_METRIC_Y>", type: "nominal" }, x: { aggregate: "count" } },
    };
    const plot = await drawn(words, { ...PLOT, y: [{ file: FILE, fields: ["said"] }] });
    expect(plot.series).toEqual([]);
    expect(plot.drawing).toMatch(/>c<\/text>/);
  });

  const broken: [string, unknown, RegExp][] = [
    ["no such file", undefined, /no such file/],
    ["an address", { ...OWN, data: { url: "https://example.test/x.csv" } }, /address/],
    ["what is no chart", { data: { values: [] } }, /template own/],
    ["a bomb", { ...OWN, data: { sequence: { start: 0, stop: 1e9 } } }, /256 MB/],
    [
      "an expression that reaches for the process",
      { ...OWN, transform: [{ calculate: "datum.constructor.constructor('return process')()", as: "percent" }] },
      /template own/,
    ],
    [
      "a picture from elsewhere",
      { ...OWN, mark: { type: "image" }, encoding: { ...OWN.encoding, url: { value: "https://example.test/x.png" } } },
      /address/,
    ],
  ];
  test.each(broken)("%s: lines, with the reason", async (_, template, why) => {
    const plot = await drawn(template);
    expect(plot.drawing).toBeUndefined();
    expect(plot.series).toHaveLength(2);
    expect(plot.note).toMatch(why);
  });

  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  test.skipIf(!existsSync(executablePath))(
    "hostile texts stay in the picture, which loads nothing and runs nothing",
    async () => {
      const hostile = `"><script>document.title="x"</script><image href="https://example.test/p.png"/>`;
      const template = {
        ...OWN,
        background: hostile,
        config: { font: hostile },
        usermeta: { embedOptions: { loader: hostile } },
      };
      const plot = await drawn(template, { ...PLOT, xLabel: hostile, title: hostile });
      const full = fullReport();
      const page = await renderHtml({ ...full, pipelines: [{ ...full.pipelines[0]!, plots: [plot] }] });
      const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
      try {
        const tab = await browser.newPage();
        const asked: string[] = [];
        tab.on("request", (request) => asked.push(request.url()));
        await tab.setContent(page, { waitUntil: "load" });
        expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([]);
        expect(await tab.title()).toContain("Lockstep report");
        expect(await tab.locator("script").count()).toBe(0);
        const img = tab.locator("img.chart");
        expect(await img.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(
          0,
        );
      } finally {
        await browser.close();
      }
    },
  );
});
