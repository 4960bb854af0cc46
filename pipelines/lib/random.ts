import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A seeded source of numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform, 0 <= x < 1. */
  next(): number;
  /** Uniform, -1 <= x < 1. */
  signed(): number;
  /** Normal with mean 0 and deviation 1. */
  normal(): number;
}

export function random(seed: number): Random {
  const generator = xoroshiro128plus(seed | 0);
  const next = (): number => uniformFloat64(generator);
  return {
    next,
    signed: () => 2 * next() - 1,
    // Box and Muller; 1 - x keeps the logarithm away from zero.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

/** Puts `items` in a random order, in place (Fisher and Yates). */
export function shuffle(items: Int32Array, source: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(source.next() * (last + 1));
    const kept = items[last] as number;
    items[last] = items[other] as number;
    items[other] = kept;
  }
}
