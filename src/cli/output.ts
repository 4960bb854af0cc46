import { describe, exitCode, hint, location, message } from "../core/index.ts";
import type { ExitCode, Failed, Failure, ProgressEvent, Result } from "../core/index.ts";
import type { Answer, Output } from "./command.ts";
import { inert } from "../github/job-log.ts";
import type { JobLog } from "../github/job-log.ts";
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
  /** Where this is a step of a GitHub Actions job: its log takes the place of stderr. */
  readonly job?: JobLog;
}

/** Answers go to stdout, progress and failures to stderr; with `--json`, stdout holds one document whatever happens. */
export function createOutput(options: OutputOptions): Output & { readonly exitCode: () => ExitCode } {
  let code: ExitCode = 0;
  const { job } = options;
  const silent = options.json || options.quiet;
  const bars = new ProgressBars({ ...options.screen, colour: options.colour, write: options.stderr });
  const emit = (event: ProgressEvent): void => {
    if (job !== undefined && (!silent || event.type === "warning")) return job.emit(event);
    if (!silent) bars.update(event);
    const line = event.type === "progress" ? undefined : progressLine(event, options);
    if (line !== undefined) bars.above(() => options.stderr(`${line}\n`), { often: event.type === "stage-output" });
  };
  const tell = (failures: readonly Failure[], write: (text: string) => void): void => {
    if (job !== undefined) job.failed(failures);
    else if (failures.length > 0) write(`${describeAll(failures)}\n`);
  };
  const answer = (result: Result<Answer>): void => {
    bars.close();
    if (!result.ok) {
      code = worst(result);
      if (options.json) options.stdout(`${JSON.stringify({ failures: result.failures.map(failureJson) }, null, 2)}\n`);
      else tell(result.failures, options.stderr);
      return job?.close();
    }
    code = result.value.exitCode ?? 0;
    const { json, text, failures = [] } = result.value;
    const told = job === undefined ? text : inert(text);
    if (options.json) options.stdout(`${JSON.stringify(json, null, 2)}\n`);
    else if (text !== "") options.stdout(`${told}\n`);
    if (!options.json) tell(failures, options.stdout);
    job?.close();
  };
  const line = (text: string): void => {
    if (!silent) bars.above(() => options.stdout(`${text}\n`));
  };
  return { json: options.json, emit, line, answer, exitCode: () => code };
}

const SHOWN = 50;

/** The failures as a person reads them. Of very many the first: one cause may have thousands of effects. */
function describeAll(failures: readonly Failure[]): string {
  const shown = failures.slice(0, SHOWN).map((failure) => describe(failure));
  const more = failures.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more like these (--json tells all)`] : [])].join("\n");
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
