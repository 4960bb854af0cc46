import type { Failure } from "./failure.ts";

/** Success with a value, or every failure found: a file with three problems is reported once, not three times. */
export type Result<T> = { readonly ok: true; readonly value: T } | Failed;
export interface Failed {
  readonly ok: false;
  readonly failures: readonly [Failure, ...Failure[]];
}

export function ok(): Result<void>;
export function ok<T>(value: T): Result<T>;
export function ok<T>(value?: T): Result<T | undefined> {
  return { ok: true, value };
}

export function fail(first: Failure, ...rest: readonly Failure[]): Failed {
  return { ok: false, failures: [first, ...rest] };
}

/** `fail` for a list that was collected; undefined when it is empty. */
export function failedIfAny(failures: readonly Failure[]): Failed | undefined {
  const [first, ...rest] = failures;
  return first === undefined ? undefined : fail(first, ...rest);
}

/** The same failures; those from outside say for what (a file, say) they were met. */
export function metFor(label: string, { failures: [first, ...rest] }: Failed): Failed {
  const say = (failure: Failure): Failure =>
    failure.code === "external" ? { ...failure, what: `${label}: ${failure.what}` } : failure;
  return fail(say(first), ...rest.map(say));
}

/** All values, or all failures of all results. */
export function all<T>(results: readonly Result<T>[]): Result<T[]> {
  const failures = results.flatMap((result) => (result.ok ? [] : result.failures));
  return failedIfAny(failures) ?? ok(results.flatMap((result) => (result.ok ? [result.value] : [])));
}
