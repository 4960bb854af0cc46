const CAPACITY = 4096;

/**
 * Quantiles of a stream in bounded memory. Exact up to 4,096 values; beyond that, full levels are sorted and every
 * other value moves one level up with twice the weight. Which half moves alternates, so the result depends on the
 * input alone and the rank error stays below a percent at a billion values.
 */
export class QuantileSketch {
  readonly #levels: number[][] = [[]];
  readonly #odd: boolean[] = [false];

  add(value: number): void {
    this.#levels[0]!.push(value);
    for (let level = 0; this.#levels[level]!.length >= CAPACITY; level++) this.#compact(level);
  }

  #compact(level: number): void {
    const full = this.#levels[level]!.sort((a, b) => a - b);
    const odd = this.#odd[level]!;
    this.#levels[level] = [];
    this.#odd[level] = !odd;
    if (this.#levels[level + 1] === undefined) {
      this.#levels.push([]);
      this.#odd.push(false);
    }
    const above = this.#levels[level + 1]!;
    for (let i = odd ? 1 : 0; i < full.length; i += 2) above.push(full[i]!);
  }

  /** Ascending values with their weights; the weights add up to the number of values seen. */
  weighted(): readonly (readonly [value: number, weight: number])[] {
    return this.#levels
      .flatMap((values, level) => values.map((value) => [value, 2 ** level] as const))
      .sort(([a], [b]) => a - b);
  }
}

/** Inner edges of at most `bins` bins of about equal weight; the most frequent value may leave fewer. */
export function quantileEdges(weighted: readonly (readonly [number, number])[], bins: number): number[] {
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  const last = weighted.at(-1)?.[0];
  const edges: number[] = [];
  let seen = 0;
  let next = 1;
  for (const [value, weight] of weighted) {
    seen += weight;
    while (next < bins && seen >= (total * next) / bins) {
      if (edges.at(-1) !== value && value !== last) edges.push(value);
      next++;
    }
  }
  return edges;
}

/** Index of the bin of `value`: how many edges lie below it. */
export function binOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
