import type { Shape } from "../statistics/index.ts";
import { draw } from "./design.ts";
import type { Design } from "./design.ts";
import type { Predictions } from "../metrics/index.ts";
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
  const before = new Weights(base, designs.base);
  const after = new Weights(head, paired ? designs.base : designs.head, paired ? before.drawn : undefined);
  const open = metrics.map((metric) => ({
    metric,
    base: metric.prepare(base),
    head: metric.prepare(head),
    differences: new Differences(resamples),
  }));
  for (let sample = 0; sample < resamples; sample++) {
    before.draw(random);
    if (paired) after.weigh();
    else after.draw(random);
    for (const one of open) one.differences.add(one.base(before.weights), one.head(after.weights));
  }
  const shape = paired ? flat(designs.base) : flat(designs.base, designs.head);
  return open.map(({ metric, differences }) => ({
    metric,
    sorted: differences.sorted(),
    shape,
    clustered: designs.base.clustered,
    resamples,
  }));
}

/** Per row how often it was drawn, times its own weight. */
class Weights {
  readonly weights: Float64Array;
  readonly drawn: Float64Array;
  readonly #design: Design;
  readonly #own: Float64Array | null;

  constructor(from: Predictions, design: Design, drawn?: Float64Array) {
    this.#design = design;
    this.#own = from.weight;
    this.weights = new Float64Array(design.unit.length);
    this.drawn = drawn ?? new Float64Array(design.starts.at(-1) as number);
  }

  draw(random: Drawing["random"]): void {
    draw(this.#design, random, this.drawn);
    this.weigh();
  }

  weigh(): void {
    const { unit } = this.#design;
    for (let row = 0; row < unit.length; row++)
      this.weights[row] =
        (this.drawn[unit[row] as number] as number) * (this.#own === null ? 1 : (this.#own[row] as number));
  }
}

/** Nothing is known of single units' influence but how many they are. */
function flat(...designs: readonly Design[]): Shape {
  const sum = (of: (design: Design) => number): number => designs.reduce((all, design) => all + of(design), 0);
  const units = sum(({ starts }) => starts.at(-1) as number);
  return { units, strata: sum(({ starts }) => starts.length - 1), second: 0, third: 0, fourth: 0 };
}
