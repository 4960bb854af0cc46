import { inspect } from "node:util";
import { describe } from "../../src/core/index.ts";
import type { Failure } from "../../src/core/index.ts";
import { JobLog } from "../../src/github/job-log.ts";
import { LIMITS } from "../../src/github/limits.ts";
import { basic } from "./credentials.ts";

/** The log of an action: that of a job, and how the step ends. */
export class Log extends JobLog {
  readonly #masked = new Set<string>();

  constructor(folder: string, debug: boolean) {
    super({ write: (text) => void process.stdout.write(text), folder, debug });
    // What libraries print is no command either.
    this.stop();
  }

  /** Has the runner hide a secret wherever it is printed, in the form that git sends it too. */
  mask(secret: string): void {
    if (this.#masked.has(secret)) return;
    this.#masked.add(secret);
    this.command("add-mask", secret);
    this.command("add-mask", basic(secret));
  }

  /** The step fails. */
  override failed(failures: readonly Failure[]): void {
    super.failed(failures);
    this.#fail(failures.map(describe).join("\n").slice(0, LIMITS.annotation));
  }

  /** A bug: the whole story, causes included. */
  crashed(error: unknown): void {
    const story: string[] = [];
    for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
      story.push(at instanceof Error ? (at.stack ?? at.message) : inspect(at));
    }
    this.#fail(`this is a bug in Lockstep, please report it:\n${story.join("\ncaused by ")}`);
  }

  #fail(text: string): void {
    process.exitCode = 1;
    this.command("error", text);
  }
}
