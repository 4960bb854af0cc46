import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import * as core from "@actions/core";
import { describe, location, message } from "../../src/core/index.ts";
import type { Failure, ProgressEvent } from "../../src/core/index.ts";
import { LIMITS } from "../../src/github/limits.ts";
import { basic } from "./credentials.ts";

/**
 * The log of an action. Text in it may be hostile (a stage's output, a name out of a pull request), and a line that
 * starts with `::` would be a command to the runner. So the runner is told to take none, except while we give ours.
 */
export class Log {
  readonly #token = randomUUID();
  readonly #masked = new Set<string>();

  constructor() {
    this.#stop();
  }

  #stop(): void {
    process.stdout.write(`::stop-commands::${this.#token}\n`);
  }

  /** Gives commands to the runner. */
  command(give: () => void): void {
    process.stdout.write(`::${this.#token}::\n`);
    give();
    this.#stop();
  }

  /** Has the runner hide a secret wherever it is printed, in the form that git sends it too. */
  mask(secret: string): void {
    if (this.#masked.has(secret)) return;
    this.#masked.add(secret);
    this.command(() => {
      core.setSecret(secret);
      core.setSecret(basic(secret));
    });
  }

  readonly emit = (event: ProgressEvent): void => {
    switch (event.type) {
      case "note":
        return core.info(event.message);
      case "warning":
        return this.command(() => core.warning(event.message.slice(0, LIMITS.annotation)));
      case "stage-cached":
        return core.info(`${event.stage}: cached (${event.key.slice(0, 12)})`);
      case "stage-started":
        return core.info(`${event.stage}: runs, because ${event.reason}`);
      case "stage-output":
        return core.info(event.text);
      case "stage-ended":
        return core.info(`${event.stage}: ${event.ok ? "done" : "failed"} after ${(event.ms / 1000).toFixed(1)} s`);
      case "progress":
        if (event.unit === "bytes" && event.done === event.total)
          core.info(`${event.task}: ${(event.total / 1e6).toFixed(1)} MB`);
        return;
      case "transfer":
      case "effect":
        if (core.isDebug()) core.info(JSON.stringify(event));
        return;
    }
  };

  /** Every failure in full, at its place in the file where it has one; the step fails. */
  failed(failures: readonly Failure[]): void {
    for (const failure of failures) core.info(describe(failure));
    this.command(() => {
      for (const failure of failures
        .filter((each) => location(each) !== undefined)
        .slice(0, LIMITS.annotationsPerLevel - 1)) {
        const at = location(failure);
        core.error(message(failure), {
          title: failure.code,
          ...(at === undefined ? {} : { file: at.file, startLine: at.line, startColumn: at.column }),
        });
      }
      core.setFailed(failures.map(describe).join("\n").slice(0, LIMITS.annotation));
    });
  }

  /** A bug: the whole story, causes included. */
  crashed(error: unknown): void {
    const story: string[] = [];
    for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
      story.push(at instanceof Error ? (at.stack ?? at.message) : inspect(at));
    }
    this.command(() => core.setFailed(`this is a bug in Lockstep, please report it:\n${story.join("\ncaused by ")}`));
  }
}
