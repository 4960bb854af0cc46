import { apart, jackknife } from "../statistics/index.ts";
import type { Shape } from "../statistics/index.ts";
import { draw, fewer } from "./design.ts";
import type { Design } from "./design.ts";
import type { Metric, Predictions, Sums } from "../metrics/index.ts";
import { Differences } from "./sampled.ts";
import type { Distribution, Drawing } from "./sampled.ts";

/** Cells beyond this are too many to be columns. */
const MAX_CELLS = 512;

/** Whether a metric is a function of so few sums that `totalSamples` can hold them for every unit. */
export function isTotalled(metric: Metric, sides: readonly Predictions[]): boolean {
  return sides.every((side) => {
    const sums = metric.sums?.(side);
    return sums !== undefined && (sums.cells?.size ?? 0) <= MAX_CELLS;
  });
}

/**
 * Samples of metrics that are functions of weighted sums: the examples are added up once, per unit of the design, and
 * each sample adds up the units that it draws, for all of the metrics together.
 */
export function totalSamples(
  drawing: Drawing,
  designs: { readonly base: Design; readonly head: Design },
): Distribution[] {
  const { base, head, paired, random, resamples, metrics } = drawing;
  const before = new Table(designs.base);
  const after = paired ? before : new Table(designs.head);
  const open = metrics.map((metric) => ({
    metric,
    base: before.side(base, metric),
    head: after.side(head, metric),
    differences: new Differences(resamples),
  }));
  for (let sample = 0; sample < resamples; sample++) {
    for (const table of new Set([before, after])) {
      draw(table.design, random, table.drawn);
      table.add();
    }
    for (const one of open) one.differences.add(one.base.value(one.base.gather()), one.head.value(one.head.gather()));
  }
  return open.map(({ metric, base: one, head: two, differences }) => ({
    metric,
    sorted: differences.sorted(),
    shape: shapeOf(one, two, paired),
    groups: fewer(designs),
    resamples,
  }));
}

/** Sums of columns per unit. Columns that are the same object are held once. */
class Table {
  readonly design: Design;
  readonly drawn: Float64Array;
  readonly columns: Float64Array[] = [];
  /** Of each column over the units that were drawn. */
  #sums = new Float64Array(0);
  readonly #known = new Map<object, number>();

  constructor(design: Design) {
    this.design = design;
    this.drawn = new Float64Array(design.starts.at(-1) as number);
  }

  get sums(): Float64Array {
    return this.#sums;
  }

  side(from: Predictions, metric: Metric): Side {
    const sums = metric.sums?.(from);
    if (sums === undefined) throw new TypeError(`${metric.name} is no function of sums`);
    const { columns, cells, value } = sums;
    const places = columns.map((column) =>
      this.#place(column, () => [this.#perUnit(from, (row) => column[row] as number)]),
    );
    if (cells !== null) {
      const first = this.#place(cells.code, () => this.#perCell(from, cells.code, cells.size));
      for (let cell = 0; cell < cells.size; cell++) places.push(first + cell);
    }
    return new Side(this, places, value);
  }

  add(): void {
    const { drawn } = this;
    for (const [index, column] of this.columns.entries()) {
      let sum = 0;
      for (let unit = 0; unit < drawn.length; unit++) sum += (drawn[unit] as number) * (column[unit] as number);
      this.#sums[index] = sum;
    }
  }

  /** Where a source's columns begin. */
  #place(source: object, make: () => Float64Array[]): number {
    const known = this.#known.get(source);
    if (known !== undefined) return known;
    const at = this.columns.length;
    this.columns.push(...make());
    this.#known.set(source, at);
    this.#sums = new Float64Array(this.columns.length);
    return at;
  }

  #perUnit(from: Predictions, value: (row: number) => number): Float64Array {
    const { unit } = this.design;
    const { weight } = from;
    const sums = new Float64Array(this.drawn.length);
    for (let row = 0; row < unit.length; row++) {
      const at = unit[row] as number;
      sums[at] = (sums[at] as number) + value(row) * (weight === null ? 1 : (weight[row] as number));
    }
    return sums;
  }

  #perCell(from: Predictions, code: ArrayLike<number>, size: number): Float64Array[] {
    const { unit } = this.design;
    const { weight } = from;
    const cells = Array.from({ length: size }, () => new Float64Array(this.drawn.length));
    for (let row = 0; row < unit.length; row++) {
      const sums = cells[code[row] as number] as Float64Array;
      const at = unit[row] as number;
      sums[at] = (sums[at] as number) + (weight === null ? 1 : (weight[row] as number));
    }
    return cells;
  }
}

/** One metric on one side. */
class Side {
  readonly table: Table;
  readonly #places: readonly number[];
  readonly value: Sums["value"];
  readonly #sums: Float64Array;

  constructor(table: Table, places: readonly number[], value: Sums["value"]) {
    this.table = table;
    this.#places = places;
    this.value = value;
    this.#sums = new Float64Array(places.length);
  }

  /** The metric's sums of the sample that is in the table. */
  gather(): Float64Array {
    for (const [index, place] of this.#places.entries()) this.#sums[index] = this.table.sums[place] as number;
    return this.#sums;
  }

  /** The estimate from sums in which one unit's place is taken by the mean of the rest of its stratum. */
  without(): (unit: number, size: number, stratum: number) => number | null {
    const { starts } = this.table.design;
    const columns = this.#places.map((place) => this.table.columns[place] as Float64Array);
    const all = columns.map((column) => add(column, 0, column.length));
    const each = Array.from({ length: starts.length - 1 }, (_, stratum) =>
      columns.map((column) => add(column, starts[stratum] as number, starts[stratum + 1] as number)),
    );
    const sums = this.#sums;
    return (unit, size, stratum) => {
      const own = each[stratum] as number[];
      for (const [index, column] of columns.entries())
        sums[index] = (all[index] as number) + ((own[index] as number) - size * (column[unit] as number)) / (size - 1);
      return this.value(sums);
    };
  }
}

function add(column: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let unit = from; unit < to; unit++) sum += column[unit] as number;
  return sum;
}

function shapeOf(base: Side, head: Side, paired: boolean): Shape {
  const [before, after] = [base.without(), head.without()];
  if (!paired) return apart(jackknife(base.table.design, before), jackknife(head.table.design, after));
  return jackknife(base.table.design, (unit, size, stratum) => {
    const [one, two] = [before(unit, size, stratum), after(unit, size, stratum)];
    return one === null || two === null ? null : two - one;
  });
}
