import { StalledError } from "../retry.ts";

/** A signal that aborts when nothing moved for too long since `moved`, or with the signal it was given. */
export class Watch implements Disposable {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #stallMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(stallMs: number, signal: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.signal = signal === undefined ? this.#controller.signal : AbortSignal.any([this.#controller.signal, signal]);
  }

  /** Something moved; `extraMs` is added to the limit until the next time. */
  moved(extraMs = 0): void {
    clearTimeout(this.#timer);
    const limit = this.#stallMs + extraMs;
    this.#timer = setTimeout(() => this.#controller.abort(new StalledError(limit)), limit);
  }

  /** Nothing has to move until `moved`. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.rest();
  }
}
