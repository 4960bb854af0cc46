import type { ProgressEvent } from "../core/index.ts";
import { bytes, counted, duration, grouped, printable, span } from "./text.ts";

type Progress = Extract<ProgressEvent, { type: "progress" }>;

/** The rate follows what happened during the last few seconds. */
const MEMORY_MS = 3000;
/** Shorter steps say more about buffers than about the rate. */
const STEP_MS = 100;

/** One long piece of work as it goes on: how far it is, how fast, and how long it will take. */
export class ProgressTask {
  readonly label: string;
  readonly #unit: Progress["unit"];
  readonly #startedAt: number;
  done: number;
  total: number;
  /** Mean of the rates that were seen, the latest counting most; `#known` is the sum of their weights. */
  #mean = 0;
  #known = 0;
  #seen: { readonly at: number; readonly done: number };

  /** `now` in ms, from any clock. What was done at the first event (a transfer that goes on) is not this work's speed. */
  constructor({ task, unit, done, total }: Progress, now: number) {
    this.label = printable(task);
    this.#unit = unit;
    this.#startedAt = now;
    this.done = done;
    this.total = total;
    this.#seen = { at: now, done };
  }

  update({ done, total }: Progress, now: number): void {
    this.done = done;
    this.total = total;
    this.look(now);
  }

  /** Lets time pass, so that the rate of work that stands still falls. */
  look(now: number): void {
    const ms = now - this.#seen.at;
    if (ms < STEP_MS) return;
    const step = Math.max(0, this.done - this.#seen.done) / ms;
    const weight = 1 - Math.exp(-ms / MEMORY_MS);
    this.#mean += weight * (step - this.#mean);
    this.#known += weight * (1 - this.#known);
    this.#seen = { at: now, done: this.done };
  }

  get ended(): boolean {
    return this.done >= this.total;
  }

  /** Between 0 and 1; undefined while the total is not known. */
  get share(): number | undefined {
    if (!Number.isFinite(this.total)) return undefined;
    return this.total === 0 ? 1 : Math.min(1, Math.max(0, this.done / this.total));
  }

  /** "45 %, 5.4 MB of 12.0 MB, 1.2 MB/s, 6 s left", as far as it is known. */
  state(): string[] {
    const { share } = this;
    const rate = this.#known === 0 ? 0 : this.#mean / this.#known;
    const left = rate > 0 && share !== undefined ? Math.round((this.total - this.done) / rate / 1000) : undefined;
    return [
      ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`]),
      share === undefined ? this.#amount(this.done) : `${this.#amount(this.done)} of ${this.#amount(this.total)}`,
      ...(rate > 0 ? [this.#speed(rate)] : []),
      ...(left === undefined ? [] : [`${span(left)} left`]),
    ];
  }

  /** "push digits: 12.0 MB in 3.2 s (3.8 MB/s)". */
  summary(now: number): string {
    const what = this.#unit === "bytes" ? bytes(this.done) : counted(this.done, "file");
    const ms = now - this.#startedAt;
    if (ms < STEP_MS) return `${this.label}: ${what}`;
    const average = this.#unit === "bytes" ? ` (${this.#speed(this.done / ms)})` : "";
    return `${this.label}: ${what} in ${duration(ms)}${average}`;
  }

  #amount(count: number): string {
    return this.#unit === "bytes" ? bytes(count) : grouped(count);
  }

  /** `rate`: per ms. */
  #speed(rate: number): string {
    return this.#unit === "bytes"
      ? `${bytes(Math.round(rate * 1000))}/s`
      : `${grouped(Math.round(rate * 1000))} files/s`;
  }
}
