import { compareCodeUnits } from "../../core/index.ts";
import type { Plot } from "../../pipeline/index.ts";
import { lttb, strideRows } from "./sample.ts";
import type { Point } from "./sample.ts";
import { LINES } from "./schema.ts";
import type { BarsPlot, LinesPlot, MatrixPlot, PlotReport, Series } from "./schema.ts";
import { numberOf, wordOf } from "./table.ts";
import type { PlotTable } from "./table.ts";

/** The tables of each file of a plot on one side; a file that is not there has none. */
export type Tables = ReadonlyMap<string, readonly PlotTable[]>;
type SideName = Series["side"];
type Sides = readonly (readonly [SideName, Tables | null])[];

/** Lines, bars or classes beyond these are left out of a drawing, which says so. */
export const LIMITS = { series: 8, bars: 30, classes: 20 };

/** Draws one plot from the tables of both sides (null: there is no such side); null: no side has anything to draw. */
export function buildPlot(plot: Plot, base: Tables | null, head: Tables | null): PlotReport | null {
  const sides: Sides = [
    ["base", base],
    ["head", head],
  ];
  switch (plot.template) {
    case "confusion":
    case "confusion_normalized":
      return matrix(plot, sides);
    case "bar_horizontal":
    case "bar_horizontal_sorted":
      return bars(plot, sides);
    default:
      return lines(plot, sides);
  }
}

interface Column {
  readonly table: PlotTable;
  readonly name: string;
  readonly cells: readonly unknown[];
}

/** A column of the first table of a file that has it; without a name the last column of the first table. */
function column(tables: Tables, file: string, name: string | undefined): Column | undefined {
  const found = (tables.get(file) ?? []).find(({ columns }) => name === undefined || columns.includes(name));
  const index = found === undefined ? -1 : name === undefined ? found.columns.length - 1 : found.columns.indexOf(name);
  if (found === undefined || index < 0) return undefined;
  return { table: found, name: found.columns[index] ?? "", cells: found.rows.map((row) => row[index]) };
}

interface Pair {
  readonly x: Column | null;
  readonly y: Column;
}

/** What a plot draws of one side: every y with its x. */
function pairs({ x, y }: Plot, tables: Tables): Pair[] {
  let index = 0;
  return y.flatMap(({ file, fields }) =>
    (fields.length === 0 ? [undefined] : fields).flatMap((field): Pair[] => {
      const across = x[index++] ?? x[0];
      const drawn = column(tables, file, field);
      if (drawn === undefined) return [];
      if (across === undefined) return [{ x: null, y: drawn }];
      const found = column(tables, across.file ?? file, across.field);
      return [{ x: found ?? null, y: drawn }];
    }),
  );
}

function frameOf(
  plot: Plot,
  axes: { x: string; y: string },
  notes: readonly string[],
): Omit<LinesPlot, "kind" | "template" | "diagonal" | "series"> {
  return {
    id: plot.id,
    title: plot.title ?? plot.id,
    x: plot.xLabel ?? axes.x,
    y: plot.yLabel ?? axes.y,
    note: notes.length === 0 ? null : `${notes.join("; ")}.`,
  };
}

function lines(plot: Plot, sides: Sides): LinesPlot | null {
  const notes: string[] = [];
  const known = LINES.find((name) => name === (plot.template ?? "linear"));
  const template = known ?? "linear";
  const cloud = template.startsWith("scatter");
  const found = sides.flatMap(([side, tables]) =>
    tables === null ? [] : pairs(plot, tables).map((pair) => ({ side, pair })),
  );
  const several =
    new Set(found.map(({ pair }) => pair.y.name)).size > 1 ||
    sides.some(([side]) => found.filter((one) => one.side === side).length > 1);
  const series = found.flatMap(({ side, pair: { x, y } }): Series[] => {
    const numbers = x?.cells.map(numberOf);
    const counted = numbers === undefined || numbers.every(Number.isNaN);
    const points = y.cells.flatMap((cell, row): Point[] => {
      const point: Point = [counted ? row : (numbers[row] ?? NaN), numberOf(cell)];
      return point.some(Number.isNaN) ? [] : [point];
    });
    if (points.length === 0) return [];
    if (!cloud) points.sort((a, b) => a[0] - b[0]);
    if (points.length < y.cells.length) notes.push("rows without a finite number are left out");
    if (numbers !== undefined && counted) notes.push(`"${x?.name}" holds no numbers: the rows are counted`);
    return [
      {
        side,
        name: several ? y.name : "",
        points: cloud ? strideRows(points.length).map((row) => points[row]!) : lttb(points),
        total: points.length,
      },
    ];
  });
  const names = [...new Set(series.map(({ name }) => name))];
  if (names.length > LIMITS.series) notes.push(`${names.length - LIMITS.series} columns are not shown`);
  const shown = series.filter(({ name }) => names.indexOf(name) < LIMITS.series);
  if (shown.length === 0) return null;
  const first = found[0]?.pair;
  const axes = { x: first?.x?.name ?? "row", y: several ? "" : (first?.y.name ?? "") };
  return { kind: "lines", ...frameOf(plot, axes, [...new Set(notes)]), template, diagonal: false, series: shown };
}

