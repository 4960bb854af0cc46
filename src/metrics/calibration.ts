import type { Weighted } from "./metric.ts";

/** Bins of the expected calibration error, of equal width, as in Guo et al. 2017. */
export const BINS = 15;

/**
 * Expected calibration error: in each bin of the score, how far the mean score is from the share of positives, meant
 * over the bins by their weight. A score on the edge of two bins is in the lower one, 0 in the first.
 */
export function calibrationError(label: ArrayLike<number>, score: Float64Array): Weighted {
  const bin = Uint8Array.from(score, (value) => Math.min(BINS - 1, Math.max(0, Math.ceil(value * BINS) - 1)));
  return (weights) => {
    const gaps = new Float64Array(BINS);
    let total = 0;
    for (let row = 0; row < bin.length; row++) {
      const weight = weights[row] as number;
      const at = bin[row] as number;
      gaps[at] = (gaps[at] as number) + weight * ((label[row] as number) - (score[row] as number));
      total += weight;
    }
    return total === 0 ? null : gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
  };
}
