import type { Metric } from "./metric.ts";
import type { Predictions, RankingPredictions } from "./predictions.ts";
import { once, mean, summed } from "./sums.ts";

/** Documents of one query by falling score; those of one score are a run, and every order of a run is as likely. */
interface Query {
  readonly rows: Int32Array;
  readonly runs: readonly Run[];
  /** Relevance of every document, and of how many it is above 0. */
  readonly relevance: Float64Array;
  readonly relevant: number;
}
interface Run {
  /** Positions from `start` (0 is the top) on, `size` of them. */
  readonly start: number;
  readonly size: number;
  readonly gain: number;
  readonly relevant: number;
}

/** The value of one query, cut after `k` documents; null where the query says nothing. */
type PerQuery = (query: Query, k: number) => number | null;

const KINDS: Readonly<Record<string, PerQuery>> = { ndcg, map: averagePrecision, recall, mrr: reciprocalRank };

/**
 * Means over the queries, each counting by the mean weight of its rows. Equal scores are taken as every order of them
 * being as likely, and the expected value is computed (McSherry and Najork 2008; scikit-learn's `ndcg_score`).
 */
export const RANKING: readonly Metric[] = ["ndcg", "map", "mrr"].map((kind) => metric(kind, kind, Infinity));

/** `ndcg@k`, `map@k`, `recall@k`, `mrr@k`; undefined for another name. */
export function cutMetric(name: string): Metric | undefined {
  const [, kind, k] = /^(ndcg|map|recall|mrr)@([1-9]\d{0,5})$/.exec(name) ?? [];
  return kind === undefined ? undefined : metric(name, kind, Number(k));
}

/** A mean over queries as a function of sums over rows: a query's value and its weight are spread over its rows. */
function metric(name: string, kind: string, k: number): Metric {
  const columns = once((from) => {
    const values = new Float64Array(from.ids.length);
    const counted = new Float64Array(from.ids.length);
    for (const query of queries(from)) {
      const value = KINDS[kind]?.(query, k) ?? null;
      if (value === null) continue;
      for (const row of query.rows) {
        values[row] = value / query.rows.length;
        counted[row] = 1 / query.rows.length;
      }
    }
    return [values, counted];
  });
  return summed(name, "higher", (from) => ({ columns: columns(from), cells: null, value: mean }), true);
}

const queries = once((from): Query[] => {
  const { query, label, score } = ranking(from);
  const rowsOf = new Map<number, number[]>();
  for (const [row, one] of query.code.entries()) {
    const rows = rowsOf.get(one);
    if (rows === undefined) rowsOf.set(one, [row]);
    else rows.push(row);
  }
  return [...rowsOf.values()].map((members) => {
    const rows = Int32Array.from(members).sort((a, b) => (score[b] as number) - (score[a] as number));
    const runs: Run[] = [];
    for (let start = 0; start < rows.length;) {
      const value = score[rows[start] as number];
      let [end, gain, relevant] = [start, 0, 0];
      for (; end < rows.length && score[rows[end] as number] === value; end++) {
        const own = label[rows[end] as number] as number;
        gain += own;
        if (own > 0) relevant++;
      }
      runs.push({ start, size: end - start, gain, relevant });
      start = end;
    }
    const relevance = Float64Array.from(rows, (row) => label[row] as number);
    return { rows, runs, relevance, relevant: relevance.filter((one) => one > 0).length };
  });
});

/** Discounted gain (the relevance itself over log2 of the rank + 1) over the best there could be; 0 without a relevant one. */
function ndcg({ runs, relevance }: Query, k: number): number | null {
  if (relevance.length < 2) return null; // one document is always in the best order
  let found = 0;
  for (const { start, size, gain } of runs) {
    for (let at = start; at < Math.min(start + size, k); at++) found += gain / size / Math.log2(at + 2);
  }
  const ideal = Float64Array.from(relevance)
    .sort()
    .reverse()
    .reduce((sum, one, at) => (at < k ? sum + one / Math.log2(at + 2) : sum), 0);
  return ideal === 0 ? 0 : found / ideal;
}

/** Mean precision at the ranks of relevant documents, over as many of them as `k` has room for. */
function averagePrecision({ runs, relevant: all }: Query, k: number): number | null {
  if (all === 0) return null;
  let sum = 0;
  let above = 0;
  for (const { start, size, relevant } of runs) {
    // In a run, the document at a place is relevant with this chance; others of the run stand before it with that.
    const chance = relevant / size;
    const other = size === 1 ? 0 : (relevant - 1) / (size - 1);
    for (let at = start; at < Math.min(start + size, k); at++)
      sum += (chance * (above + 1 + (at - start) * other)) / (at + 1);
    above += relevant;
  }
  return sum / Math.min(all, k);
}

/** Share of the relevant documents that are among the first `k`. */
function recall({ runs, relevant: all }: Query, k: number): number | null {
  if (all === 0) return null;
  const found = runs.reduce(
    (sum, { start, size, relevant }) => sum + (relevant * Math.max(0, Math.min(size, k - start))) / size,
    0,
  );
  return found / all;
}

/** One over the rank of the first relevant document; 0 where it is not among the first `k`. */
function reciprocalRank({ runs, relevant: all }: Query, k: number): number | null {
  if (all === 0) return null;
  const first = runs.find(({ relevant }) => relevant > 0);
  if (first === undefined) return null;
  const { start, size, relevant } = first;
  let sum = 0;
  let none = 1; // chance that no place of the run before this one holds a relevant document
  for (let at = 0; at < size && start + at < k; at++) {
    const here = Math.min(1, relevant / (size - at));
    sum += (none * here) / (start + at + 1);
    none *= 1 - here;
  }
  return sum;
}

function ranking(from: Predictions): RankingPredictions {
  if (from.task !== "ranking") throw new TypeError(`predictions of a ${from.task} task`);
  return from;
}
