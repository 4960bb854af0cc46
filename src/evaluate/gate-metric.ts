import type { RegressionGate, ValueGate } from "../config/index.ts";
import { compareModels } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import { meanOf, seedMetric, valuesBySeed } from "./gate-seeds.ts";
import { change, show } from "./gate-text.ts";
import type { GateInput, Judged } from "./gate.ts";
import { compareSeeds } from "./seeds.ts";
import type { Direction } from "../metrics/index.ts";
import { directionOf, findMetric, metricOf } from "../metrics/index.ts";

/** `{metric, min, max}` on all of the candidate's examples; of what is written per seed, on the mean. */
export function judgeValue(gate: ValueGate, input: GateInput): Judged {
  const unit = unitOf(gate.metric, input);
  const rule = `${gate.metric} ${boundsOf(gate, unit)}`;
  const measured = valueOf(gate.metric, input);
  if (measured === null) return { rule, passed: false, found: absent(gate.metric, input) };
  const { value, over } = measured;
  const { min = -Infinity, max = Infinity } = gate;
  const passed = within(value, gate);
  const off = value < min ? `, ${show(min - value, unit)} too low` : `, ${show(value - max, unit)} too high`;
  return { rule, passed, found: `${show(value, unit)}${over}${passed ? "" : off}` };
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
  const measured = valueOf(metric, input);
  if (measured === null) return result(false, absent(metric, input));
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
    const [one] = comparison.metrics;
    if (one?.interval == null || one.difference === null)
      return result(false, one?.note ?? `${metric} could not be compared with ${against}`);
    const { difference, interval, direction } = one;
    const { identical } = comparison;
    const text = { unit, where: where(comparison), more: "test examples" };
    return { rule, ...judgeInterval(most, { difference, interval, direction, identical }, text) };
  }
  const seeds = seedMetric(metric, input.candidate.numbers, input.seeds);
  const name = seeds?.name ?? metric;
  const { directions = {} } = input.evaluation ?? {};
  const direction = directions[metric] ?? directions[name] ?? directionOf(name);
  if (direction === null) return result(false, `it is not known whether a higher "${metric}" is better`);
  const sides = [reference.numbers, input.candidate.numbers].map((numbers) => seeds && valuesBySeed(seeds, numbers));
  const [one] = compareSeeds([{ base: sides[0] ?? null, head: sides[1] ?? {}, direction }]);
  if (one?.interval != null && one.difference !== null) {
    const { difference, interval, note } = one;
    const text = { unit, where: `${measured.over}${note === null ? "" : ` (${note})`}`, more: "seeds" };
    return { rule, ...judgeInterval(most, { difference, interval, direction, identical: false }, text) };
  }
  const before = one?.base?.mean ?? reference.numbers[metric];
  if (before === undefined) return result(false, `${against} has no metric "${metric}"`);
  const difference = measured.value - before;
  const passed = worse(difference, direction) <= most;
  return result(passed, `${change(difference)} (numbers only: its noise is not known)`);
}

interface Change {
  readonly difference: number;
  readonly interval: readonly [number, number];
  readonly direction: Direction;
  /** On every example. */
  readonly identical: boolean;
}

function judgeInterval(
  most: number,
  { difference, interval: [low, high], direction, identical }: Change,
  { unit, where: place, more }: { readonly unit: string | undefined; readonly where: string; readonly more: string },
): Omit<Judged, "rule"> {
  const [bound, best] = direction === "higher" ? [low, high] : [high, low];
  // What was the same on every example is the same; rounding in a sum must not fail a gate of 0.
  const loss = identical ? 0 : worse(bound, direction);
  const found = `${change(difference, unit)}, 95 % interval ${change(low, unit)} to ${change(high, unit)}${place}`;
  if (loss <= most) return { passed: true, found };
  if (worse(best, direction) > most) return { passed: false, found: `${found}: the loss is larger than that` };
  const why = `a loss of up to ${show(loss, unit)} is not ruled out; more ${more} narrow the interval`;
  return { passed: false, found: `${found}: ${why}` };
}

function where({ pairing }: Comparison): string {
  if (pairing.kind === "same") return "";
  if (pairing.kind === "common") return ` on the ${pairing.examples} examples that both have`;
  return ", on different examples";
}

/** `over`: what it is the mean of, as a report adds it. */
function valueOf(metric: string, input: GateInput): { readonly value: number; readonly over: string } | null {
  const { predictions, numbers } = input.candidate;
  if (predictions !== null && findMetric(input.evaluation ?? predictions, metric) !== undefined) {
    const value = metricOf(predictions, metric, input.evaluation);
    return value === null ? null : { value, over: "" };
  }
  const seeds = seedMetric(metric, numbers, input.seeds);
  const over = seeds && meanOf(seeds, numbers);
  if (over !== undefined) return { value: over.mean, over: `, mean over ${over.n} seeds` };
  const value = numbers[metric];
  return value === undefined ? null : { value, over: "" };
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
