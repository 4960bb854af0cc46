import type { Shape } from "../statistics/index.ts";
import { draw, fewer } from "./design.ts";
import type { Design } from "./design.ts";
import type { Metric, Predictions } from "../metrics/index.ts";
import { Differences } from "./sampled.ts";
import type { Distribution, Drawing } from "./sampled.ts";

/** Examples that one metric may visit, all samples and both sides together. */
const VISITS = 2e8;
/** Enough for a standard deviation, which the interval is then made of. */
const FEWEST = 100;

/**
 * Samples of metrics that look at all the examples together (a median, an order): one pass over them per sample. Their
 * number is bounded by `VISITS`.
 * @param rows examples of all comparisons that share the bound, of which this may be one slice
 */
export function passSamples(
  drawing: Drawing,
  designs: { readonly base: Design; readonly head: Design },
  rows: number,
): Distribution[] {
  const { base, head, paired, random, metrics } = drawing;
  const resamples = Math.min(drawing.resamples, Math.max(FEWEST, Math.floor(VISITS / rows)));
  const before = new Side(base, designs.base);
  const after = new Side(head, designs.head, paired ? before.drawn : undefined);
  const open = metrics.map((metric) => ({
    metric,
    base: before.ready(metric),
    head: after.ready(metric),
    differences: new Differences(resamples),
  }));
  for (let sample = 0; sample < resamples; sample++) {
    draw(designs.base, random, before.drawn);
    if (!paired) draw(designs.head, random, after.drawn);
    before.weigh();
    after.weigh();
    for (const one of open) one.differences.add(one.base(), one.head());
  }
  const shape = paired ? flat(designs.base) : flat(designs.base, designs.head);
  return open.map(({ metric, differences }) => ({
    metric,
    sorted: differences.sorted(),
    shape,
    groups: fewer(designs),
    resamples,
  }));
}

/** One side's metrics on the sample that was drawn. */
class Side {
  /** Per unit of the design how often it was drawn. */
  readonly drawn: Float64Array;
  readonly #from: Predictions;
  readonly #design: Design;
  /** By the order that metrics take them in; null: of the rows. */
  readonly #weights = new Map<Int32Array | null, Weights>();

  constructor(from: Predictions, design: Design, drawn?: Float64Array) {
    this.#from = from;
    this.#design = design;
    this.drawn = drawn ?? new Float64Array(design.starts.at(-1) as number);
  }

  ready(metric: Metric): () => number | null {
    const ordered = metric.ordered?.(this.#from);
    const value = ordered?.value ?? metric.prepare(this.#from);
    const order = ordered?.order ?? null;
    const weights = this.#weights.get(order) ?? new Weights(this.#from, this.#design, order);
    this.#weights.set(order, weights);
    return () => value(weights.weights);
  }

  weigh(): void {
    for (const weights of this.#weights.values()) weights.weigh(this.drawn);
  }
}

/** Per row how often it was drawn, times its own weight: units are few, so that it is one pass in memory's order. */
class Weights {
  readonly weights: Float64Array;
  readonly #unit: Int32Array;
  readonly #own: Float64Array | null;

  constructor({ weight }: Predictions, { unit }: Design, order: Int32Array | null) {
    this.#unit = order === null ? unit : order.map((row) => unit[row] as number);
    this.#own = order === null || weight === null ? weight : Float64Array.from(order, (row) => weight[row] as number);
    this.weights = new Float64Array(unit.length);
  }

  weigh(drawn: Float64Array): void {
    const [weights, unit, own] = [this.weights, this.#unit, this.#own];
    for (let row = 0; row < unit.length; row++) weights[row] = drawn[unit[row] as number] as number;
    if (own === null) return;
    for (let row = 0; row < unit.length; row++) weights[row] = (weights[row] as number) * (own[row] as number);
  }
}

/** Nothing is known of single units' influence: as if the smallest stratum carried all of it. */
function flat(...designs: readonly Design[]): Shape {
  const sizes = designs.flatMap(({ starts }) =>
    Array.from(starts.subarray(1), (end, at) => end - (starts[at] as number)),
  );
  return { units: Math.min(...sizes), strata: 1, second: 0, unbiased: 0, uncertain: 0, third: 0, fourth: 0 };
}
