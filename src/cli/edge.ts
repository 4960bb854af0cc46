import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { inspect } from "node:util";
import { declineTelemetry, listenForInterruption } from "../core/index.ts";
import type { Context, ExitCode, Interruption } from "../core/index.ts";
import { JobLog } from "../github/job-log.ts";
import type { Edge } from "./command.ts";
import { createOutput } from "./output.ts";

interface GlobalOptions {
  readonly json?: boolean;
  readonly cwd?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** The process as a command sees it. The only file of the command line that reads the environment and the clock. */
export function createEdge(
  options: GlobalOptions,
): Edge & { exitCode: () => ExitCode; close: () => void; bug: (error: unknown) => ExitCode } {
  const folder = resolve(options.cwd ?? ".");
  let interruption: Interruption | undefined;
  const out = createOutput({
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    verbose: options.verbose ?? false,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    colour: process.stderr.isTTY && !process.env["NO_COLOR"],
    ...(process.env["GITHUB_ACTIONS"] === "true" && !options.json ? { job: openJobLog() } : {}),
    screen: {
      columns: () => (process.stderr.isTTY ? process.stderr.columns : undefined),
      now: () => performance.now(),
      every: (ms, work) => {
        const timer = setInterval(work, ms).unref();
        return () => clearInterval(timer);
      },
    },
  });
  const context = (): Context => {
    declineTelemetry(process.env);
    interruption ??= listenForInterruption(() => process.exit(130));
    return {
      cwd: repositoryAround(folder),
      env: process.env,
      now: () => new Date(),
      fetch: globalThis.fetch,
      emit: out.emit,
      signal: interruption.signal,
    };
  };
  const bug = (error: unknown): ExitCode => {
    process.stderr.write(`this is a bug in Lockstep, please report it:\n${inspect(error, { depth: 4 })}\n`);
    return 3;
  };
  const close = (): void => interruption?.close();
  const interactive = process.stdout.isTTY;
  const terminal = { interactive, colour: interactive && !process.env["NO_COLOR"] };
  return { folder, context, out, terminal, bug, close, exitCode: out.exitCode };
}

/** Commands to the runner and the lines around them have to come in one order: they go to one stream. */
function openJobLog(): JobLog {
  return new JobLog({
    write: (text) => void process.stderr.write(text),
    folder: process.env["RUNNER_TEMP"] || tmpdir(),
    debug: process.env["RUNNER_DEBUG"] === "1",
  });
}

/** The nearest folder upwards that holds `.git` (a file in a worktree), else the folder itself. */
function repositoryAround(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return folder;
  }
}
