import type { Outcome } from "./compete.ts";
import { median } from "./statistics.ts";

export type Unit = "s" | "MB" | "objects" | "requests";

/** A figure; `atLeast` when the run was ended before its end. */
export interface Figure {
  readonly value: number;
  readonly atLeast: boolean;
}

/** What a case has to reach. An undefined figure: nobody measured it. */
export interface Aim {
  readonly text: string;
  readonly unit: Unit;
  reached(outcomes: readonly Outcome[]): Figure | undefined;
  /** The most that `reached` may be. */
  bound(outcomes: readonly Outcome[]): Figure | undefined;
}

export interface Judged {
  readonly text: string;
  readonly unit: Unit;
  readonly reached?: Figure;
  readonly bound?: Figure;
  readonly verdict: "met" | "missed" | "open";
}

export function judge(aim: Aim, outcomes: readonly Outcome[]): Judged {
  const reached = aim.reached(outcomes);
  const bound = aim.bound(outcomes);
  return {
    text: aim.text,
    unit: aim.unit,
    ...(reached === undefined ? {} : { reached }),
    ...(bound === undefined ? {} : { bound }),
    verdict: verdictOf(reached, bound),
  };
}

function verdictOf(reached: Figure | undefined, bound: Figure | undefined): Judged["verdict"] {
  if (reached === undefined || bound === undefined) return "open";
  if (reached.value <= bound.value) return reached.atLeast ? "open" : "met";
  // A peer that was ended early may have taken any time: its bound may be higher.
  return bound.atLeast ? "open" : "missed";
}

/** Median wall time of an entrant; undefined when it has no run. */
export function secondsOf(outcome: Outcome | undefined): Figure | undefined {
  if (outcome === undefined || outcome.samples.length === 0) return undefined;
  return {
    value: median(outcome.samples.map((sample) => sample.seconds)),
    atLeast: outcome.samples.some((sample) => sample.timedOut),
  };
}

export function ours(outcomes: readonly Outcome[]): Outcome | undefined {
  return outcomes.find((outcome) => outcome.role === "ours");
}

/** The fastest entrant of a role whose name the pattern fits. */
export function fastest(outcomes: readonly Outcome[], role: Outcome["role"], pattern = /./): Outcome | undefined {
  return outcomes
    .filter((outcome) => outcome.role === role && pattern.test(outcome.name) && outcome.samples.length > 0)
    .toSorted((a, b) => secondsOf(a)!.value - secondsOf(b)!.value)[0];
}

/** Wall time at most a peer's (the best of what the pattern fits), divided. */
export function timesFasterThan(factor: number, pattern: RegExp, peer: string): Aim {
  return {
    text: `${factor} times faster than ${peer}`,
    unit: "s",
    reached: (outcomes) => secondsOf(ours(outcomes)),
    bound: (outcomes) => scaled(secondsOf(fastest(outcomes, "peer", pattern)), 1 / factor),
  };
}

/** Wall time at most that of a limit, multiplied, and of what comes on top. */
export function timesLimit(factor: number, limit: string, text: string, plus?: string): Aim {
  return {
    text,
    unit: "s",
    reached: (outcomes) => secondsOf(ours(outcomes)),
    bound(outcomes) {
      const figure = (name: string): Figure | undefined => secondsOf(outcomes.find((outcome) => outcome.name === name));
      const base = scaled(figure(limit), factor);
      const more = plus === undefined ? { value: 0, atLeast: false } : figure(plus);
      if (base === undefined || more === undefined) return undefined;
      return { value: base.value + more.value, atLeast: base.atLeast || more.atLeast };
    },
  };
}

export function underSeconds(most: number): Aim {
  return {
    text: `under ${most} s`,
    unit: "s",
    reached: (outcomes) => secondsOf(ours(outcomes)),
    bound: () => ({ value: most, atLeast: false }),
  };
}

/** The largest peak of memory of any run. */
export function memoryUnder(megabytes: number): Aim {
  return {
    text: `peak memory under ${megabytes} MB`,
    unit: "MB",
    reached: (outcomes) => largest(ours(outcomes)?.samples.map((sample) => sample.peak / 1e6)),
    bound: () => ({ value: megabytes, atLeast: false }),
  };
}

/** The largest count of any run. */
export function factAtMost(fact: string, most: number, unit: Unit, text: string): Aim {
  const divisor = unit === "MB" ? 1e6 : 1;
  return {
    text,
    unit,
    reached: (outcomes) =>
      largest(ours(outcomes)?.samples.flatMap(({ facts }) => (fact in facts ? [facts[fact]! / divisor] : []))),
    bound: () => ({ value: most, atLeast: false }),
  };
}

function largest(values: readonly number[] | undefined): Figure | undefined {
  return values === undefined || values.length === 0 ? undefined : { value: Math.max(...values), atLeast: false };
}

function scaled(figure: Figure | undefined, factor: number): Figure | undefined {
  return figure === undefined ? undefined : { ...figure, value: figure.value * factor };
}
