import { randomUUID } from "node:crypto";
import { describe, harmless, location, message } from "../core/index.ts";
import type { Failure, ProgressEvent } from "../core/index.ts";
import { LIMITS } from "./limits.ts";
import { Spill } from "./spill.ts";

interface JobLogOptions {
  readonly write: (text: string | Uint8Array) => void;
  /** Where output waits that is too much for the memory. */
  readonly folder: string;
  /** Every effect and transfer is told. */
  readonly debug: boolean;
}

/**
 * The log of a job. Text in it may be hostile (a stage's output, a name out of a pull request), and a line that starts
 * with `::` would be a command to the runner: it is told to take none, except while we give ours. Each stage has a group
 * of its own. The one that has run longest is shown as it goes on; what the others print waits until it has ended.
 */
export class JobLog {
  readonly #options: JobLogOptions;
  readonly #token = randomUUID();
  readonly #running = new Map<string, { readonly title: string; readonly output: Spill }>();
  #stopped = false;
  /** Whose group is open. */
  #open: string | undefined;
  /** What comes after it. */
  #after: (() => void)[] = [];

  constructor(options: JobLogOptions) {
    this.#options = options;
  }

  /** The runner takes no commands from now on. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.write(`::stop-commands::${this.#token}\n`);
  }

  /** Gives the runner a command. */
  command(name: string, text: string, properties: Readonly<Record<string, string | number | undefined>> = {}): void {
    const given = Object.entries(properties).flatMap(([property, value]) =>
      value === undefined
        ? []
        : [`${property}=${escaped(String(value)).replaceAll(":", "%3A").replaceAll(",", "%2C")}`],
    );
    const line = `::${name}${given.length === 0 ? "" : ` ${given.join(",")}`}::${escaped(text)}\n`;
    this.stop();
    this.#options.write(`::${this.#token}::\n${line}::stop-commands::${this.#token}\n`);
  }

  /** A line of its own, after the group that is open. */
  print(line: string): void {
    this.#later(() => {
      this.stop();
      this.#options.write(`${line}\n`);
    });
  }

  readonly emit = (event: ProgressEvent): void => {
    switch (event.type) {
      case "note":
        return this.print(event.message);
      case "warning":
        return this.command("warning", event.message.slice(0, LIMITS.annotation));
      case "stage-cached":
        return this.print(`${event.stage}: cached (${event.key.slice(0, 12)})`);
      case "stage-started":
        return this.#started(event.stage, event.reason);
      case "stage-output":
        return event.passing ? undefined : this.#printed(event.stage, harmless(event.text, true));
      case "stage-ended":
        return this.#ended(event.stage, `${event.ok ? "done" : "failed"} after ${(event.ms / 1000).toFixed(1)} s`);
      case "progress":
        if (event.unit === "bytes" && event.done === event.total)
          this.print(`${event.task}: ${(event.total / 1e6).toFixed(1)} MB`);
        return;
      case "transfer":
      case "effect":
        if (this.#options.debug) this.print(JSON.stringify(event));
        return;
      case "run-started":
      case "run-ended":
        return;
    }
  };

  /** Every failure in full, and at its place in the file where it has one. */
  failed(failures: readonly Failure[]): void {
    this.#close();
    for (const failure of failures) this.print(describe(failure));
    const placed = failures.flatMap((failure) => {
      const at = location(failure);
      return at === undefined ? [] : [{ failure, at }];
    });
    for (const { failure, at } of placed.slice(0, LIMITS.annotationsPerLevel - 1)) {
      const text = message(failure).slice(0, LIMITS.annotation);
      this.command("error", text, { title: failure.code, file: at.file, line: at.line, col: at.column });
    }
  }

  /** Ends what is open, and gives the runner back to whoever comes after us. */
  close(): void {
    this.#close();
    if (this.#stopped) this.#options.write(`::${this.#token}::\n`);
    this.#stopped = false;
  }

  #started(stage: string, reason: string): void {
    const title = `${stage}: runs, because ${reason}`;
    this.#running.set(stage, { title, output: new Spill(this.#options.folder) });
    if (this.#open === undefined) this.#show(stage);
  }

  #printed(stage: string, line: string): void {
    const running = this.#running.get(stage);
    if (running === undefined) this.print(`${stage} | ${line}`);
    else if (this.#open === stage) this.#options.write(`${line}\n`);
    else running.output.add(`${line}\n`);
  }

  #ended(stage: string, how: string): void {
    if (this.#open === stage) this.#end();
    this.#later(() => {
      if (this.#running.has(stage)) {
        this.#show(stage);
        this.#end();
      }
      this.print(`${stage}: ${how}`);
    });
    if (this.#open === undefined) this.#next();
  }

  #show(stage: string): void {
    const { title, output } = this.#running.get(stage)!;
    this.command("group", title);
    this.#open = stage;
    output.drain(this.#options.write);
  }

  #end(): void {
    this.command("endgroup", "");
    this.#running.delete(this.#open!);
    this.#open = undefined;
  }

  /** Goes on with what waited, then with the stage that has run longest. */
  #next(): void {
    const waiting = this.#after;
    this.#after = [];
    for (const tell of waiting) tell();
    const [first] = this.#running.keys();
    if (first !== undefined) this.#show(first);
  }

  #later(tell: () => void): void {
    if (this.#open === undefined) tell();
    else this.#after.push(tell);
  }

  /** What still runs has nobody to end it. */
  #close(): void {
    while (this.#open !== undefined) {
      this.#end();
      this.#next();
    }
  }
}

/** A text of ours that is printed past the log: nothing in it is a command. */
export function inert(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}

/** As the runner reads it back. */
function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
