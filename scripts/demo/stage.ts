import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "../../src/core/index.ts";
import { startSandbox } from "../../src/sandbox/index.ts";
import type { Sandbox, SandboxOptions } from "../../src/sandbox/index.ts";

export const OWNER = "acme";

/** Where the story plays: a sandbox, a repository on it, and a person's clone of that. */
export interface Stage {
  /** Folder of the Lockstep project. */
  readonly root: string;
  /** Of the repository, and of the example in it. */
  readonly name: string;
  /** `acme/<name>`. */
  readonly repository: string;
  /** The person's clone. */
  readonly clone: string;
  /** Folder that the runners and the servers share as their store. */
  readonly store: string;
  /** Where deployed processes keep their state. */
  readonly home: string;
  readonly sandbox: Sandbox;
  /** A page of the sandbox, as in `/pull/1`; "/" is the repository. */
  readonly page: (path: string) => string;
  /** Calls the API as a person, path below `/repos/<repository>`. Throws when GitHub would refuse. */
  readonly api: <T>(person: string, method: string, path: string, body?: unknown) => Promise<T>;
  readonly git: (...args: string[]) => Promise<string>;
  readonly lockstep: (...args: string[]) => Promise<string>;
  /** Until no workflow run is queued or going on; fails when one that was not expected to has failed. */
  readonly settle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface StageOptions {
  readonly root: string;
  readonly dir: string;
  readonly port: number;
  readonly now: Date;
  /** Of the example that is played; digits when left out. */
  readonly name?: string;
  /** Sees every API request and response; the tests hold them against GitHub's description. */
  readonly observer?: SandboxOptions["observer"];
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { root, dir, port, now, name = "digits", observer } = options;
  const repository = `${OWNER}/${name}`;
  const clone = join(dir, "clone");
  const store = join(dir, "store");
  const home = join(dir, "home");
  for (const folder of [clone, store, home]) mkdirSync(folder, { recursive: true });
  const env = { ...process.env, LOCKSTEP_STORE: `file://${store}`, LOCKSTEP_HOME: home, GIT_TERMINAL_PROMPT: "0" };
  const sandbox = await startSandbox({
    dir: join(dir, "sandbox"),
    runnerDir: join(dir, "runner"),
    env: { ...process.env, LOCKSTEP_HOME: home, LOCKSTEP_STORE: undefined },
    actionsDir: root,
    port,
    now,
    ...(observer === undefined ? {} : { observer }),
  });

  const command = async (program: string, args: readonly string[]): Promise<string> => {
    const result = await spawn(program, args, { cwd: clone, env });
    if (result.exitCode !== 0)
      throw new Error(`${program} ${args.join(" ")} failed:\n${result.stdout.toString()}${result.stderr}`);
    return result.stdout.toString().trim();
  };
  const lockstep = async (...args: string[]): Promise<string> =>
    command(process.execPath, [join(root, "bin", "lockstep.js"), ...args]);

  return {
    root,
    name,
    repository,
    clone,
    store,
    home,
    sandbox,
    page: (path) => `${sandbox.url}/${repository}${path === "/" ? "" : path}`,
    api: async <T>(person: string, method: string, path: string, body?: unknown): Promise<T> => {
      const response = await fetch(`${sandbox.apiUrl}/repos/${repository}${path}`, {
        method,
        headers: { authorization: `token ${sandbox.token(person)}`, accept: "application/vnd.github+json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    git: async (...args) => command("git", args),
    lockstep,
    settle: async () => {
      await sandbox.executor?.idle();
      const runs = sandbox.world.repositories.get(repository)?.runs ?? [];
      const failed = runs.filter((run) => run.status === "completed" && run.conclusion === "failure");
      if (failed.length === 0) return;
      const steps = failed.flatMap((run) =>
        run.jobs.flatMap((job) => job.steps.filter((step) => step.conclusion === "failure")),
      );
      const tails = steps.map((step) => `${step.name}:\n${step.log.split("\n").slice(-25).join("\n")}`);
      throw new Error(`workflow ${failed.map((run) => run.name).join(", ")} failed\n${tails.join("\n")}`);
    },
    close: async () => {
      await lockstep("deploy", "stop", "--all").catch((error: unknown) => console.error(String(error)));
      await sandbox.close();
    },
  };
}
