import { describe, exitCode, hint, location, message } from "../core/index.ts";
import type { ExitCode, Failed, Failure, ProgressEvent, Result } from "../core/index.ts";
import type { Answer, Output } from "./command.ts";
import { progressLine } from "./progress.ts";
import { ProgressBars } from "./progress-bars.ts";
import type { Screen } from "./progress-bars.ts";

/** How loud, in which form and where to. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** True when stderr may be coloured. */
  readonly colour: boolean;
  /** Of stderr, as a terminal. */
  readonly screen: Pick<Screen, "columns" | "now" | "every">;
}

/** Answers go to stdout, progress and failures to stderr; with `--json`, stdout holds one document whatever happens. */
export function createOutput(options: OutputOptions): Output & { readonly exitCode: () => ExitCode } {
  let code: ExitCode = 0;
  const bars = new ProgressBars({ ...options.screen, colour: options.colour, write: options.stderr });
  /** Writes above the bars: both streams may be one terminal. */
  const above = (write: () => void): void => {
    bars.clear();
    write();
    bars.draw();
  };
  const emit = (event: ProgressEvent): void => {
    if (event.type === "progress") {
      if (!options.json && !options.quiet) bars.update(event);
      return;
    }
    const line = progressLine(event, options);
    if (line !== undefined) above(() => options.stderr(`${line}\n`));
  };
  const answer = (result: Result<Answer>): void => {
    bars.close();
    if (!result.ok) {
      code = worst(result);
      if (options.json) options.stdout(`${JSON.stringify({ failures: result.failures.map(failureJson) }, null, 2)}\n`);
      else options.stderr(`${result.failures.map((failure) => describe(failure)).join("\n")}\n`);
      return;
    }
    code = result.value.exitCode ?? 0;
    if (options.json) options.stdout(`${JSON.stringify(result.value.json, null, 2)}\n`);
    else if (result.value.text !== "") options.stdout(`${result.value.text}\n`);
  };
  const line = (text: string): void => {
    if (!options.json && !options.quiet) above(() => options.stdout(`${text}\n`));
  };
  return { json: options.json, emit, line, answer, exitCode: () => code };
}

/** A failure as data: its own fields, and the message, hint and place a person would read. Causes stay inside. */
export function failureJson(failure: Failure): Record<string, unknown> {
  const { cause: _, ...fields } = failure;
  return { ...fields, message: message(failure), hint: hint(failure), at: location(failure) };
}

/** Of several failures: an interruption first, then what is wrong here (2), then a failed stage (1), then outside (3). */
export function worst({ failures }: Failed): ExitCode {
  const codes = failures.map(exitCode);
  return ([130, 2, 1, 3] as const).find((code) => codes.includes(code)) ?? 3;
}
