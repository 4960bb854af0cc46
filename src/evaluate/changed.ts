import type { Predictions } from "../metrics/index.ts";

/** Beyond this many, 2 to the power of it is beyond any p-value's interest. */
const ENOUGH = 1_000;

/**
 * The least two-sided p-value that any test of paired sides can honestly give. If the change had no effect, each
 * example's two answers could as well have come the other way round; of `k` examples whose answers differ that makes
 * 2^k equally likely outcomes, of which the most extreme and its mirror image are two. A bootstrap of four flipped
 * examples knows nothing of this and would claim more.
 */
export function leastP(base: Predictions, head: Predictions): number {
  const differs = comparing(base, head);
  const groups = (base.group ?? (base.task === "ranking" ? base.query : null))?.code;
  const changed = new Set<number>();
  for (let row = 0; row < base.ids.length && changed.size < ENOUGH; row++) {
    if (differs(row)) changed.add(groups === undefined ? row : (groups[row] as number));
  }
  return Math.min(1, 2 ** (1 - changed.size));
}

/** Whether two sides that are row for row the same examples have the same answers, scores included. */
export function sameAnswers(base: Predictions, head: Predictions): boolean {
  if (base.task !== head.task || base.ids.length !== head.ids.length) return false;
  const differs = comparing(base, head);
  for (let row = 0; row < base.ids.length; row++) if (differs(row)) return false;
  return true;
}

function comparing(base: Predictions, head: Predictions): (row: number) => boolean {
  if (base.task === "regression" && head.task === "regression") return columns([[base.prediction, head.prediction]]);
  if (base.task === "ranking" && head.task === "ranking") return columns([[base.score, head.score]]);
  if (base.task === "binary" && head.task === "binary")
    return columns([
      [base.prediction, head.prediction],
      [base.score, head.score],
    ]);
  if (base.task !== "multiclass" || head.task !== "multiclass") return () => true;
  const place = new Map(head.classes.map((name, at) => [name, at]));
  const named = Int32Array.from(base.classes, (name) => place.get(name) ?? -1);
  const scores = columns(base.classes.map((name, at) => [base.scores?.[at] ?? null, scoreOf(head, place.get(name))]));
  return (row) => named[base.prediction[row] as number] !== head.prediction[row] || scores(row);
}

function scoreOf(side: Predictions & { task: "multiclass" }, at: number | undefined): ArrayLike<number> | null {
  return at === undefined ? null : (side.scores?.[at] ?? null);
}

/** Pairs of columns, of which one or both may not be there. */
function columns(
  pairs: readonly (readonly [ArrayLike<number> | null, ArrayLike<number> | null])[],
): (row: number) => boolean {
  return (row) => pairs.some(([one, two]) => one?.[row] !== two?.[row]);
}
