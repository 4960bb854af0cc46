import type { Direction } from "../metrics/index.ts";

/** What the evidence says about a change. */
export type Verdict = "better" | "worse" | "equivalent" | "no-evidence";

/** Share of changes without any effect that may be called better or worse, over all metrics of a model together. */
export const ALPHA = 0.05;
/** Of the intervals that are shown. */
export const CONFIDENCE = 0.95;

/** How p-values were corrected for having looked at many things. */
export interface Correction {
  readonly method: "holm" | "benjamini-hochberg";
  /** p-values that were corrected together. */
  readonly tests: number;
}

/**
 * One metric's verdict. A difference that is shown (adjusted p below `ALPHA`) is better or worse, however small; one
 * that is not shown is equivalent only if its 90 % interval (two one-sided tests at 5 %) lies inside the margin.
 */
export function verdictOf(evidence: {
  readonly difference: number;
  readonly direction: Direction;
  readonly adjusted: number;
  readonly inner: readonly [number, number];
  readonly margin: number | null;
}): Verdict {
  const { difference, direction, adjusted, inner, margin } = evidence;
  if (adjusted < ALPHA && difference !== 0) return difference > 0 === (direction === "higher") ? "better" : "worse";
  if (margin !== null && inner[0] > -margin && inner[1] < margin) return "equivalent";
  return "no-evidence";
}

/** Whether a loss as large as the margin is ruled out: one one-sided test at 5 %. */
export function nonInferior(direction: Direction, inner: readonly [number, number], margin: number): boolean {
  return direction === "higher" ? inner[0] > -margin : inner[1] < margin;
}

/**
 * A model's verdict from its metrics': one way only, if all that is shown points that way. Where metrics are shown to
 * move both ways it is the first listed of them that decides; the report names the others beside it.
 */
export function overall(verdicts: readonly Verdict[]): Verdict {
  const moved = verdicts.find((verdict) => verdict === "better" || verdict === "worse");
  if (moved !== undefined) return moved;
  const sound = verdicts.length > 0 && verdicts.every((verdict) => verdict === "equivalent");
  return sound ? "equivalent" : "no-evidence";
}
