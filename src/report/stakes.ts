import { formatChange, formatValue } from "./format.ts";
import type { MetricRow, ModelReport } from "./schema.ts";

/** What a change means in a model's own business terms, one metric each. `text` is Lockstep's own. */
export interface Stake {
  readonly name: string;
  /** The team's words for it. */
  readonly desc: string | null;
  readonly text: string;
}

export function stakesOf({ metrics, pairing }: ModelReport): Stake[] {
  return metrics.flatMap((row) => {
    const { name, business } = row;
    return business === undefined ? [] : [{ name, desc: business.desc, text: told(row, pairing?.examples ?? null) }];
  });
}

function told(row: MetricRow, examples: number | null): string {
  const { base, head, difference, interval, unit, verdict } = row;
  if (head === null) return "it could not be measured.";
  if (base === null || difference === null) return `${formatValue(head, unit)}; there is nothing to compare it with.`;
  const on = examples === null ? "" : ` on the ${examples} test examples`;
  const from = `${formatValue(base, unit)} before, ${formatValue(head, unit)} now${on}`;
  if (difference === 0 && (interval === null || (interval[0] === 0 && interval[1] === 0))) return `${from}: no change.`;
  if (interval === null || row.direction === null) return `${from} (${formatChange(difference, unit)}).`;
  const [worst, best] = row.direction === "higher" ? interval : [interval[1], interval[0]];
  const at = (value: number): string => (value === 0 ? "no change" : formatChange(value, unit));
  const meaning = {
    better: "the gain is real",
    worse: "the loss is real",
    equivalent: "it makes no difference that matters",
    "no-evidence": "it may be a gain or a loss",
  }[verdict ?? "no-evidence"];
  return `${from}, ${formatChange(difference, unit)}. At worst ${at(worst)}, at best ${at(best)} (95 % interval): ${meaning}.`;
}
