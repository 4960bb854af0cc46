import { homedir } from "node:os";
import { delimiter, dirname } from "node:path";
import { resolveObject } from "../repository/git.ts";
import { fireSchedules, type Schedule } from "../schedule.ts";
import type { Executor, Repository, TriggerEvent, WorkflowRun, World } from "../world.ts";
import { ConcurrencyGroups } from "./concurrency.ts";
import { chainLength, workflowRunEvent, type RunAction } from "./payload.ts";
import { actionFolders, type ActionFolders } from "./resolve.ts";
import { executeRun } from "./run.ts";
import { RunState, type Shared } from "./runstate.ts";
import { Slots } from "./slots.ts";
import { workflowsAt } from "./source.ts";
import { registerWorkflow, startRuns } from "./starts.ts";

export interface ExecutorOptions {
  /** Project root that stands for the repository `lockstep-ml/lockstep` at any ref. */
  readonly actionsDir: string;
  /** Folder of the runners; each has a numbered folder with its `_work` in it. */
  readonly runnerDir: string;
  /** Jobs at a time; 2 when left out. */
  readonly parallel?: number;
  /** More repositories that are served from folders, by `owner/name`. */
  readonly actions?: ActionFolders;
  /**
   * Environment of the runner. Steps inherit the few variables of it that name programs, places and languages. Left
   * out: the usual folders for programs.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_PARALLEL = 2;
/** How often the executor looks for schedules that are due. */
const SCHEDULE_CHECK_MS = 30_000;
/** https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run */
const MAX_CHAIN = 3;

/** What steps inherit of the runner's environment. Nothing that steers git, Node or GitHub's own tools. */
const INHERITED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|https?_proxy|no_proxy|PYENV_ROOT|LOCKSTEP_HOME|CUDA_\w+|NVIDIA_\w+|LD_LIBRARY_PATH)$/iu;

