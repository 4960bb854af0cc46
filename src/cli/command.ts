import type { Command } from "commander";
import type { Context, ExitCode, Failure, ProgressEvent, Result } from "../core/index.ts";

/** A file of `commands/`: loaded only when its command is asked for. Its imports of features should be lazy too. */
export interface CommandModule {
  readonly build: (edge: Edge) => Command;
}

/** What a command gets from the process around it, so that no command touches the process itself. */
export interface Edge {
  /** The folder the user stands in (`--cwd`), absolute: what paths typed as arguments are relative to. */
  readonly folder: string;
  /** The repository around that folder. Its signal is aborted by the first Ctrl-C; a second one ends the process. */
  readonly context: () => Context;
  readonly out: Output;
  /** Of stdout. */
  readonly terminal: {
    /** True when a person sits before it. */
    readonly interactive: boolean;
    readonly colour: boolean;
  };
}

/** What a command ends with. */
export interface Answer {
  /** The one document of `--json`. */
  readonly json: unknown;
  /** What a person reads instead; may be empty. */
  readonly text: string;
  /** What went wrong on the way, told after the text. */
  readonly failures?: readonly Failure[];
  /** 0 when absent. A command that did its work and found a failed stage or gate answers 1. */
  readonly exitCode?: ExitCode;
}

export interface Output {
  readonly json: boolean;
  readonly emit: (event: ProgressEvent) => void;
  /** A line for a person, now: for commands that go on. Nothing with `--json` or `--quiet`. */
  readonly line: (text: string) => void;
  /** Prints the answer or the failures, and keeps the exit code. Once per command. */
  readonly answer: (result: Result<Answer>) => void;
}
