import type { Clock } from "./world.ts";

/** Milliseconds since the epoch on a clock that never goes back, whatever is done to the machine's. */
function machineTime(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** ISO 8601 in UTC with whole seconds, as GitHub writes times. */
export function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Goes on like the machine's clock and can be moved ahead. `offset` is what is saved. */
export class SandboxClock implements Clock {
  #offset: number;

  constructor(start: { readonly offset: number } | { readonly now: Date }) {
    this.#offset = "offset" in start ? start.offset : start.now.getTime() - machineTime();
  }

  get offset(): number {
    return this.#offset;
  }

  now(): Date {
    return new Date(machineTime() + this.#offset);
  }

  timestamp(): string {
    return isoSeconds(this.now());
  }

  moveTo(date: Date): void {
    this.#offset = Math.max(this.#offset, date.getTime() - machineTime());
  }
}
