import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** A program as a user would start it. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What one run of one or more commands cost. */
export interface Cost {
  /** Wall time; the limit when `timedOut`. */
  readonly seconds: number;
  /** Bytes of resident memory of the process tree at its largest. */
  readonly peak: number;
  readonly timedOut: boolean;
}

/** A command that was measured and failed: its figures would mean nothing. */
export class CommandFailed extends Error {}

const SAMPLE_EVERY = 50; // ms: often enough to meet a peak, and under 1 % of a core
const TAIL = 2000;

/**
 * Runs the commands one after the other and adds up their time; the peak is that of the largest. What still runs after
 * `limit` seconds is killed with all its children.
 * @throws CommandFailed when one exits with anything but 0, or the signal's reason.
 */
export async function measure(commands: readonly Command[], limit: number, signal: AbortSignal): Promise<Cost> {
  let seconds = 0;
  let peak = 0;
  for (const command of commands) {
    const cost = await once(command, limit - seconds, signal);
    seconds += cost.seconds;
    peak = Math.max(peak, cost.peak);
    if (cost.timedOut) return { seconds: limit, peak, timedOut: true };
  }
  return { seconds, peak, timedOut: false };
}

async function once(command: Command, limit: number, signal: AbortSignal): Promise<Cost> {
  signal.throwIfAborted();
  const begun = performance.now();
  // A group of its own, so that the children of a shell go with it.
  const child = spawn(command.program, [...command.args], {
    cwd: command.cwd,
    env: command.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-TAIL)));
  }
  const memory = new Memory(child.pid);
  const sampling = setInterval(() => memory.sample(), SAMPLE_EVERY);
  let timedOut = false;
  const kill = (): void => void (child.pid !== undefined && process.kill(-child.pid, "SIGKILL"));
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, limit * 1000);
  signal.addEventListener("abort", kill);
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (exitCode, signal) => resolve(exitCode ?? signal ?? "?"));
    });
    const seconds = (performance.now() - begun) / 1000;
    signal.throwIfAborted();
    if (code !== 0 && !timedOut) {
      throw new CommandFailed(`${[command.program, ...command.args].join(" ")} exited with ${code}\n${output}`);
    }
    return { seconds, peak: memory.peak, timedOut };
  } finally {
    clearInterval(sampling);
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}

/**
 * The largest memory of a tree of processes: the sum of what is resident now, seen again and again, and never less than
 * the high-water mark that the kernel keeps of each process. Pages that processes share count once for each.
 */
class Memory {
  peak = 0;
  readonly #root: number | undefined;

  constructor(root: number | undefined) {
    this.#root = root;
  }

  sample(): void {
    if (this.#root === undefined) return;
    let sum = 0;
    for (const pid of tree(this.#root)) {
      const status = read(`/proc/${pid}/status`);
      sum += kibibytes(status, "VmRSS");
      this.peak = Math.max(this.peak, kibibytes(status, "VmHWM"));
    }
    this.peak = Math.max(this.peak, sum);
  }
}

function tree(root: number): number[] {
  const all = [root];
  // A loop over a growing list: the children of children come too.
  for (const pid of all) {
    for (const thread of entries(`/proc/${pid}/task`)) {
      const children = read(`/proc/${pid}/task/${thread}/children`);
      all.push(...children.split(" ").filter(Boolean).map(Number));
    }
  }
  return all;
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(String.raw`^${field}:\s+(\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
}

/** Processes end while they are looked at: what cannot be read is nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
