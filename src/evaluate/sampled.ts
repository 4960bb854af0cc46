import type { Random, Shape } from "../statistics/index.ts";
import type { Metric, Predictions } from "../metrics/index.ts";

/** Two sides whose difference is asked for. */
export interface Contrast {
  readonly base: Predictions;
  readonly head: Predictions;
  /** Row for row the same examples: each sample draws the same ones for both. */
  readonly paired: boolean;
}

/** What every way to draw samples is told. */
export interface Drawing extends Contrast {
  readonly random: Random;
  readonly resamples: number;
  readonly metrics: readonly Metric[];
}

/** Bootstrap distribution of head minus base of one metric. */
export interface Distribution {
  readonly metric: Metric;
  /** Ascending; a sample that does not define the metric is left out. */
  readonly sorted: Float64Array;
  readonly shape: Shape;
  /** See `Design`; of two sides with different examples, the smaller number. */
  readonly groups: number | null;
  /** Samples that were asked for here: fewer than wanted where each costs too much. */
  readonly resamples: number;
}

/** Collects one metric's differences. */
export class Differences {
  readonly #values: Float64Array;
  #count = 0;

  constructor(resamples: number) {
    this.#values = new Float64Array(resamples);
  }

  add(base: number | null, head: number | null): void {
    if (base !== null && head !== null) this.#values[this.#count++] = head - base;
  }

  sorted(): Float64Array {
    return this.#values.subarray(0, this.#count).sort();
  }
}
