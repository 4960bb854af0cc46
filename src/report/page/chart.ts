import type { TopLevelSpec } from "vega-lite";
import { escapeHtml } from "../html.ts";
import { visible } from "../markdown.ts";
import type { BarsPlot, LinesPlot, Series } from "../plots/schema.ts";
import { loadVega } from "./vega.ts";

/** Pixels before the page scales it. */
const [WIDTH, HEIGHT] = [440, 260];
/** A share of the points around each, as in DVC's own smooth template. */
const BANDWIDTH = 0.3;
/** Points that a local regression needs. */
const SMOOTHED = 5;
const NAMES = { base: "base", head: "this change" };

/** Draws charts, to SVG text whose colours are the page's CSS variables, so that one drawing serves light and dark. */
export interface Charts {
  draw(plot: LinesPlot | BarsPlot): Promise<string>;
}

/** What the repository wrote reaches Vega as data only. */
export async function loadCharts(): Promise<Charts> {
  const draw = await loadVega();
  return {
    draw: async (plot) => titled(shorten(await draw(plot.kind === "lines" ? linesSpec(plot) : barsSpec(plot))), plot),
  };
}

/** Axes in the page's colours. */
export const axisConfig = (): object => ({
  aria: false,
  view: { stroke: null },
  axis: {
    labelColor: "var(--dim)",
    titleColor: "var(--dim)",
    gridColor: "var(--line)",
    domainColor: "var(--axis)",
    tickColor: "var(--axis)",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 400,
    tickSize: 4,
    labelFlush: false,
    labelOverlap: true,
    labelPadding: 4,
    titlePadding: 8,
  },
  legend: { labelColor: "var(--ink)", titleColor: "var(--dim)" },
  header: { labelColor: "var(--ink)", titleColor: "var(--dim)" },
});

const frame = (height: number): Omit<TopLevelSpec & { mark: never }, "mark" | "data"> =>
  ({
    width: WIDTH,
    height,
    background: null,
    padding: 2,
    autosize: { type: "fit", contains: "padding" },
    config: axisConfig(),
  }) as never;

/** What tells series apart: the column by colour, the side by dashes and form; with one column colour is the side too. */
export function colourOf(names: readonly string[], { side, name }: Pick<Series, "side" | "name">): string {
  return names.length === 1 ? `var(--${side})` : `var(--c${names.indexOf(name)})`;
}

function linesSpec(plot: LinesPlot): TopLevelSpec {
  const names = [...new Set(plot.series.map(({ name }) => name))];
  const cloud = plot.template.startsWith("scatter");
  const keys = plot.series.map((_, index) => String(index));
  const range = <T>(of: (series: Series) => T): { domain: string[]; range: T[] } => ({
    domain: keys,
    range: plot.series.map(of),
  });
  const values = plot.series.flatMap(({ points }, index) =>
    jittered(points, plot.template === "scatter_jitter").map(([x, y]) => ({ x, y, k: String(index) })),
  );
  const smooth = plot.template === "smooth" && plot.series.every(({ points }) => points.length >= SMOOTHED);
  const axis = { type: "quantitative", scale: { zero: false, nice: true } } as const;
  const encoding = {
    x: { field: "x", ...axis, title: TITLES.x, axis: { grid: false, tickCount: 6 } },
    y: {
      field: "y",
      ...axis,
      title: plot.y === "" ? null : TITLES.y,
      axis: { tickCount: 5, domain: false, ticks: false },
    },
    color: { field: "k", type: "nominal", legend: null, scale: range((one) => colourOf(names, one)) },
  } as const;
  const whole = plot.series.some(({ points }) => points.some(([x]) => !Number.isInteger(x)));
  const x = whole ? encoding.x : { ...encoding.x, axis: { ...encoding.x.axis, tickMinStep: 1, format: "d" } };
  const drawn = cloud
    ? {
        mark: { type: "point", filled: false, size: 28, strokeWidth: 1.5 },
        encoding: {
          ...encoding,
          x,
          shape: {
            field: "k",
            type: "nominal",
            legend: null,
            scale: range(({ side }) => (side === "base" ? "diamond" : "circle")),
          },
        },
      }
    : {
        mark: { type: "line", strokeWidth: 2, strokeJoin: "round" },
        encoding: {
          ...encoding,
          x,
          strokeDash: {
            field: "k",
            type: "nominal",
            legend: null,
            scale: range(({ side }) => (side === "base" ? [5, 4] : [1, 0])),
          },
        },
        ...(smooth ? { transform: [{ loess: "y", on: "x", groupby: ["k"], bandwidth: BANDWIDTH }] } : {}),
      };
  const diagonal = {
    data: {
      values: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ],
    },
    mark: { type: "line", strokeWidth: 1, strokeDash: [2, 3], color: "var(--axis)" },
    encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
  };
  return {
    ...frame(HEIGHT),
    layer: [...(plot.diagonal ? [diagonal] : []), { data: { values }, ...drawn }],
  } as never;
}

