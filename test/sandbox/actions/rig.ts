import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { spawn } from "../../../src/core/index.ts";
import { startExecutor, type ExecutorOptions } from "../../../src/sandbox/actions/index.ts";
import { createRepository, type NewRepository } from "../../../src/sandbox/repository/create.ts";
import { openWorld } from "../../../src/sandbox/state.ts";
import type { Job, Repository, TriggerEvent, WorkflowRun, World } from "../../../src/sandbox/world.ts";

const IDENTITY = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

/**
 * A world with one repository and an executor, without the HTTP server: events are triggered by hand, commits go
 * straight into the bare repository. What needs the server is tested in `loop.test.ts`.
 */
export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-executor-"));
  world!: World;
  repository!: Repository;
  executor!: ReturnType<typeof startExecutor>;
  #runs = 0;

  static async start(options: Partial<ExecutorOptions & NewRepository> = {}): Promise<Rig> {
    const rig = new Rig();
    rig.world = await openWorld(join(rig.folder, "world"), new Date("2026-03-02T10:00:00Z"));
    rig.world.origin = "http://127.0.0.1:9"; // nothing listens there: these tests make no requests
    rig.repository = await createRepository(rig.world, { owner: "ada", name: "digits", ...options });
    rig.executor = startExecutor(rig.world, {
      actionsDir: join(rig.folder, "actions"),
      runnerDir: join(rig.folder, "runner"),
      ...options,
    });
    await rig.git("init", "--quiet", "-b", "main", rig.work);
    return rig;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.executor.close();
    await this.world.save();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get work(): string {
    return join(this.folder, "work");
  }

  async git(...args: string[]): Promise<string> {
    mkdirSync(this.work, { recursive: true });
    const result = await spawn("git", args, {
      cwd: this.work,
      env: { ...process.env, ...IDENTITY, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
    });
    if (result.exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${result.stderr}`);
    return result.stdout.toString().trim();
  }

  /** Commits files on a branch of the bare repository; nothing is triggered. */
  async commit(files: Readonly<Record<string, string>>, branch = "main", message = "change"): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.work, path)), { recursive: true });
      writeFileSync(join(this.work, path), text);
    }
    await this.git("add", "-A");
    await this.git("commit", "--quiet", "--allow-empty", "-m", message);
    await this.git("push", "--quiet", "--force", this.repository.gitDir, `HEAD:refs/heads/${branch}`);
    return this.git("rev-parse", "HEAD");
  }

  event(name: string, sha: string, extra: Partial<TriggerEvent> = {}): TriggerEvent {
    return {
      name,
      repository: "ada/digits",
      payload: {},
      ref: "refs/heads/main",
      sha,
      headSha: sha,
      headBranch: "main",
      headRepository: "ada/digits",
      actor: "ada",
      byJobToken: false,
      ...extra,
    };
  }

  /** The runs since the last call. */
  taken(): WorkflowRun[] {
    const runs = this.repository.runs.slice(this.#runs);
    this.#runs = this.repository.runs.length;
    return runs;
  }

  /** Triggers an event and waits until everything that follows from it has ended. */
  async trigger(event: TriggerEvent): Promise<WorkflowRun[]> {
    this.world.trigger(event);
    await this.executor.idle();
    return this.taken();
  }

  /** Commits one workflow with a push trigger, pushes, and gives the run that this makes. */
  async run(jobs: string, files: Readonly<Record<string, string>> = {}, head = "on: push"): Promise<WorkflowRun> {
    const sha = await this.commit({ ".github/workflows/test.yml": `${head}\n${jobs}`, ...files });
    const [run] = await this.trigger(this.event("push", sha));
    if (run === undefined) throw new Error("nothing ran");
    return run;
  }

  /** Resolves when `holds` does; a file that steps write is the usual sign. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const jobNamed = (run: WorkflowRun, name: string): Job => {
  const job = run.jobs.find((candidate) => candidate.name === name);
  if (job === undefined) throw new Error(`no job ${name}, but ${run.jobs.map((known) => known.name).join(", ")}`);
  return job;
};

/** All a job wrote, for assertions and for reading when one fails. */
export const logOf = (job: Job | undefined): string =>
  (job?.steps ?? []).map((step) => `== ${step.name} [${step.conclusion}]\n${step.log}`).join("");
