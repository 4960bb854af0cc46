import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";

/** Characters that are held in memory. */
const HELD = 256 * 1024;
const READ = 1024 * 1024;

/** Text that waits: a little of it in memory, the rest in a file of its own. */
export class Spill {
  readonly #path: string;
  #held: string[] = [];
  #size = 0;
  #file: number | undefined;

  /** `folder`: where the file goes, if one is needed. */
  constructor(folder: string) {
    this.#path = join(folder, `lockstep-${randomUUID()}.log`);
  }

  add(text: string): void {
    this.#held.push(text);
    this.#size += text.length;
    if (this.#size <= HELD) return;
    this.#file ??= openSync(this.#path, "wx+", 0o600);
    writeSync(this.#file, this.#held.join(""));
    this.#held = [];
    this.#size = 0;
  }

  /** Hands all of it over, once. */
  drain(take: (bytes: Buffer | string) => void): void {
    if (this.#file !== undefined) {
      const chunk = Buffer.allocUnsafe(READ);
      for (let at = 0, read = 0; (read = readSync(this.#file, chunk, 0, READ, at)) > 0; at += read) {
        take(Buffer.from(chunk.subarray(0, read)));
      }
      closeSync(this.#file);
      rmSync(this.#path, { force: true });
      this.#file = undefined;
    }
    if (this.#held.length > 0) take(this.#held.join(""));
    this.#held = [];
    this.#size = 0;
  }
}
