import { StringDecoder } from "node:string_decoder";

/** Characters of a line that are kept; a program that never ends its line must not fill the memory. */
export const LONGEST_LINE = 65_536;

/**
 * Cuts what a program prints into lines, in memory that does not grow with them. Bytes that are no UTF-8 become U+FFFD.
 * A line that ends in a carriage return alone is to be overwritten by the next (a progress bar): it is `passing`.
 */
export class Lines {
  readonly #take: (line: string, passing: boolean) => void;
  readonly #decoder = new StringDecoder("utf8");
  #line = "";
  #left = 0;
  #returned = false;

  constructor(take: (line: string, passing: boolean) => void) {
    this.#take = take;
  }

  write(bytes: Buffer): void {
    this.#read(this.#decoder.write(bytes));
  }

  /** The last line counts, whether or not it was ended. */
  end(): void {
    this.#read(this.#decoder.end());
    if (this.#line !== "" || this.#returned) this.#flush(false);
  }

  #read(text: string): void {
    for (const [part] of text.matchAll(/[\r\n]|[^\r\n]+/g)) {
      if (part === "\n") this.#flush(false);
      else {
        if (this.#returned) this.#flush(true);
        if (part === "\r") this.#returned = true;
        else this.#add(part);
      }
    }
  }

  #add(part: string): void {
    const kept = part.slice(0, LONGEST_LINE - this.#line.length);
    this.#line += kept;
    this.#left += part.length - kept.length;
  }

  #flush(passing: boolean): void {
    const cut = this.#left === 0 ? "" : ` [${this.#left} more characters of this line were left out]`;
    this.#take(this.#line + cut, passing);
    this.#line = "";
    this.#left = 0;
    this.#returned = false;
  }
}
