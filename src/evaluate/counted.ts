import { apart, jackknife } from "../statistics/index.ts";
import type { Random, Shape, Strata } from "../statistics/index.ts";
import { draw, stratumOf } from "./design.ts";
import type { Cells, Metric, Predictions, Sums } from "../metrics/index.ts";
import { Differences } from "./sampled.ts";
import type { Distribution, Drawing } from "./sampled.ts";

/** Whether a metric is a function of counts of whole examples on both sides, which `countSamples` needs. */
export function isCounted(metric: Metric, sides: readonly Predictions[]): boolean {
  return sides.every((side) => {
    if (side.weight !== null || side.group !== null) return false;
    const sums = metric.sums?.(side);
    return sums !== undefined && sums.columns.length === 0 && sums.cells !== null;
  });
}

/**
 * Samples of metrics that are functions of counts, as of a confusion matrix. How many examples of each cell a sample
 * holds is multinomial, so that it is drawn at once: exactly the bootstrap of the examples, at the cost of the cells.
 */
export function countSamples(drawing: Drawing): Distribution[] {
  const { base, head, paired, random, resamples, metrics } = drawing;
  const done = new Map<Metric, Distribution>();
  const open = metrics.map((metric) => ({ metric, base: sumsOf(metric, base), head: sumsOf(metric, head) }));
  while (open.length > 0) {
    // Metrics that look at the same cells share the samples.
    const [{ base: before, head: after }] = open as [(typeof open)[number]];
    const alike = open.filter((one) => one.base.cells === before.cells && one.head.cells === after.cells);
    const sides = [before, after].map(({ cells }) => cells as Cells) as [Cells, Cells];
    const drawn = paired ? [crossed(stratumOf(base), sides)] : [crossed(null, [sides[0]]), crossed(null, [sides[1]])];
    const [first, last] = [drawn[0] as Crossed, drawn.at(-1) as Crossed];
    const [one, two] = [new Counts(first, 0), new Counts(last, paired ? 1 : 0)];
    const differences = alike.map(() => new Differences(resamples));
    for (let sample = 0; sample < resamples; sample++) {
      for (const cells of drawn) cells.draw(random);
      one.count();
      two.count();
      for (const [index, each] of alike.entries())
        differences[index]?.add(each.base.value(one.sums), each.head.value(two.sums));
    }
    for (const [index, each] of alike.entries()) {
      open.splice(open.indexOf(each), 1);
      done.set(each.metric, {
        metric: each.metric,
        sorted: (differences[index] as Differences).sorted(),
        shape: shapeOf(each, one, two, paired),
        groups: null,
        resamples,
      });
    }
  }
  return metrics.map((metric) => done.get(metric) as Distribution);
}

function sumsOf(metric: Metric, side: Predictions): Sums {
  const sums = metric.sums?.(side);
  if (sums === undefined) throw new TypeError(`${metric.name} is no function of counts`);
  return sums;
}

/** Examples by stratum and cell of each side: all that lie in the same are alike. */
class Crossed implements Strata {
  readonly starts: Int32Array;
  readonly times: Float64Array;
  /** Per side the cell. */
  readonly cells: readonly Cells[];
  readonly code: readonly Int32Array[];
  readonly drawn: Float64Array;

  constructor(starts: Int32Array, times: Float64Array, cells: readonly Cells[], code: readonly Int32Array[]) {
    this.starts = starts;
    this.times = times;
    this.cells = cells;
    this.code = code;
    this.drawn = new Float64Array(times.length);
  }

  draw(random: Random): void {
    draw(this, random, this.drawn);
  }
}

function crossed(stratum: ArrayLike<number> | null, sides: readonly Cells[]): Crossed {
  const rows = (sides[0] as Cells).code.length;
  const found = new Map<number, { stratum: number; cells: number[]; times: number }>();
  for (let row = 0; row < rows; row++) {
    const of = stratum === null ? 0 : (stratum[row] as number);
    let key = of;
    for (const { code, size } of sides) key = key * size + (code[row] as number);
    const known = found.get(key);
    if (known === undefined)
      found.set(key, { stratum: of, cells: sides.map(({ code }) => code[row] as number), times: 1 });
    else known.times++;
  }
  const kinds = [...found].sort(([a], [b]) => a - b).map(([, kind]) => kind);
  const starts = kinds.flatMap((kind, at) => (kind.stratum === kinds[at - 1]?.stratum ? [] : [at]));
  return new Crossed(
    Int32Array.from([...starts, kinds.length]),
    Float64Array.from(kinds, ({ times }) => times),
    sides,
    sides.map((_, side) => Int32Array.from(kinds, ({ cells }) => cells[side] as number)),
  );
}

/** Counts in one side's cells. */
class Counts {
  readonly crossed: Crossed;
  readonly #code: Int32Array;
  readonly sums: Float64Array;

  constructor(from: Crossed, side: number) {
    this.crossed = from;
    this.#code = from.code[side] as Int32Array;
    this.sums = new Float64Array((from.cells[side] as Cells).size);
  }

  count(times: Float64Array = this.crossed.drawn, from = 0, to = times.length): void {
    this.sums.fill(0);
    for (let kind = from; kind < to; kind++) {
      const cell = this.#code[kind] as number;
      this.sums[cell] = (this.sums[cell] as number) + (times[kind] as number);
    }
  }

  /** The estimate from counts in which one example's place is taken by the mean of the rest of its stratum. */
  without(value: Sums["value"]): (kind: number, size: number, stratum: number) => number | null {
    const { times, starts } = this.crossed;
    this.count(times);
    const all = this.sums.slice();
    const each = Array.from({ length: starts.length - 1 }, (_, stratum) => {
      this.count(times, starts[stratum], starts[stratum + 1]);
      return this.sums.slice();
    });
    return (kind, size, stratum) => {
      const own = each[stratum] as Float64Array;
      const sums = all.map((sum, cell) => sum + (own[cell] as number) / (size - 1));
      const cell = this.#code[kind] as number;
      sums[cell] = (sums[cell] as number) - size / (size - 1);
      return value(sums);
    };
  }
}

function shapeOf(each: { base: Sums; head: Sums }, one: Counts, two: Counts, paired: boolean): Shape {
  const before = one.without(each.base.value);
  const after = two.without(each.head.value);
  if (!paired) return apart(jackknife(one.crossed, before), jackknife(two.crossed, after));
  return jackknife(one.crossed, (kind, size, stratum) => {
    const [base, head] = [before(kind, size, stratum), after(kind, size, stratum)];
    return base === null || head === null ? null : head - base;
  });
}
