type Typed = Uint8Array | Int32Array | Uint32Array | Float64Array;

/** Numbers of one type, added at the end: 10 million of them take what they need, not an object each. */
export class Growing<T extends Typed> {
  readonly #make: (length: number) => T;
  #values: T;
  #length = 0;

  /** @param make as in `(length) => new Float64Array(length)` */
  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(1024);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      // Pages that were never written cost no memory, so doubling wastes addresses only.
      const wider = this.#make(2 * this.#length);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }

  at(row: number): number | undefined {
    return row < this.#length ? this.#values[row] : undefined;
  }

  /** What was added; nothing more may be. */
  finish(): T {
    return this.#values.subarray(0, this.#length) as T;
  }
}

export const floats = (): Growing<Float64Array> => new Growing((length) => new Float64Array(length));
export const codes = (): Growing<Int32Array> => new Growing((length) => new Int32Array(length));
export const flags = (): Growing<Uint8Array> => new Growing((length) => new Uint8Array(length));
export const lines = (): Growing<Uint32Array> => new Growing((length) => new Uint32Array(length));
