/**
 * How an estimate hangs on the single units it was computed from: moments of their empirical influence values, each
 * divided by the size of its stratum. From them come the acceleration of a BCa interval and its degrees of freedom.
 */
export interface Shape {
  /** Units that are drawn independently (examples, or groups of them), and strata they are drawn in. */
  readonly units: number;
  readonly strata: number;
  readonly second: number;
  /** The second moment without the bias of small strata, and how uncertain it is: what `freedom` is computed from. */
  readonly unbiased: number;
  readonly uncertain: number;
  readonly third: number;
  readonly fourth: number;
}

/** Units by stratum: those of stratum `h` are `starts[h]` to `starts[h + 1] - 1`. */
export interface Strata {
  readonly starts: ArrayLike<number>;
  /** Of how many like it a unit stands for; null: of itself alone. */
  readonly times: ArrayLike<number> | null;
}

/**
 * Influence values by the jackknife of several samples (Davison and Hinkley 1997, section 2.7): each unit is left out
 * once, and the rest of its stratum counts as much as the whole stratum did.
 * @param without the estimate from sums in which unit `unit` is replaced by the mean of the rest of its stratum of
 *   `size` units; null where it is not defined
 */
export function jackknife(
  { starts, times }: Strata,
  without: (unit: number, size: number, stratum: number) => number | null,
): Shape {
  let [units, strata, second, unbiased, uncertain, third, fourth] = [0, 0, 0, 0, 0, 0, 0];
  for (let stratum = 0; stratum + 1 < starts.length; stratum++) {
    const [from, to] = [starts[stratum] as number, starts[stratum + 1] as number];
    let size = 0;
    for (let unit = from; unit < to; unit++) size += times === null ? 1 : (times[unit] as number);
    if (size === 0) continue;
    units += size;
    strata++;
    if (size === 1) continue;
    const left = new Float64Array(to - from);
    let mean = 0;
    for (let unit = from; unit < to; unit++) {
      const value = without(unit, size, stratum) ?? Number.NaN;
      left[unit - from] = value;
      mean += (value * (times === null ? 1 : (times[unit] as number))) / size;
    }
    if (Number.isNaN(mean)) continue;
    const before = second;
    for (let unit = from; unit < to; unit++) {
      const influence = ((size - 1) * (mean - (left[unit - from] as number))) / size;
      const count = times === null ? 1 : (times[unit] as number);
      second += count * influence ** 2;
      third += count * influence ** 3;
      fourth += count * influence ** 4;
    }
    const own = ((second - before) * size) / (size - 1);
    unbiased += own;
    uncertain += own ** 2 / (size - 1);
  }
  return { units, strata, second, unbiased, uncertain, third, fourth };
}

/** Of `head` minus `base`, which were drawn apart from each other. */
export function apart(base: Shape, head: Shape): Shape {
  return {
    units: base.units + head.units,
    strata: base.strata + head.strata,
    second: base.second + head.second,
    unbiased: base.unbiased + head.unbiased,
    uncertain: base.uncertain + head.uncertain,
    third: head.third - base.third,
    fourth: base.fourth + head.fourth,
  };
}

export function acceleration({ second, third }: Shape): number {
  return second === 0 ? 0 : third / (6 * second ** 1.5);
}

/**
 * Degrees of freedom that the estimate's deviation is known with (Satterthwaite's): from the sizes of the strata, of
 * which a rare class may carry most of the deviation, and from the kurtosis of the influence values. Where few units
 * carry the whole difference (four examples of a thousand flipped) it is twice their number.
 */
export function freedom({ units, strata, second, unbiased, uncertain, fourth }: Shape): number {
  const kurtosis = second === 0 ? 0 : (units * fourth) / second ** 2;
  const known = uncertain === 0 ? units - strata : unbiased ** 2 / uncertain;
  return Math.max(1, Math.min(known, (2 * units) / Math.max(2, kurtosis - 1)));
}

/** By how much a bootstrap's deviation is too small, because it divides by the units and not by one less. */
export function widening({ units, strata, second, unbiased }: Shape): number {
  return Math.sqrt(second === 0 ? units / Math.max(1, units - strata) : unbiased / second);
}
