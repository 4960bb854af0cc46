import type { Context } from "../../../core/index.ts";

/** At most `count` requests that create something in any `perMs`. */
export interface WriteLimit {
  readonly count: number;
  readonly perMs: number;
}

export interface BudgetOptions {
  /** Stands before every message. */
  readonly url: string;
  readonly limits: readonly WriteLimit[];
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** The limits of GitHub start again after an hour: what has to wait longer than that (and some skew) is given up. */
const LONGEST_MS = 65 * 60_000;
/** Shorter pauses are nobody's concern. */
const WORTH_SAYING_MS = 2_000;

/** Keeps the requests of one driver within what GitHub allows, and says when that costs time. */
export class Budget {
  readonly #context: Context;
  readonly #options: BudgetOptions;
  /** When content was or will be created, in ms, ascending; only as far back as the longest limit reaches. */
  readonly #created: number[] = [];
  #blockedUntil = 0;
  #saidUntil = 0;
  #remaining = Infinity;
  #resetAt = 0;
  #warned = false;

  constructor(context: Context, options: BudgetOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Waits until a request may be sent; one that creates content also waits for its turn. */
  async turn(creates: boolean): Promise<void> {
    const turn = creates ? this.#reserve() : 0;
    for (;;) {
      const now = this.#now();
      const wait = Math.max(turn, this.#blockedUntil) - now;
      if (wait <= 0 || this.#context.signal?.aborted === true) return;
      this.#say(wait, turn > this.#blockedUntil ? "GitHub takes no more uploads for now" : "GitHub's rate limit");
      // oxlint-disable-next-line no-await-in-loop -- it may be blocked for longer by the time it wakes
      await this.#options.sleep(wait, this.#context.signal);
    }
  }

  /** GitHub wants a pause. False: one that is too long to be waited for. */
  block(ms: number): boolean {
    if (ms > LONGEST_MS) return false;
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#now() + ms);
    return true;
  }

  /** Reads where the token stands from the headers of an answer, and warns once when little is left. */
  seen(headers: Readonly<Record<string, string | number | undefined>>): void {
    const [remaining, limit, reset] = ["remaining", "limit", "reset"].map((name) => {
      const text = headers[`x-ratelimit-${name}`];
      return text === undefined ? undefined : Number(text);
    });
    if (remaining === undefined || limit === undefined || reset === undefined) return;
    if (reset * 1000 > this.#resetAt) this.#warned = false;
    this.#remaining = remaining;
    this.#resetAt = reset * 1000;
    if (remaining < limit / 10) this.#low(`${remaining} of GitHub's ${limit} requests an hour are left`);
  }

  /** Says so before a piece of work that needs more requests than are left. */
  needs(requests: number, what: string): void {
    if (requests > this.#remaining) this.#low(`${what} takes ${requests} requests; GitHub allows ${this.#remaining}`);
  }

  #low(text: string): void {
    if (this.#warned || this.#resetAt <= this.#now()) return;
    this.#warned = true;
    const until = new Date(this.#resetAt).toISOString().slice(11, 16);
    this.#emit(`${text} until ${until} UTC; what is left then waits`);
  }

  #reserve(): number {
    const now = this.#now();
    const longest = Math.max(0, ...this.#options.limits.map(({ perMs }) => perMs));
    while ((this.#created[0] ?? Infinity) <= now - longest) this.#created.shift();
    const turns = this.#options.limits.map(({ count, perMs }) => (this.#created.at(-count) ?? -Infinity) + perMs);
    const turn = Math.max(now, this.#created.at(-1) ?? 0, ...turns);
    this.#created.push(turn);
    return turn;
  }

  #say(wait: number, why: string): void {
    const now = this.#now();
    if (wait < WORTH_SAYING_MS || now < this.#saidUntil) return;
    this.#saidUntil = now + wait;
    const seconds = Math.ceil(wait / 1000);
    this.#emit(`${why}; goes on in ${seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`}`);
  }

  #emit(text: string): void {
    this.#context.emit({ type: "warning", message: `${this.#options.url}: ${text}` });
  }

  #now(): number {
    return this.#context.now().getTime();
  }
}
