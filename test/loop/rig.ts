import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { spawn } from "../../src/core/index.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import type { Sandbox, SandboxOptions } from "../../src/sandbox/index.ts";
import type { WorkflowRun } from "../../src/sandbox/world.ts";

export const root = resolve(import.meta.dirname, "..", "..");
export const NAME = "acme/first";

/** A sandbox with one empty repository and a newcomer's clone of it. */
export interface Rig {
  readonly sandbox: Sandbox;
  readonly dir: string;
  readonly clone: string;
  readonly store: string;
  /** Runs a program in the clone; it must end well. Gives what it printed. */
  readonly run: (program: string, args: string[], cwd?: string) => Promise<string>;
  readonly lockstep: (...args: string[]) => Promise<string>;
  /** The API as the owner, below the repository; the call must succeed. */
  readonly api: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  readonly runs: () => readonly WorkflowRun[];
  /** Waits for the executor, then names every run with its conclusion. Prints the logs of what failed. */
  readonly settle: () => Promise<string[]>;
  /** Puts `"degree": 3` on a branch and opens a pull request; its number. */
  readonly proposeCubic: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function openRig(
  observer?: SandboxOptions["observer"],
  secrets: Readonly<Record<string, string>> = {},
  variables: Readonly<Record<string, string>> = {},
): Promise<Rig> {
  // Below the project, as a self-hosted runner's folder that has everything installed: node_modules resolves upwards.
  mkdirSync(join(root, ".lockstep"), { recursive: true });
  const dir = mkdtempSync(join(root, ".lockstep", "test-"));
  const clone = join(dir, "clone");
  const store = join(dir, "store");
  const sandbox = await startSandbox({
    dir: join(dir, "sandbox"),
    actionsDir: root,
    runnerDir: join(dir, "runner"),
    ...(observer === undefined ? {} : { observer }),
  });
  const run: Rig["run"] = async (program, args, cwd = clone) => {
    const result = await spawn(program, args, { cwd, env: process.env });
    expect(result.exitCode, `${program} ${args.join(" ")}\n${result.stdout.toString()}${result.stderr}`).toBe(0);
    return result.stdout.toString();
  };
  const api: Rig["api"] = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${sandbox.apiUrl}/repos/${NAME}${path}`, {
      method,
      headers: { authorization: `token ${sandbox.token("acme")}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true);
    return (await response.json()) as T;
  };
  const runs = (): readonly WorkflowRun[] => sandbox.world.repositories.get(NAME)?.runs ?? [];

  await sandbox.createRepository({
    owner: "acme",
    name: "first",
    allowActionsPullRequests: true,
    // Nobody stays beside an experiment where that is not what is tested.
    variables: { LOCKSTEP_STORE: `file://${store}`, LOCKSTEP_PROGRESS: "begin", ...variables },
    secrets,
  });
  await run("git", ["init", "-q", "-b", "main", clone], dir);
  await run("git", ["config", "user.name", "newcomer"]);
  await run("git", ["config", "user.email", "newcomer@example.org"]);
  await run("git", ["remote", "add", "origin", sandbox.cloneUrl(NAME, "acme")]);

  return {
    sandbox,
    dir,
    clone,
    store,
    run,
    lockstep: async (...args) => run(process.execPath, [join(root, "bin", "lockstep.js"), ...args]),
    api,
    runs,
    settle: async () => {
      await sandbox.executor?.idle();
      for (const failed of runs().filter((entry) => entry.conclusion === "failure")) {
        const steps = failed.jobs.flatMap((job) => job.steps.map((step) => `${job.name} / ${step.name}\n${step.log}`));
        console.error(steps.join("\n"));
      }
      return runs().map((entry) => `${entry.name}: ${entry.conclusion ?? entry.status}`);
    },
    proposeCubic: async () => {
      await run("git", ["checkout", "-q", "-b", "cubic"]);
      const file = join(clone, "pipelines/first/params.json");
      writeFileSync(file, readFileSync(file, "utf8").replace('"degree": 1', '"degree": 3'));
      await run("git", ["commit", "-q", "-am", "Try cubic features"]);
      await run("git", ["push", "-q", "origin", "cubic"]);
      const proposal = { title: "Try cubic features", head: "cubic", base: "main" };
      return (await api<{ number: number }>("POST", "/pulls", proposal)).number;
    },
    close: async () => {
      await sandbox.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
