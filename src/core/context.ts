import { spawn as start } from "node:child_process";
import type { ProgressEvent } from "./event.ts";

/** What the world gives a feature. Made once, in an edge file; tests make their own. */
export interface Context {
  /** Absolute path of the repository's root. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  readonly fetch: typeof globalThis.fetch;
  readonly emit: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
}

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface SpawnResult {
  /** null when a signal ended it or it could not be started (then `stderr` says why). */
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, without a shell. Never throws: a program that is not there has `exitCode` null. */
export async function spawn(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<SpawnResult> {
  return new Promise((resolve) => {
    const child = start(program, [...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      stdio: ["pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    const text = (): string => Buffer.concat(stderr).toString();
    child.on("error", (error) =>
      resolve({ exitCode: null, stdout: Buffer.concat(stdout), stderr: `${text()}${error.message}` }),
    );
    child.on("close", (exitCode) => resolve({ exitCode, stdout: Buffer.concat(stdout), stderr: text() }));
    child.stdin.on("error", () => {}); // the program may end before it has read its input
    child.stdin.end(options.input);
  });
}
