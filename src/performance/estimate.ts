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
  const blocks = candidate.latencies.length;
  const counts = new Float64Array(blocks).fill(1);
  const points = sides.map((side) => measure(side, counts));
  const drawn = sides.map(() => NAMES.map(() => new Float64Array(RESAMPLES)));
  const ratios = NAMES.map(() => new Float64Array(RESAMPLES));
  for (let sample = 0; sample < RESAMPLES; sample++) {
    counts.fill(0);
    for (let draw = 0; draw < blocks; draw++) {
      const block = Math.floor(((random.next() >>> 0) / 0x1_0000_0000) * blocks);
      counts[block] = (counts[block] as number) + 1;
    }
    const values = sides.map((side) => measure(side, counts));
    for (const [at] of NAMES.entries()) {
      for (const [side, found] of values.entries()) (drawn[side]?.[at] as Float64Array)[sample] = found[at] as number;
      if (reference !== null)
        (ratios[at] as Float64Array)[sample] = (values[0]?.[at] as number) / (values[1]?.[at] as number);
    }
  }
  const quantities = (point: readonly number[], samples: readonly Float64Array[]): Quantities =>
    Object.fromEntries(
      NAMES.map((name, at) => [name, around(point[at] as number, samples[at] as Float64Array)]),
    ) as Quantities;
  const [own, other] = points as [number[], number[] | undefined];
  return {
    candidate: quantities(own, drawn[0] as Float64Array[]),
    reference: other === undefined ? null : quantities(other, drawn[1] as Float64Array[]),
    ratios:
      other === undefined
        ? null
        : quantities(
            own.map((value, at) => value / (other[at] as number)),
            ratios,
          ),
  };
}

function around(value: number, sample: Float64Array): Estimate {
  const sorted = sample.toSorted();
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
