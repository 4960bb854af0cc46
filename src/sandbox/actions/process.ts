import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";

/** Milliseconds a cancelled step has between SIGINT, SIGTERM and SIGKILL: those of the real runner. */
const INTERRUPT_MS = 7500;
const TERMINATE_MS = 2500;
/** How long output may still come after a step's program has ended; what it left running may hold the pipe open. */
const DRAIN_MS = 1000;

export interface ProcessOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly line: (text: string) => void;
  /** Aborted: the program and its whole process group are interrupted, then ended, then killed. */
  readonly signal: AbortSignal;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

/** Runs a program in a process group of its own; its exit code, or null when a signal or a failed start ended it. */
export async function runProcess(
  program: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<number | null> {
  const { cwd, env, line, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const timers: NodeJS.Timeout[] = [];
    const stop = (): void => {
      const { pid } = child;
      if (pid === undefined) return;
      signalGroup(pid, "SIGINT");
      timers.push(
        setTimeout(() => signalGroup(pid, "SIGTERM"), INTERRUPT_MS),
        setTimeout(() => signalGroup(pid, "SIGKILL"), INTERRUPT_MS + TERMINATE_MS),
      );
    };
    let done = false;
    const end = (code: number | null): void => {
      if (done) return;
      done = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(code);
    };
    const readers = [child.stdout, child.stderr].map(
      (stream) =>
        new Promise<void>((finished) => {
          createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
            .on("line", (text) => {
              if (!done) line(text);
            })
            .on("close", finished);
        }),
    );
    child.on("error", (error) => {
      line(`##[error]${error.message}`);
      end(null);
    });
    child.on("exit", (code) => {
      timers.push(setTimeout(() => end(code), DRAIN_MS));
      void Promise.all(readers).then(() => end(code));
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Ends every process that still carries a job's RUNNER_TRACKING_ID in its environment, as the runner does when a job
 * has ended. A process that is to outlive its job is started with RUNNER_TRACKING_ID empty. Linux only.
 */
export function killOrphans(trackingId: string): number[] {
  const killed: number[] = [];
  let pids: string[] = [];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/u.test(name));
  } catch {
    return killed;
  }
  for (const name of pids) {
    try {
      const pid = Number(name);
      const environment = readFileSync(`/proc/${name}/environ`, "utf8").split("\0");
      if (pid === process.pid || !environment.includes(`RUNNER_TRACKING_ID=${trackingId}`)) continue;
      process.kill(pid, "SIGKILL");
      killed.push(pid);
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return killed;
}