/** DVC's bars: x is how long, y is what. Bars of one name are added. */
function bars(plot: Plot, sides: Sides): BarsPlot | null {
  const sums = { base: new Map<string, number>(), head: new Map<string, number>() };
  let axes = { x: "", y: "" };
  for (const [side, tables] of sides) {
    for (const { x, y } of tables === null ? [] : pairs(plot, tables)) {
      axes = { x: x?.name ?? "row", y: y.name };
      y.cells.forEach((cell, row) => {
        const length = numberOf(x?.cells[row]);
        const name = wordOf(cell);
        if (!Number.isNaN(length)) sums[side].set(name, (sums[side].get(name) ?? 0) + length);
      });
    }
  }
  const names = [...new Set([...sums.head.keys(), ...sums.base.keys()])];
  if (names.length === 0) return null;
  const value = (name: string): number => sums.head.get(name) ?? sums.base.get(name) ?? 0;
  if (plot.template === "bar_horizontal_sorted") names.sort((a, b) => value(b) - value(a));
  const left = names.length - LIMITS.bars;
  const notes = left > 0 ? [`${left} more are not shown`] : [];
  const shown = names.slice(0, LIMITS.bars).map((name) => ({
    name,
    base: sums.base.get(name) ?? null,
    head: sums.head.get(name) ?? null,
  }));
  return { kind: "bars", ...frameOf(plot, axes, notes), bars: shown };
}

/** DVC's confusion: a row for each example, x what is true and y what was said. */
function matrix(plot: Plot, sides: Sides): MatrixPlot | null {
  const cells: Record<SideName, [string, string][]> = { base: [], head: [] };
  let axes = { x: "actual", y: "predicted" };
  for (const [side, tables] of sides) {
    const [pair] = tables === null ? [] : pairs(plot, tables);
    if (pair?.x == null) continue;
    const { x, y } = pair;
    axes = { x: x.name, y: y.name };
    cells[side] = x.cells.map((cell, row) => [wordOf(cell), wordOf(y.cells[row])]);
  }
  const counted = countPairs(cells.base, cells.head);
  if (counted.classes.length === 0) return null;
  return {
    kind: "matrix",
    ...frameOf(plot, axes, counted.notes),
    normalized: plot.template === "confusion_normalized",
    ...counted.matrix,
  };
}

type Cells = Iterable<readonly [string, string, number?]>;

/** Counts (or weighs) pairs of true and said into a matrix of the classes that are seen most. */
export function countPairs(
  base: Cells,
  head: Cells,
): { classes: string[]; notes: string[]; matrix: Pick<MatrixPlot, "classes" | "base" | "head"> } {
  const sums = { base: new Map<string, Map<string, number>>(), head: new Map<string, Map<string, number>>() };
  const seen = new Map<string, number>();
  for (const [side, cells] of [
    ["base", base],
    ["head", head],
  ] as const) {
    for (const [actual, predicted, weight = 1] of cells) {
      const row = sums[side].get(actual) ?? new Map<string, number>();
      sums[side].set(actual, row.set(predicted, (row.get(predicted) ?? 0) + weight));
      for (const name of [actual, predicted]) seen.set(name, (seen.get(name) ?? 0) + weight);
    }
  }
  const frequent = [...seen].sort(([a, m], [b, n]) => n - m || compareCodeUnits(a, b)).map(([name]) => name);
  const classes = frequent.slice(0, LIMITS.classes).sort(byNumberOrName);
  const left = frequent.length - classes.length;
  const table = (side: SideName): number[][] | null =>
    sums[side].size === 0 ? null : classes.map((row) => classes.map((said) => sums[side].get(row)?.get(said) ?? 0));
  return {
    classes,
    notes: left > 0 ? [`${left} rarer classes are not shown`] : [],
    matrix: { classes, base: table("base"), head: table("head") },
  };
}

function byNumberOrName(a: string, b: string): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? compareCodeUnits(a, b) : x - y;
}
