import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { Context } from "../core/index.ts";
import { endMarked, forgetGroup, groupEnded, MARK, noteGroup, processes, signalGroup } from "./groups.ts";
import { Lines } from "./lines.ts";

/** How a command ended. `tail` is the end of what it printed, both streams together. */
export interface CommandEnd {
  readonly how: "ok" | "failed" | "timeout" | "interrupted";
  /** Completes "stage x ...". */
  readonly reason: string;
  readonly tail: string;
  /** What a program that was given an `input` wrote to its file descriptor 3. */
  readonly answer: string;
}

export interface CommandOptions {
  readonly stage: string;
  /** Absolute. */
  readonly folder: string;
  readonly timeoutMs: number | null;
  /** Between the polite signal and the one that cannot be ignored; 5 s when absent. */
  readonly graceMs?: number;
  /** Variables besides those of the context. */
  readonly env?: Readonly<Record<string, string>>;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  /** Read by the program from its standard input. */
  readonly input?: string;
}

const TAIL_LINES = 20;
const TAIL_CHARACTERS = 4000;
const GRACE_MS = 5000;
/** How long output is waited for once the command itself has ended. */
const LINGER_MS = 1000;
const LONGEST_ANSWER = 100_000;

/** What a program is started with: its name, then its arguments. */
export type Argv = readonly [string, ...string[]];

export function shell(command: string): Argv {
  return ["/bin/sh", "-c", command];
}

/**
 * Runs one command in a process group of its own, so that a timeout or an interruption ends everything it started:
 * asked first, killed after the grace. What it leaves running when it ends is killed at once, daemons included. Its
 * output is told line by line.
 */
export async function runCommand(
  context: Context,
  [program, ...args]: Argv,
  options: CommandOptions,
): Promise<CommandEnd> {
  if (options.signal.aborted) return { how: "interrupted", reason: "was interrupted", tail: "", answer: "" };
  const mark = randomUUID();
  const before = new Set(processes());
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { ...context.env, ...options.env, PATH: withPackages(context), [MARK]: mark },
    detached: true,
    stdio: options.input === undefined ? ["ignore", "pipe", "pipe"] : ["pipe", "pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid !== undefined) noteGroup(context, pid, mark);
  child.stdin?.on("error", () => {}); // it may end before it has read its input
  child.stdin?.end(options.input);
  const { stdout, stderr } = child as { stdout: Readable; stderr: Readable };
  const back = child.stdio[3] as Duplex | undefined;
  back?.end(); // it is for the answer alone, and closes with it
  let answer = "";
  back?.setEncoding("utf8").on("data", (text: string) => (answer = (answer + text).slice(0, LONGEST_ANSWER)));
  const tail: string[] = [];
  const read = (stream: "stdout" | "stderr", from: Readable): Promise<void> => {
    const lines = new Lines((text, passing) => {
      context.emit({ type: "stage-output", stage: options.stage, stream, text, ...(passing ? { passing: true } : {}) });
      if (passing) return;
      tail.push(text);
      if (tail.length > TAIL_LINES) tail.shift();
    });
    from.on("data", (bytes: Buffer) => lines.write(bytes));
    return once(from, "close").then(() => lines.end());
  };
  const allPrinted = Promise.all([
    read("stdout", stdout),
    read("stderr", stderr),
    ...(back === undefined ? [] : [once(back, "close")]),
  ]);
  const graceMs = options.graceMs ?? GRACE_MS;
  let cut: "timeout" | "interrupted" | undefined;
  let kill: NodeJS.Timeout | undefined;
  const signal = (name: NodeJS.Signals): void => void (pid !== undefined && signalGroup(pid, name));
  const stop = (why: "timeout" | "interrupted"): void => {
    cut ??= why;
    signal("SIGTERM");
    kill ??= setTimeout(() => signal("SIGKILL"), graceMs);
  };
  const interrupted = (): void => stop("interrupted");
  options.signal.addEventListener("abort", interrupted);
  const timer = options.timeoutMs === null ? undefined : setTimeout(() => stop("timeout"), options.timeoutMs);
  const ended = await new Promise<{ code: number | null; signal: string | null; error?: Error }>((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, error }));
    child.on("exit", (code, by) => resolve({ code, signal: by }));
  });
  clearTimeout(timer);
  options.signal.removeEventListener("abort", interrupted);
  // A shell is gone at once; what it had started may still be writing down where it stands.
  if (cut !== undefined && pid !== undefined) await groupEnded(pid, graceMs + LINGER_MS);
  clearTimeout(kill);
  // What the command left running would hold our pipes and write to outputs behind our back.
  signal("SIGKILL");
  // What is on its way out is no daemon.
  if (pid !== undefined) await groupEnded(pid, LINGER_MS);
  const daemons = pid === undefined ? [] : endMarked(mark, before);
  if (daemons.length > 0) {
    const message = `${options.stage} left process ${daemons.join(", ")} running in a session of its own; it was ended`;
    context.emit({ type: "warning", message });
  }
  // Where a daemon cannot be found it may hold the pipes open for as long as it lives: its output is not waited for.
  const late = setTimeout(() => [stdout, stderr, back].forEach((stream) => stream?.destroy()), LINGER_MS);
  await allPrinted;
  clearTimeout(late);
  if (pid !== undefined) forgetGroup(context, pid);
  const end = stripVTControlCharacters(tail.join("\n")).slice(-TAIL_CHARACTERS);
  return { ...verdict(ended, cut, options), tail: end, answer };
}

function verdict(
  ended: { code: number | null; signal: string | null; error?: Error },
  cut: "timeout" | "interrupted" | undefined,
  options: CommandOptions,
): Pick<CommandEnd, "how" | "reason"> {
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