/** Points that would lie on each other, moved by up to a hundredth of the range; the same on every drawing. */
function jittered(points: Series["points"], wanted: boolean): Series["points"] {
  if (!wanted) return points;
  const reach = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]!);
    return (Math.max(...values) - Math.min(...values) || 1) / 50;
  });
  const share = (index: number, step: number): number => ((index * step) % 1) - 0.5;
  return points.map(([x, y], index) => [
    x + share(index, 0.754_877) * reach[0]!,
    y + share(index, 0.569_84) * reach[1]!,
  ]);
}

function barsSpec(plot: BarsPlot): TopLevelSpec {
  const { bars } = plot;
  const sides = sidesOf(plot);
  const values = bars.flatMap((bar, index) =>
    sides.map((side) => ({ n: `${index} ${visible(bar.name, 24)}`, v: bar[side], s: NAMES[side] })),
  );
  const domain = sides.map((side) => NAMES[side]);
  const field = { field: "s", type: "nominal", legend: null } as const;
  return {
    ...frame(heightOf(plot)),
    data: { values },
    mark: { type: "bar" },
    encoding: {
      // The number before a name keeps two names apart that look the same when shortened.
      y: {
        field: "n",
        type: "nominal",
        sort: null,
        title: plot.y === "" ? null : TITLES.y,
        axis: { labelExpr: "substring(datum.label, indexof(datum.label, ' ') + 1)", ticks: false, labelLimit: 140 },
      },
      x: { field: "v", type: "quantitative", title: TITLES.x, axis: { tickCount: 4 } },
      yOffset: { field: "s", sort: domain },
      color: { ...field, scale: { domain, range: sides.map((side) => `var(--${side})`) } },
      fillOpacity: { ...field, scale: { domain, range: sides.map((side) => (side === "base" ? 0.45 : 1)) } },
      stroke: { ...field, scale: { domain, range: sides.map((side) => `var(--${side})`) } },
    },
  } as never;
}

/**
 * Stand for the titles while Vega draws, which looks some texts up as names: an axis called "toString" would break it.
 * Data never meets that: a bar's name begins with its number.
 */
const TITLES = { x: "title of x", y: "title of y" };

function titled(svg: string, { x, y }: LinesPlot | BarsPlot): string {
  const put = (text: string, title: string, most: number): string =>
    text.replace(`>${title}<`, () => `>${escapeHtml(visible(title === TITLES.x ? x : y, most))}<`);
  return put(put(svg, TITLES.x, 60), TITLES.y, 40);
}

/** Leaves out what says nothing, as half of the text does, and rounds places to tenths of a pixel. */
function shorten(svg: string): string {
  return svg
    .replace(/^<svg[^>]*>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/<path class="(background|foreground)"[^>]*\/>/g, "")
    .replace(
      / (class|role|pointer-events|opacity|font-family|stroke-miterlimit|aria-hidden|aria-roledescription)="[^"]*"/g,
      "",
    )
    .replace(/ (transform|d)="([^"]*)"/g, (_, name: string, places: string) => {
      return ` ${name}="${places.replace(/-?\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10))}"`;
    })
    .replaceAll("<g></g>", "");
}

/** Of the drawing, for the element around it. */
export function heightOf(plot: LinesPlot | BarsPlot): number {
  if (plot.kind === "lines") return HEIGHT;
  return Math.max(90, plot.bars.length * (sidesOf(plot).length * 9 + 6) + 45);
}

export function sidesOf({ bars }: BarsPlot): ("base" | "head")[] {
  return (["base", "head"] as const).filter((side) => bars.some((bar) => bar[side] !== null));
}

export const CHART_WIDTH = WIDTH;
