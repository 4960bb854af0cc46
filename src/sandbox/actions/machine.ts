import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Job, Repository, WorkflowRun, World } from "../world.ts";
import { contextEnvironment, runnerContext, type Folders } from "./contexts.ts";
import type { Contexts, Value } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import type { StepLog } from "./log.ts";
import { Masker } from "./mask.ts";
import type { ActionFolders } from "./resolve.ts";
import type { UsesStep } from "./steps.ts";
import type { PreparedAction } from "./uses.ts";

export interface MachineOptions {
  readonly world: World;
  readonly repository: Repository;
  readonly run: WorkflowRun;
  readonly job: Job;
  /** Folder of the runner's slot. */
  readonly slotFolder: string;
  readonly slotName: string;
  /** What the runner's own environment gives to every step. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly folders: ActionFolders;
  readonly token: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** `github`, `vars`, `needs`, `strategy`, `matrix`, `inputs`. */
  readonly contexts: Contexts;
  readonly cacheMode: string | undefined;
}

/** What an action wants done at the end of the job. */
export interface PostStep {
  readonly name: string;
  readonly holds: () => boolean;
  /** True when it ended well. */
  readonly run: (log: StepLog) => Promise<boolean>;
}

/** A runner at work on one job: its folders, its environment, and whether the job is to stop. */
export class JobMachine {
  readonly options: MachineOptions;
  readonly world: World;
  readonly job: Job;
  readonly folders: Folders;
  readonly masker = new Masker();
  readonly contexts: Record<string, Value>;
  readonly trackingId = `github_${randomUUID()}`;
  readonly posts: PostStep[] = [];
  readonly prepared = new Map<UsesStep, PreparedAction>();
  readonly jobFrame: Frame;
  /** `defaults.run` of the job, else of the workflow. */
  runDefaults: { readonly shell?: string; readonly workingDirectory?: string } = {};
  /** Variables of the workflow, the job, and what steps wrote to GITHUB_ENV. */
  env: Record<string, string> = {};
  #paths: string[] = [];
  #active = new Set<AbortController>();
  cancelled = false;
  failed = false;

  constructor(options: MachineOptions) {
    this.options = options;
    this.world = options.world;
    this.job = options.job;
    const work = join(options.slotFolder, "_work");
    const { name } = options.repository;
    this.folders = {
      work: join(work, name),
      workspace: join(work, name, name),
      temp: join(work, "_temp"),
      tools: join(work, "_tool"),
      actions: join(work, "_actions"),
    };
    const { temp, workspace } = this.folders;
    for (const folder of [temp, this.folders.work]) rmSync(folder, { recursive: true, force: true });
    for (const folder of Object.values(this.folders)) mkdirSync(folder, { recursive: true });
    const eventPath = join(temp, "_github_workflow", "event.json");
    mkdirSync(join(temp, "_github_workflow"));
    writeFileSync(eventPath, JSON.stringify(options.run.payload, null, 2));
    // `git config --global` of a step must not reach the machine's owner, nor theirs the step.
    writeFileSync(this.gitConfig(), "");
    for (const secret of [options.token, ...Object.values(options.secrets)]) this.masker.add(secret);
    this.jobFrame = {
      file: options.run.path,
      inputs: options.contexts["inputs"] ?? {},
      github: {},
      env: {},
      prefix: "",
      signal: undefined,
      composite: false,
      results: new Map(),
      failed: false,
    };
    this.contexts = {
      ...options.contexts,
      github: {
        ...(options.contexts["github"] as Record<string, Value>),
        event_path: eventPath,
        token: options.token,
        workspace,
      },
      runner: runnerContext(options.slotName, this.folders),
      secrets: { ...options.secrets, GITHUB_TOKEN: options.token },
      job: { check_run_id: options.job.id },
    };
  }

  gitConfig(): string {
    return join(this.folders.temp, "gitconfig");
  }

  jobStatus(): "success" | "failure" | "cancelled" {
    if (this.cancelled) return "cancelled";
    return this.failed ? "failure" : "success";
  }

  /** Ends what is running now; steps with `always()` or `cancelled()` still get their turn. */
  cancel(): void {
    this.cancelled = true;
    for (const controller of this.#active) controller.abort();
  }

  /** Runs `work` with a signal that a cancelled job, `outer`, or `ms` milliseconds abort. */
  async interruptible<T>(
    outer: AbortSignal | undefined,
    ms: number | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly value: T; readonly timedOut: boolean }> {
    const controller = new AbortController();
    let timedOut = false;
    const timer =
      ms === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            controller.abort();
          }, ms);
    this.#active.add(controller);
    try {
      const signal = outer === undefined ? controller.signal : AbortSignal.any([outer, controller.signal]);
      return { value: await work(signal), timedOut };
    } finally {
      clearTimeout(timer);
      this.#active.delete(controller);
    }
  }

  addPath(path: string): void {
    this.#paths = [path, ...this.#paths.filter((known) => known !== path)];
  }

  /** The whole environment of a step's process. */
  environment(contexts: Contexts, stepEnv: Readonly<Record<string, string>>): Record<string, string> {
    const { inherited } = this.options;
    const env: Record<string, string> = {
      ...inherited,
      GIT_CONFIG_GLOBAL: this.gitConfig(),
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      // Before a checkout, git must not find a repository that the runner's folder happens to lie in.
      GIT_CEILING_DIRECTORIES: this.folders.work,
      RUNNER_TRACKING_ID: this.trackingId,
      ...this.env,
      ...stepEnv,
      ...contextEnvironment(contexts),
    };
    env["PATH"] = [...this.#paths, env["PATH"] ?? ""].join(delimiter);
    return env;
  }
}
