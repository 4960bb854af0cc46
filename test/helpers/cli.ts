import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/** The file to start, as built by the set-up of the tests. */
export const BIN = process.env["LOCKSTEP_TEST_BIN"]!;

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that is running; `ended` gives all it printed. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when this text has been printed on stderr; rejects when the command ends without it. */
  readonly printed: (text: string) => Promise<void>;
}

/** The environment of a person without settings: nothing of the machine that runs the tests gets in. */
export function scrubbedEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    ...extra,
  };
}

/** Starts the real command line in a folder. */
export function startLockstep(
  cwd: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly node?: string } = {},
): Running {
  const child = spawn(options.node ?? process.execPath, [BIN, ...args], {
    cwd,
    env: scrubbedEnvironment(options.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stderr.includes(text)) resolve();
      };
      child.stderr.on("data", look);
      look();
      void ended.then(() => reject(new Error(`"${text}" was never printed:\n${stdout}${stderr}`)), reject);
    });
  return { child, ended, printed };
}

/** Runs the real command line to its end. */
export function lockstep(cwd: string, ...args: readonly string[]): Promise<Ended> {
  return startLockstep(cwd, args).ended;
}
