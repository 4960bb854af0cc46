import { failedIfAny } from "../core/index.ts";
import type { Failure, Location, Result } from "../core/index.ts";

/** Problems told of one file; the rest is counted. */
const TOLD = 100;

/** What is wrong with one file, bounded: a file with a million bad rows is told in a hundred lines. */
export class Problems {
  readonly #told: Failure[] = [];
  readonly #file: string;
  #more = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get any(): boolean {
    return this.#told.length > 0;
  }

  add(at: Location, problem: string, hint?: string): void {
    if (this.#told.length >= TOLD) this.#more++;
    else this.#told.push({ code: "predictions-invalid", at, problem, ...(hint === undefined ? {} : { hint }) });
  }

  with(last?: Failure): Extract<Result<never>, { ok: false }> {
    const at = { file: this.#file, line: 1, column: 1 };
    const rest: Failure[] = last === undefined ? [] : [last];
    if (this.#more > 0) rest.push({ code: "predictions-invalid", at, problem: `and ${this.#more} more problems` });
    const failed = failedIfAny([...this.#told, ...rest]);
    if (failed === undefined) throw new Error("a failure without a problem");
    return failed;
  }
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