function inheritedEnvironment(env: ExecutorOptions["env"]): Record<string, string> {
  const folders = [dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"];
  const given = env ?? { PATH: folders.join(delimiter), HOME: homedir(), LANG: "C.UTF-8" };
  const kept = Object.entries(given).filter(([name, value]) => value !== undefined && INHERITED.test(name));
  return Object.fromEntries(kept as [string, string][]);
}

/** The executor, with what callers in the same process may also ask. */
export interface ActionsExecutor extends Executor {
  /** Resolves when each event so far has its runs in the repository's list; they need not have ended. */
  handled(): Promise<void>;
}

class SandboxExecutor implements ActionsExecutor {
  readonly #world: World;
  readonly #shared: Shared;
  readonly #states = new Map<number, RunState>();
  readonly #tasks = new Set<Promise<void>>();
  /** Events are looked at one after the other, so that runs are in the order of what caused them. */
  #handled: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;
  #fired: Date;
  #closed = false;

  constructor(world: World, options: ExecutorOptions) {
    this.#world = world;
    this.#shared = {
      world,
      runnerDir: options.runnerDir,
      folders: new Map([...actionFolders(options.actionsDir), ...(options.actions ?? [])]),
      inherited: inheritedEnvironment(options.env),
      slots: new Slots(options.parallel ?? DEFAULT_PARALLEL),
      groups: new ConcurrencyGroups(),
    };
    this.#abandonOld();
    world.on((event) => {
      const now = world.clock.timestamp();
      const task = this.#handled.then(async () => this.#handle(event, now));
      this.#handled = task.catch(() => {});
      this.#follow(task);
    });
    this.#fired = world.clock.now();
    world.onTick(async (from, to) => this.#fire(from, to));
    // Time also passes by itself.
    this.#timer = setInterval(() => this.#follow(this.#fire(this.#fired, world.clock.now())), SCHEDULE_CHECK_MS);
    this.#timer.unref();
  }

  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async handled(): Promise<void> {
    await this.#handled;
  }

  approve(runId: number): void {
    const { repository, run } = this.#find(runId);
    if (run.status !== "action_required") return;
    run.status = "queued";
    this.#world.touch();
    this.#start(repository, run);
  }

  rerun(runId: number): void {
    const { repository, run } = this.#find(runId);
    if (run.status !== "completed") return;
    run.attempt += 1;
    run.status = "queued";
    run.conclusion = null;
    run.jobs = [];
    run.updatedAt = this.#world.clock.timestamp();
    this.#world.touch();
    this.#start(repository, run);
  }

  cancel(runId: number): void {
    const state = this.#states.get(runId);
    if (state !== undefined) return state.cancel();
    const { run } = this.#find(runId);
    if (run.status === "completed") return;
    run.status = "completed";
    run.conclusion = "cancelled";
    run.updatedAt = this.#world.clock.timestamp();
    this.#world.touch();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const state of this.#states.values()) state.cancel();
    await this.idle();
  }

  /** Runs that the process before this one left unfinished can no longer be followed. */
  #abandonOld(): void {
    for (const run of [...this.#world.repositories.values()].flatMap(({ runs }) => runs)) {
      if (run.status !== "queued" && run.status !== "in_progress") continue;
      for (const job of run.jobs.filter(({ status }) => status !== "completed")) {
        Object.assign(job, { status: "completed", conclusion: "cancelled" });
      }
      this.cancel(run.id);
    }
  }

  #find(runId: number): { repository: Repository; run: WorkflowRun } {
    for (const repository of this.#world.repositories.values()) {
      const run = repository.runs.find(({ id }) => id === runId);
      if (run !== undefined) return { repository, run };
    }
    throw new Error(`there is no run ${runId}`);
  }

  #follow(task: Promise<void>): void {
    // A bug: it is told, and the next event is still looked at.
    const followed = task
      .catch((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)))
      .finally(() => this.#tasks.delete(followed));
    this.#tasks.add(followed);
  }

  async #handle(event: TriggerEvent, now: string): Promise<void> {
    const repository = this.#world.repositories.get(event.repository);
    if (repository === undefined || this.#closed) return;
    // One thing that happens, two events: they differ in whose workflow files they take.
    const both = event.name === "pull_request" ? [event, { ...event, name: "pull_request_target" }] : [event];
    for (const one of both) {
      for (const run of await startRuns(this.#world, repository, one, now)) {
        this.#tell(repository, run, "requested");
        if (run.status === "queued") this.#start(repository, run);
      }
    }
  }

  #start(repository: Repository, run: WorkflowRun): void {
    const state = new RunState(this.#shared, repository, run, () => this.#tell(repository, run, "in_progress"));
    this.#states.set(run.id, state);
    if (this.#closed) state.cancel();
    this.#follow(
      executeRun(state).then(() => {
        this.#states.delete(run.id);
        this.#tell(repository, run, "completed");
      }),
    );
  }

  #tell(repository: Repository, run: WorkflowRun, action: RunAction): void {
    if (chainLength(repository, run) >= MAX_CHAIN) return;
    const workflow = registerWorkflow(this.#world, repository, run.path, run.name);
    this.#world.trigger(workflowRunEvent(this.#world, repository, run, workflow, action));
  }

  /** Fires what is due after the last time that this was asked, so that nothing fires twice. */
  async #fire(from: Date, to: Date): Promise<void> {
    const since = from > this.#fired ? from : this.#fired;
    if (to <= since) return;
    this.#fired = to;
    await fireSchedules(this.#world, await this.#schedules(), since, to);
  }

  async #schedules(): Promise<Schedule[]> {
    const found: Schedule[] = [];
    for (const repository of this.#world.repositories.values()) {
      const head = await resolveObject(repository, `refs/heads/${repository.defaultBranch}`);
      if (head === undefined || repository.parent !== null) continue; // schedules are off in forks
      for (const file of (await workflowsAt(repository, head)).values()) {
        for (const { cron, timezone } of (file.ok ? file.value.on.schedule : undefined) ?? []) {
          found.push({ repository, cron, ...(timezone === undefined ? {} : { timezone }) });
        }
      }
    }
    return found;
  }
}

/** Starts executing the workflows of every repository in the world. */
export function startExecutor(world: World, options: ExecutorOptions): ActionsExecutor {
  return new SandboxExecutor(world, options);
}
