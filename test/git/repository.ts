import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Context, ProgressEvent } from "../../src/core/index.ts";

/** A folder of its own that is deleted at the end of the test's block. */
export function temporary(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "lockstep-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** git without the settings of the person who runs the tests. */
const environment = {
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

export function contextIn(
  cwd: string,
  env: Record<string, string> = {},
): Context & { readonly events: ProgressEvent[] } {
  const events: ProgressEvent[] = [];
  return {
    cwd,
    env: { ...environment, ...env },
    now: () => new Date("2026-01-02T03:04:05Z"),
    fetch: () => Promise.reject(new Error("no network in this test")),
    emit: (event) => void events.push(event),
    events,
  };
}

/** Runs git and gives its output. */
export function sh(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, env: environment as NodeJS.ProcessEnv, stdio: "pipe" })
    .toString()
    .trim();
}

export function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

export function makeExecutable(path: string): void {
  chmodSync(path, 0o755);
}

/** A repository with one commit of these files. */
export function repository(path: string, files: Readonly<Record<string, string>> = { "README.md": "hello\n" }): string {
  mkdirSync(path, { recursive: true });
  sh(path, "init", "--quiet", "--initial-branch=main");
  write(path, files);
  sh(path, "add", "--all");
  sh(path, "commit", "--quiet", "--message=first");
  return path;
}

/** A bare repository that others clone from and push to, with one commit on main. */
export function origin(folder: string): string {
  const seed = repository(join(folder, "seed"));
  const path = join(folder, "origin.git");
  sh(folder, "clone", "--quiet", "--bare", seed, path);
  return path;
}
