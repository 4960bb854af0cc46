import type { Gate } from "../config/index.ts";
import type { GateInput, GateResult, Judged, Numbers } from "./gate.ts";
import { judgeCard, judgeCheck, judgeSize } from "./gate-declared.ts";
import { judgeRegression, judgeValue } from "./gate-metric.ts";
import { judgeLatency, judgeThroughput } from "./gate-performance.ts";
import { judgeSlices } from "./gate-slice.ts";

/**
 * Judges a candidate by a model's gates. A regression is judged by the bound of its 95 % interval on the bad side, so
 * a change passes when a larger loss than allowed is ruled out, not when none was seen. Every gate has to pass, so
 * there is nothing to correct for their number.
 */
export function judgeGates(input: GateInput): GateResult[] {
  return input.gates.map((gate) => ({ gate, ...judgeGate(gate, input) }));
}

function judgeGate(gate: Gate, input: GateInput): Judged {
  if ("file" in gate) return judgeSize(gate, input);
  if ("latency" in gate) return judgeLatency(gate, input);
  if ("throughput" in gate) return judgeThroughput(gate.throughput, input);
  if ("check" in gate) return judgeCheck(gate, input);
  if ("card" in gate) return judgeCard(gate, input);
  if (gate.slice !== undefined) return judgeSlices({ ...gate, slice: gate.slice }, input);
  return "max_regression" in gate ? judgeRegression(gate, input) : judgeValue(gate, input);
}

/** Per metric the difference that does not matter: as declared, or what a gate on all examples allows to be lost. */
export function marginsOf(gates: readonly Gate[], declared: Numbers = {}): Record<string, number> {
  const margins: Record<string, number> = {};
  for (const gate of gates) {
    if (!("max_regression" in gate) || gate.max_regression === 0 || gate.slice !== undefined) continue;
    margins[gate.metric] = Math.min(margins[gate.metric] ?? Infinity, gate.max_regression);
  }
  return { ...margins, ...declared };
}
