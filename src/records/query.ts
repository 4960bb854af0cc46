import { compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { RunEntry, Scalar } from "./run-entry.ts";

/** `train.lr=0.1`, `accuracy>0.9`: a value compared with what a run has under that name. */
export interface Condition {
  /** With its file (`params.yaml:train.lr`), or without. */
  readonly name: string;
  readonly operator: "=" | "!=" | "<" | "<=" | ">" | ">=";
  readonly value: string;
}

export interface RunQuery {
  readonly pipeline?: string;
  readonly ok?: boolean;
  /** True: only runs that are vouched for. False: only the others. */
  readonly trusted?: boolean;
  readonly params?: readonly Condition[];
  readonly metrics?: readonly Condition[];
  readonly since?: Date;
  /** `started` (when absent), `duration`, or the name of a metric or a parameter. What is newest, longest or highest first. */
  readonly sort?: string;
  readonly reverse?: boolean;
}

export function parseCondition(text: string): Result<Condition> {
  const match = /^([^=!<>]+?)\s*(<=|>=|!=|==?|<|>)\s*(.*)$/s.exec(text);
  const [, name = "", operator = "", value = ""] = match ?? [];
  if (match === null || value === "") {
    const hint = "a name, one of = != < <= > >=, and a value, as in 'accuracy>0.9'";
    return fail({ code: "usage", message: `"${text}" is no condition`, hint });
  }
  return ok({ name: name.trim(), operator: operator.replace("==", "=") as Condition["operator"], value });
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** An instant (`2026-01-31`, `2026-01-31T12:00Z`), or a span before now (`12h`, `7d`, `2w`). */
export function parseSince(text: string, now: Date): Result<Date> {
  const [, count, unit] = /^(\d+)([mhdw])$/.exec(text) ?? [];
  if (unit !== undefined) return ok(new Date(now.getTime() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]));
  const date = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(date.getTime())) return ok(date);
  return fail({ code: "usage", message: `"${text}" is no time`, hint: "a date (2026-01-31) or a span (12h, 7d, 2w)" });
}

/** The runs that a query means, in its order. */
export function queryRuns(runs: readonly RunEntry[], query: RunQuery): RunEntry[] {
  const { pipeline, trusted, params = [], metrics = [], sort = "started", reverse = false } = query;
  const since = query.since?.getTime();
  const found = runs.filter(
    (run) =>
      (pipeline === undefined || run.pipeline === pipeline) &&
      (query.ok === undefined || run.ok === query.ok) &&
      (trusted === undefined || (run.standing === "trusted") === trusted) &&
      (since === undefined || Date.parse(run.startedAt) >= since) &&
      params.every((condition) => holds(condition, named(run.params, condition.name))) &&
      metrics.every((condition) => holds(condition, named(run.metrics, condition.name))),
  );
  const keyed = found.map((run) => ({ run, by: columnOf(run, sort) }));
  const sign = reverse ? -1 : 1;
  return keyed.sort((a, b) => inOrder(a.by, b.by, sign)).map(({ run }) => run);
}

/** What a run has under a name: `started`, `duration`, or a metric or parameter; undefined: nothing. */
export function columnOf(run: RunEntry, name: string): Scalar | undefined {
  if (name === "started") return run.startedAt;
  if (name === "duration") return run.ms;
  return named(run.metrics, name) ?? named(run.params, name);
}

/** By the whole name, or by what follows the file in it. */
function named<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  if (Object.hasOwn(values, name)) return values[name];
  for (const key of Object.keys(values)) if (key.endsWith(`:${name}`)) return values[key];
  return undefined;
}

function holds({ operator, value }: Condition, actual: Scalar | undefined): boolean {
  if (actual === undefined) return false;
  const wanted = typeof actual === "number" ? Number(value) : value;
  const is = typeof actual === "number" ? actual : String(actual);
  if (operator === "=") return is === wanted;
  if (operator === "!=") return is !== wanted;
  if (typeof is !== "number" || typeof wanted !== "number") return false;
  if (operator === "<") return is < wanted;
  if (operator === "<=") return is <= wanted;
  return operator === ">" ? is > wanted : is >= wanted;
}

/** Highest first; what has no value comes last either way. */
function inOrder(a: Scalar | undefined, b: Scalar | undefined, sign: 1 | -1): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === "number" && typeof b === "number") return sign * (b - a);
  return sign * compareCodeUnits(String(b), String(a));
}
