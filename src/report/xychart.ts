import { label } from "./mermaid.ts";
import type { BarsPlot, LinesPlot, Series } from "./plots/schema.ts";

/** A drawing for a comment, and the colour of each of its lines. Mermaid has no legend: the colours are told in words. */
export interface Chart {
  readonly mermaid: string;
  readonly colours: readonly (readonly [colour: string, of: Pick<Series, "side" | "name">])[];
  readonly note: string | null;
}

/** Each has a contrast of at least 3 to GitHub's page, in light and in dark. */
export const COLOURS = [
  ["grey", "#7d8590"],
  ["blue", "#2563eb"],
  ["orange", "#ea580c"],
  ["green", "#16a34a"],
  ["purple", "#9333ea"],
  ["pink", "#db2777"],
] as const;
/** Where lines are read off: Mermaid draws all lines of a chart through the same evenly spaced places. */
const PLACES = 25;
const BARS = 12;
/** Beyond these a number cannot be written without an exponent, which Mermaid does not read. */
const [LARGEST, SMALLEST] = [1e12, 1e-6];

/** Null: Mermaid cannot draw it as it is (a cloud, no place that all lines have, too many lines, numbers too large). */
export function lineChart({ template, series, x, y }: LinesPlot): Chart | null {
  if (template.startsWith("scatter") || series.length > COLOURS.length) return null;
  const ends = series.map(({ points }) => [points[0]?.[0] ?? NaN, points.at(-1)?.[0] ?? NaN] as const);
  const low = Math.max(...ends.map(([first]) => first));
  const high = Math.min(...ends.map(([, last]) => last));
  if (!(low < high)) return null;
  const places = Array.from({ length: PLACES }, (_, at) => low + ((high - low) * at) / (PLACES - 1));
  const lines = series.map(({ points }) => readOff(points, places));
  const range = rangeOf(lines.flat());
  if (range === null || !writable([low, high])) return null;
  const whole = ends.every(([first, last]) => first === low && last === high);
  return {
    mermaid: [
      init(series.map((_, at) => at)),
      "xychart-beta",
      `  x-axis "${axis(x)}" ${plain(low)} --> ${plain(high)}`,
      `  y-axis "${axis(y)}" ${range}`,
      ...lines.map((line) => `  line [${line.map(plain).join(", ")}]`),
    ].join("\n"),
    colours: series.map((one, at) => [COLOURS[at]![0], one]),
    note: whole ? null : "Drawn where all lines have points.",
  };
}

/** Each bar has a place of its own, for Mermaid draws bars of one place over each other. */
export function barChart({ bars, x, y }: BarsPlot): Chart | null {
  const sides = (["base", "head"] as const).filter((side) => bars.some((bar) => bar[side] !== null));
  const values = bars.flatMap(({ base, head }) => [base ?? 0, head ?? 0]);
  const range = rangeOf([0, ...values]);
  // Bars begin at the axis' end, also those of negative numbers.
  if (bars.length > BARS || range === null || Math.min(...values) < 0) return null;
  const labels = bars.map(({ name }) => axis(name));
  // Places of one name would be one place.
  const alike = new Set(labels).size < labels.length;
  const names = labels.flatMap((name, at) =>
    sides.map((side) => `"${alike ? `${at + 1} ` : ""}${name}${side === "base" ? " (base)" : ""}"`),
  );
  const row = (side: "base" | "head"): string =>
    bars.flatMap((bar) => sides.map((one) => plain(one === side ? (bar[side] ?? 0) : 0))).join(", ");
  const first = sides.includes("base") ? 0 : 1;
  return {
    mermaid: [
      init(sides.map((_, at) => first + at)),
      "xychart-beta horizontal",
      `  x-axis "${axis(y)}" [${names.join(", ")}]`,
      `  y-axis "${axis(x)}" ${range}`,
      ...sides.map((side) => `  bar [${row(side)}]`),
    ].join("\n"),
    colours: sides.map((side, at) => [COLOURS[first + at]![0], { side, name: "" }]),
    note: null,
  };
}

function init(colours: readonly number[]): string {
  const plotColorPalette = colours.map((at) => COLOURS[at]![1]).join(", ");
  return `%%{init: ${JSON.stringify({ themeVariables: { xyChart: { backgroundColor: "transparent", plotColorPalette } } })}}%%`;
}

function axis(text: string): string {
  return text.trim() === "" ? "value" : label(text);
}

/** The lines' values at each place, between two points on the straight line between them. */
function readOff(points: Series["points"], places: readonly number[]): number[] {
  let at = 0;
  return places.map((place) => {
    while (at < points.length - 2 && points[at + 1]![0] <= place) at++;
    const [[x0, y0], [x1, y1]] = [points[at]!, points[at + 1]!];
    const share = x1 === x0 ? 1 : Math.min(1, Math.max(0, (place - x0) / (x1 - x0)));
    return y0 + (y1 - y0) * share;
  });
}

function rangeOf(values: readonly number[]): string | null {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!writable([low, high])) return null;
  const room = high > low ? 0 : Math.max(Math.abs(low), 1) / 10;
  return `${plain(low - room)} --> ${plain(high + room)}`;
}

/** Whether numbers of this range can be told apart as they are written. */
function writable([low, high]: readonly [number, number]): boolean {
  const size = Math.max(Math.abs(low), Math.abs(high));
  return size < LARGEST && (high === low || high - low > Math.max(SMALLEST * 100, size * SMALLEST));
}

function plain(value: number): string {
  const places = Math.abs(value) >= 1000 ? 1 : 6;
  return String(Number(value.toFixed(places))).includes("e") ? "0" : String(Number(value.toFixed(places)));
}
