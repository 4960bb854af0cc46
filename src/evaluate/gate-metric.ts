import type { RegressionGate, ValueGate } from "../config/index.ts";
import { compareModels } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import { change, show } from "./gate-text.ts";
import type { GateInput, Judged } from "./gate.ts";
import type { Direction } from "../metrics/index.ts";
import { directionOf, findMetric, metricOf } from "../metrics/index.ts";

/** `{metric, min, max}` on all of the candidate's examples. */
export function judgeValue(gate: ValueGate, input: GateInput): Judged {
  const unit = unitOf(gate.metric, input);
  const rule = `${gate.metric} ${boundsOf(gate, unit)}`;
  const value = valueOf(gate.metric, input);
  if (value === null) return { rule, passed: false, found: absent(gate.metric, input) };
  const { min = -Infinity, max = Infinity } = gate;
  const passed = within(value, gate);
  const off = value < min ? `${show(min - value, unit)} too low` : `${show(value - max, unit)} too high`;
  return { rule, passed, found: passed ? show(value, unit) : `${show(value, unit)}, ${off}` };
}

export function boundsOf({ min, max }: ValueGate, unit?: string): string {
  const before = unit === undefined ? "" : `${unit} `;
  const least = min === undefined ? [] : [`at least ${before}${min}`];
  return [...least, ...(max === undefined ? [] : [`at most ${before}${max}`])].join(" and ");
}

/** Of a formula in business terms. */
export function unitOf(metric: string, { evaluation }: GateInput): string | undefined {
  const business = evaluation?.business ?? {};
  return Object.hasOwn(business, metric) ? business[metric]?.unit : undefined;
}

export function within(value: number, { min = -Infinity, max = Infinity }: ValueGate): boolean {
  return value >= min && value <= max;
}

/** `{metric, max_regression}` on all examples. */
export function judgeRegression(gate: RegressionGate, input: GateInput): Judged {
  const { metric, max_regression: most, against = "base" } = gate;
  const reference = input[against];
  const unit = unitOf(metric, input);
  const rule = `${metric} at most ${unit === undefined ? "" : `${unit} `}${most} worse than ${against}`;
  const result = (passed: boolean, found: string): Judged => ({ rule, passed, found });
  const value = valueOf(metric, input);
  if (value === null) return result(false, absent(metric, input));
  if (reference.kind !== "measured") return result(reference.kind === "none", reference.why);
  const { predictions } = input.candidate;
  if (predictions !== null && findMetric(input.evaluation ?? predictions, metric) !== undefined) {
    if (reference.predictions === null) return result(false, `${against} has no predictions to compare with`);
    const comparison = compareModels({
      base: reference.predictions,
      head: predictions,
      metrics: [metric],
      evaluation: input.evaluation ?? predictions,
      ...(input.resamples === undefined ? {} : { resamples: input.resamples }),
    });
    const { passed, found } = judgeInterval(gate, against, comparison, unit);
    return result(passed, found);
  }
  const before = reference.numbers[metric];
  const direction = input.evaluation?.directions?.[metric] ?? directionOf(metric);
  if (before === undefined) return result(false, `${against} has no metric "${metric}"`);
  if (direction === null) return result(false, `it is not known whether a higher "${metric}" is better`);
  const loss = worse(value - before, direction);
  return result(loss <= most, `${change(value - before)} (numbers only: its noise is not known)`);
}

function judgeInterval(
  gate: RegressionGate,
  against: string,
  comparison: Comparison,
  unit: string | undefined,
): Omit<Judged, "rule"> {
  const [metric] = comparison.metrics;
  if (metric?.interval == null || metric.difference === null)
    return { passed: false, found: metric?.note ?? `${gate.metric} could not be compared with ${against}` };
  const [low, high] = metric.interval;
  const [bound, best] = metric.direction === "higher" ? [low, high] : [high, low];
  // What was the same on every example is the same; rounding in a sum must not fail a gate of 0.
  const loss = comparison.identical ? 0 : worse(bound, metric.direction);
  const interval = `95 % interval ${change(low, unit)} to ${change(high, unit)}`;
  const found = `${change(metric.difference, unit)}, ${interval}${where(comparison)}`;
  if (loss <= gate.max_regression) return { passed: true, found };
  if (worse(best, metric.direction) > gate.max_regression)
    return { passed: false, found: `${found}: the loss is larger than that` };
  const why = `a loss of up to ${show(loss, unit)} is not ruled out; more test examples narrow the interval`;
  return { passed: false, found: `${found}: ${why}` };
}

function where({ pairing }: Comparison): string {
  if (pairing.kind === "same") return "";
  if (pairing.kind === "common") return ` on the ${pairing.examples} examples that both have`;
  return ", on different examples";
}

function valueOf(name: string, { candidate: { predictions, numbers }, evaluation }: GateInput): number | null {
  if (predictions !== null && findMetric(evaluation ?? predictions, name) !== undefined)
    return metricOf(predictions, name, evaluation);
  return numbers[name] ?? null;
}

export function absent(name: string, { candidate, evaluation }: GateInput): string {
  if (candidate.predictions !== null && findMetric(evaluation ?? candidate.predictions, name) !== undefined)
    return `${name} could not be computed from the predictions`;
  const several = Object.keys(candidate.numbers).filter((key) => key.endsWith(`:${name}`));
  if (several.length > 1) return `${several.length} metrics files have "${name}": name one, as in ${several.sort()[0]}`;
  return `there is no metric "${name}", neither computed from predictions nor in a metrics file`;
}

/** How much worse a difference is: positive for a loss. */
export function worse(difference: number, direction: Direction): number {
  return direction === "higher" ? -difference : difference;
}
