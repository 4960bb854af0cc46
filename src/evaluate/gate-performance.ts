import type { Against, Estimate, LatencyGate, ThroughputGate } from "../config/index.ts";
import { brief, parseTime, showTime } from "./gate-text.ts";
import type { GateInput, Judged } from "./gate.ts";

/** One bound of a rule: of the value or of the ratio, from above or from below. */
interface Bound {
  readonly quantity: "p50" | "p95" | "p99" | "throughput";
  readonly side: "most" | "least";
  readonly value?: { readonly limit: number; readonly text: string } | undefined;
  readonly ratio?: number | undefined;
  readonly against: Against;
}

export function judgeLatency(gate: LatencyGate, input: GateInput): Judged {
  const value = gate.max === undefined ? undefined : { limit: parseTime(gate.max), text: gate.max };
  const { latency: quantity, max_ratio: ratio, against = "production" } = gate;
  return judge({ quantity, side: "most", value, ratio, against }, input);
}

export function judgeThroughput(gate: ThroughputGate, input: GateInput): Judged {
  const value = gate.min === undefined ? undefined : { limit: gate.min, text: `${gate.min} rows a second` };
  const { min_ratio: ratio, against = "production" } = gate;
  return judge({ quantity: "throughput", side: "least", value, ratio, against }, input);
}

/** Judged by the interval's bound on the bad side: what is not ruled out fails. */
function judge({ quantity, side, value, ratio, against }: Bound, input: GateInput): Judged {
  const rules = [
    ...(value === undefined ? [] : [`at ${side} ${value.text}`]),
    ...(ratio === undefined ? [] : [`at ${side} ${ratio} times that of ${against}`]),
  ];
  const rule = `${quantity === "throughput" ? quantity : `${quantity} latency`} ${rules.join(" and ")}`;
  const { speed = { kind: "missing", why: "how fast the model is was not measured" } } = input;
  if (speed.kind !== "measured") return { rule, passed: speed.kind === "none", found: speed.why };
  const show = quantity === "throughput" ? (rows: number): string => `${brief(rows)} rows/s` : showTime;
  const found: string[] = [];
  let passed = true;
  const hold = (estimate: Estimate, limit: number, text: string, unit: (value: number) => string): void => {
    const { low, high } = estimate;
    const good = side === "most" ? high <= limit : low >= limit;
    passed &&= good;
    const word = `${side === "most" ? "more" : "less"} than ${text}`;
    const sure = side === "most" ? low > limit : high < limit;
    const doubt = good ? "" : sure ? `: that is ${word}` : `: ${word} is not ruled out`;
    const range = low === high ? "" : ` (95 % interval ${unit(low)} to ${unit(high)})`;
    found.push(`${unit(estimate.value)}${range}${doubt}`);
  };
  const beside = speed.all.find((one) => one.against?.what === against);
  const any = beside ?? speed.all[0];
  if (value !== undefined) {
    if (any === undefined) return { rule, passed: false, found: "how fast the model is was not measured" };
    hold(any.quantities[quantity], value.limit, value.text, show);
  }
  if (ratio !== undefined) {
    const reference = input[against];
    if (reference.kind === "none") found.push(reference.why);
    else if (beside?.ratios == null) {
      passed = false;
      found.push(reference.kind === "missing" ? reference.why : `it was not measured beside ${against}`);
    } else if (beside.digest === beside.against?.digest) found.push(`the same file as that of ${against}`);
    else hold(beside.ratios[quantity], ratio, `${ratio} times`, (times) => `${brief(times)} times`);
  }
  return { rule, passed, found: found.join("; ") };
}
