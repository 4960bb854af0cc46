import type { Estimate, Quantities } from "../config/index.ts";
import { quantile } from "../statistics/index.ts";
import type { Random } from "../statistics/index.ts";
import type { Samples } from "./interleave.ts";

const RESAMPLES = 1_000;
const TAIL = 0.025;
const PERCENTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
const NAMES = ["p50", "p95", "p99", "throughput"] as const;

export interface Estimates {
  readonly candidate: Quantities;
  readonly reference: Quantities | null;
  /** Candidate by reference. */
  readonly ratios: Quantities | null;
}

/**
 * Percentiles, throughput and their ratios with 95 % intervals: a bootstrap of whole blocks (Künsch 1989), because times
 * within a block are not independent; of both sides the same blocks, because they ran beside each other.
 */
export function estimate(candidate: Samples, reference: Samples | null, random: Random): Estimates {
  const sides = [candidate, ...(reference === null ? [] : [reference])].map(prepare);
  const counts = new Float64Array(candidate.latencies.length).fill(1);
  const points = sides.map((side) => measure(side, counts));
  const draws: number[][][] = sides.map(() => []);
  for (let sample = 0; sample < RESAMPLES; sample++) {
    counts.fill(0);
    for (let draw = 0; draw < counts.length; draw++) {
      const block = Math.floor(((random.next() >>> 0) / 0x1_0000_0000) * counts.length);
      counts[block] = (counts[block] as number) + 1;
    }
    for (const [which, side] of sides.entries()) draws[which]?.push(measure(side, counts));
  }
  const [own = [], other] = points;
  const [ownDraws = [], otherDraws = []] = draws;
  const byOther = (values: readonly number[], others: readonly number[]): number[] =>
    values.map((value, at) => value / (others[at] as number));
  return {
    candidate: quantities(own, ownDraws),
    reference: other === undefined ? null : quantities(other, otherDraws),
    ratios:
      other === undefined
        ? null
        : quantities(
            byOther(own, other),
            ownDraws.map((values, sample) => byOther(values, otherDraws[sample] ?? [])),
          ),
  };
}

function quantities(point: readonly number[], draws: readonly (readonly number[])[]): Quantities {
  const estimates = NAMES.map((name, at) => {
    const sample = Float64Array.from(draws, (values) => values[at] as number);
    return [name, around(point[at] as number, sample)];
  });
  return Object.fromEntries(estimates) as Quantities;
}

function around(value: number, sample: Float64Array): Estimate {
  const sorted = sample.sort();
  return { value, low: Math.min(value, quantile(sorted, TAIL)), high: Math.max(value, quantile(sorted, 1 - TAIL)) };
}

/** All times in order, each with its block, so that a resample is one walk and not a sort. */
interface Prepared {
  readonly times: Float64Array;
  readonly blocks: Int32Array;
  readonly batches: Samples["batches"];
}

function prepare({ latencies, batches }: Samples): Prepared {
  const all = latencies.flatMap((times, block) => Array.from(times, (ms) => ({ ms, block })));
  all.sort((a, b) => a.ms - b.ms);
  const blocks = Int32Array.from(all, ({ block }) => block);
  return { times: Float64Array.from(all, ({ ms }) => ms), blocks, batches };
}

/** In the order of `NAMES`; a percentile is the smallest time that so many are not above. */
function measure({ times, blocks, batches }: Prepared, counts: Float64Array): number[] {
  let total = 0;
  for (const block of blocks) total += counts[block] as number;
  const ranks = Object.values(PERCENTILES).map((share) => share * total);
  const found: number[] = [];
  let below = 0;
  for (let at = 0; at < times.length && found.length < ranks.length; at++) {
    below += counts[blocks[at] as number] as number;
    while (found.length < ranks.length && below >= (ranks[found.length] as number) - 1e-9)
      found.push(times[at] as number);
  }
  let [rows, ms] = [0, 0];
  for (const [block, batch] of batches.entries()) {
    rows += batch.rows * (counts[block] as number);
    ms += batch.ms * (counts[block] as number);
  }
  return [...found, (rows / ms) * 1000];
}
