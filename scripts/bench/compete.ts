import { CommandFailed, measure } from "./measure.ts";
import type { Command, Cost } from "./measure.ts";
import { median } from "./statistics.ts";

/** Counts beside time and memory: requests, objects, bytes. */
export type Facts = Readonly<Record<string, number>>;
export type Role = "ours" | "peer" | "limit";

/** Somebody who does a job, again and again. Everything but `commands` is not measured. */
export interface Entrant {
  readonly name: string;
  readonly role: Role;
  /** Before the first run. */
  setup?(): void | Promise<void>;
  /** Before each run, counted from 0. */
  prepare?(run: number): void;
  commands(): readonly Command[];
  /** After each run. */
  facts?(): Promise<Facts> | Facts;
  /** Whether the first run did its job. @throws when it did not. */
  check?(): void;
  /** Of an entrant whose run does a share of the job: seconds of the whole, reckoned from those of the run. */
  whole?(seconds: number): number;
  /** After the last run, also when one failed. */
  finish?(): void | Promise<void>;
  /** Runs of its own number, and why. */
  readonly only?: { readonly runs: number; readonly because: string };
}

export type Sample = Cost & {
  readonly facts: Facts;
  /** Seconds that were measured, where `seconds` are reckoned from a share of the job. */
  readonly timed?: number;
};

export interface Outcome {
  readonly name: string;
  readonly role: Role;
  readonly samples: readonly Sample[];
  /** Why there are fewer samples than asked for. */
  readonly note?: string;
}

export interface Rules {
  readonly runs: number;
  /** Seconds after which one run is ended, and counts as "more than that". */
  readonly limit: number;
  /** Seconds that all runs of one entrant may take: no further run begins that would go beyond. */
  readonly budget: number;
  readonly settle: () => void;
  readonly say: (line: string) => void;
  /** Ends everything; `compete` throws its reason. */
  readonly signal: AbortSignal;
}

export interface Competition {
  readonly entrants: readonly Entrant[];
  /** One entrant after the other in place of taking turns: for data that does not fit on the disk many times. */
  readonly inTurn?: boolean;
}

/** Lets all run in turns (ours, peer, limit, ours, ...), so that what else the machine does meets everyone alike. */
export async function compete({ entrants, inTurn }: Competition, rules: Rules): Promise<Outcome[]> {
  const runners = entrants.map((entrant) => new Runner(entrant, rules));
  const groups = inTurn === true ? runners.map((runner) => [runner]) : [runners];
  for (const group of groups) {
    try {
      for (const runner of group) await runner.guarded(() => runner.entrant.setup?.());
      for (let run = 0; run < rules.runs; run++) {
        for (const runner of group) await runner.guarded(() => runner.once(run));
      }
    } finally {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they began
      for (const runner of group) await runner.entrant.finish?.();
    }
  }
  return runners.map((runner) => runner.outcome());
}

class Runner {
  readonly entrant: Entrant;
  readonly #rules: Rules;
  readonly #samples: Sample[] = [];
  #note: string | undefined;

  constructor(entrant: Entrant, rules: Rules) {
    this.entrant = entrant;
    this.#rules = rules;
  }

  async once(run: number): Promise<void> {
    const { entrant } = this;
    const { limit, settle, say, runs, signal } = this.#rules;
    this.#note ??= this.#enough();
    if (this.#note !== undefined) return;
    entrant.prepare?.(run);
    settle();
    const cost = await measure(entrant.commands(), limit, signal);
    if (run === 0 && !cost.timedOut) entrant.check?.();
    const facts = cost.timedOut ? {} : await entrant.facts?.();
    const reckoned =
      entrant.whole === undefined || cost.timedOut
        ? cost
        : { ...cost, seconds: entrant.whole(cost.seconds), timed: cost.seconds };
    this.#samples.push({ ...reckoned, facts: facts ?? {} });
    if (cost.timedOut) this.#note = `ended after the limit of ${limit} s`;
    const counts = Object.entries(facts ?? {}).map(([name, value]) => `, ${name} ${value}`);
    say(
      `  ${run + 1}/${runs} ${entrant.name}: ${cost.timedOut ? "> " : ""}${reckoned.seconds.toFixed(2)} s, ` +
        `${Math.round(cost.peak / 1e6)} MB${counts.join("")}`,
    );
  }

  /** A failure ends this entrant and no other. */
  async guarded(work: () => void | Promise<void>): Promise<void> {
    if (this.#note !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.#rules.signal.throwIfAborted();
      if (!(error instanceof CommandFailed)) throw error;
      this.#note = `failed: ${error.message}`;
      this.#rules.say(`  ${this.entrant.name} ${this.#note}`);
    }
  }

  outcome(): Outcome {
    const { name, role } = this.entrant;
    return { name, role, samples: this.#samples, ...(this.#note === undefined ? {} : { note: this.#note }) };
  }

  #enough(): string | undefined {
    const { budget } = this.#rules;
    const { only } = this.entrant;
    const times = this.#samples.map(({ seconds, timed = seconds }) => timed);
    const done = `${times.length} ${times.length === 1 ? "run" : "runs"}`;
    if (only !== undefined && times.length >= only.runs) return `${done}: ${only.because}`;
    if (times.length === 0) return undefined;
    const next = times.reduce((sum, time) => sum + time, 0) + median(times);
    return next > budget ? `${done}: one more would take it beyond ${budget} s` : undefined;
  }
}
