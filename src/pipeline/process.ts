import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { Context } from "../core/index.ts";
import { forgetGroup, noteGroup } from "./groups.ts";

/** How a command ended. `tail` is the end of what it printed, both streams together. */
export interface CommandEnd {
  readonly how: "ok" | "failed" | "timeout" | "interrupted";
  /** Completes "stage x ...". */
  readonly reason: string;
  readonly tail: string;
}

interface CommandOptions {
  readonly stage: string;
  readonly folder: string;
  readonly timeoutMs: number | null;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
}

const TAIL_LINES = 20;
const TAIL_CHARACTERS = 4000;
/** Between the polite signal and the one that cannot be ignored. */
const GRACE_MS = 5000;
/** How long output is waited for once the command itself has ended. */
const LINGER_MS = 1000;

/** What a program is started with: its name, then its arguments. */
export type Argv = readonly [string, ...string[]];

export function shell(command: string): Argv {
  return ["/bin/sh", "-c", command];
}

/**
 * Runs one command in a process group of its own, so that a timeout or an interruption ends everything it
 * started. Its output is told line by line.
 */
export async function runCommand(
  context: Context,
  [program, ...args]: Argv,
  options: CommandOptions,
): Promise<CommandEnd> {
  if (options.signal.aborted) return { how: "interrupted", reason: "was interrupted", tail: "" };
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { ...context.env, PATH: withPackages(context) },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) noteGroup(context, child.pid);
  const tail: string[] = [];
  const read = (stream: "stdout" | "stderr", from: Readable): Interface => {
    const lines = createInterface({ input: from, crlfDelay: Infinity });
    lines.on("line", (text) => {
      tail.push(text);
      if (tail.length > TAIL_LINES) tail.shift();
      context.emit({ type: "stage-output", stage: options.stage, stream, text });
    });
    return lines;
  };
  const printed = [read("stdout", child.stdout), read("stderr", child.stderr)];
  const allPrinted = Promise.all(printed.map((lines) => once(lines, "close")));
  let cut: "timeout" | "interrupted" | undefined;
  let kill: NodeJS.Timeout | undefined;
  const stop = (why: "timeout" | "interrupted"): void => {
    cut ??= why;
    signalGroup(child.pid, "SIGTERM");
    kill ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS);
  };
  const interrupted = (): void => stop("interrupted");
  options.signal.addEventListener("abort", interrupted);
  const timer = options.timeoutMs === null ? undefined : setTimeout(() => stop("timeout"), options.timeoutMs);
  const ended = await new Promise<{ code: number | null; signal: string | null; error?: Error }>((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, error }));
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
  clearTimeout(timer);
  // What the command left running in its group would hold our pipes and write to outputs behind our back.
  signalGroup(child.pid, "SIGKILL");
  clearTimeout(kill);
  options.signal.removeEventListener("abort", interrupted);
  // A daemon in a session of its own may hold the pipes open for as long as it lives: its output is not waited for.
  const late = setTimeout(() => {
    printed.forEach((lines) => lines.close());
    [child.stdout, child.stderr].forEach((stream) => stream.destroy());
  }, LINGER_MS);
  await allPrinted;
  clearTimeout(late);
  if (child.pid !== undefined) forgetGroup(context, child.pid);
  return { ...verdict(ended, cut, options), tail: stripVTControlCharacters(tail.join("\n")).slice(-TAIL_CHARACTERS) };
}

function verdict(
  ended: { code: number | null; signal: string | null; error?: Error },
  cut: "timeout" | "interrupted" | undefined,
  options: CommandOptions,
): Omit<CommandEnd, "tail"> {
  if (cut === "interrupted") return { how: "interrupted", reason: "was interrupted" };
  if (cut === "timeout")
    return { how: "timeout", reason: `ran longer than its timeout of ${(options.timeoutMs ?? 0) / 1000} s` };
  if (ended.error) return { how: "failed", reason: `could not be started: ${ended.error.message}` };
  if (ended.code === 0) return { how: "ok", reason: "ended well" };
  return {
    how: "failed",
    reason: ended.code === null ? `was ended by ${ended.signal}` : `ended with exit code ${ended.code}`,
  };
}

/** Programs of npm packages are found as in npm scripts: `node_modules/.bin` of the repository and of every folder above. */
function withPackages(context: Context): string {
  const folders: string[] = [];
  for (let at = context.cwd; ; at = dirname(at)) {
    const bin = join(at, "node_modules", ".bin");
    if (existsSync(bin)) folders.push(bin);
    if (dirname(at) === at) break;
  }
  return [...folders, context.env["PATH"] ?? ""].filter((part) => part !== "").join(delimiter);
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: nothing of the group is left. EPERM: macOS says so of a group of zombies.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
