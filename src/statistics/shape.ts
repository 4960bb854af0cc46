/**
 * How an estimate hangs on the single units it was computed from: moments of their empirical influence values, each
 * divided by the size of its stratum. From them come the acceleration of a BCa interval and its degrees of freedom.
 */
export interface Shape {
  /** Units that are drawn independently (examples, or groups of them), and strata they are drawn in. */
  readonly units: number;
  readonly strata: number;
  readonly second: number;
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
  let [units, strata, second, third, fourth] = [0, 0, 0, 0, 0];
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
    for (let unit = from; unit < to; unit++) {
      const influence = ((size - 1) * (mean - (left[unit - from] as number))) / size;
      const count = times === null ? 1 : (times[unit] as number);
      second += count * influence ** 2;
      third += count * influence ** 3;
      fourth += count * influence ** 4;
    }
  }
  return { units, strata, second, third, fourth };
}

/** Of `head` minus `base`, which were drawn apart from each other. */
export function apart(base: Shape, head: Shape): Shape {
  return {
    units: base.units + head.units,
    strata: base.strata + head.strata,
    second: base.second + head.second,
    third: head.third - base.third,
    fourth: base.fourth + head.fourth,
  };
}

export function acceleration({ second, third }: Shape): number {
  return second === 0 ? 0 : third / (6 * second ** 1.5);
}

/**
 * Degrees of freedom that the estimate's deviation is known with (Satterthwaite's, from the kurtosis of the influence
 * values). Where few units carry the whole difference (four examples of a thousand flipped) it is twice their number.
 */
export function freedom({ units, strata, second, fourth }: Shape): number {
  const kurtosis = second === 0 ? 0 : (units * fourth) / second ** 2;
  return Math.max(1, Math.min(units - strata, (2 * units) / Math.max(2, kurtosis - 1)));
}
