import { describe, type Failure } from "../../core/index.ts";
import type { Conclusion, Job, Permissions, Repository, WorkflowRun, World } from "../world.ts";
import type { ConcurrencyGroups, GroupRequest } from "./concurrency.ts";
import { evaluateToken, text, truthy, type Scope, type Value } from "./evaluate.ts";
import type { JobMachine } from "./machine.ts";
import type { ActionFolders } from "./resolve.ts";
import type { Slots } from "./slots.ts";
import type { Token } from "./template.ts";

/** What all runs share. */
export interface Shared {
  readonly world: World;
  readonly runnerDir: string;
  readonly folders: ActionFolders;
  /** What the runner's own environment gives to every step. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly slots: Slots;
  readonly groups: ConcurrencyGroups;
}

/** A place in a concurrency group, or the refusal of one. */
export interface Place {
  readonly admitted: boolean;
  readonly leave: () => void;
}

/** One attempt of a workflow run while it goes on. */
export class RunState {
  readonly shared: Shared;
  readonly repository: Repository;
  readonly run: WorkflowRun;
  readonly machines = new Set<JobMachine>();
  /** Failed jobs that `continue-on-error` keeps from failing the run. */
  readonly forgiven = new Set<Job>();
  readonly #requests = new Set<GroupRequest>();
  readonly #began: () => void;
  cancelled = false;

  /** `began` is called when it leaves the queue. */
  constructor(shared: Shared, repository: Repository, run: WorkflowRun, began: () => void) {
    this.#began = began;
    this.shared = shared;
    this.repository = repository;
    this.run = run;
  }

  /** Whether it came from a fork: then it gets no secrets, and a token that can only read. */
  get fromFork(): boolean {
    const { repository, run } = this;
    return run.event === "pull_request" && run.headRepository !== `${repository.owner}/${repository.name}`;
  }

  cancel(): void {
    this.cancelled = true;
    for (const request of this.#requests) this.shared.groups.leave(request);
    for (const machine of this.machines) machine.cancel();
  }

  begin(): void {
    this.run.status = "in_progress";
    this.touch();
    this.#began();
  }

  touch(): void {
    this.run.updatedAt = this.shared.world.clock.timestamp();
    this.shared.world.touch();
  }

  newJob(name: string, permissions: Permissions): Job {
    const job: Job = {
      id: this.shared.world.nextId(),
      name,
      status: "queued",
      conclusion: null,
      startedAt: null,
      completedAt: null,
      steps: [],
      annotations: [],
      permissions,
      outputs: {},
    };
    this.run.jobs.push(job);
    this.touch();
    return job;
  }

  closeJob(job: Job, conclusion: Conclusion): void {
    job.status = "completed";
    job.conclusion = conclusion;
    job.completedAt = this.shared.world.clock.timestamp();
    job.startedAt ??= job.completedAt;
    this.touch();
  }

  /** Ends a job that failed before a runner had it. */
  failJob(job: Job, failures: readonly Failure[], title?: string): void {
    const messages = failures.map((failure) => describe(failure));
    for (const [index, message] of messages.entries()) {
      const failure = failures[index];
      const at = failure !== undefined && "at" in failure ? failure.at : undefined;
      job.annotations.push({
        level: "failure",
        message,
        ...(title === undefined ? {} : { title }),
        ...(at === undefined ? {} : { file: at.file, line: at.line }),
      });
    }
    const now = this.shared.world.clock.timestamp();
    job.steps.push({
      number: 1,
      name: "Set up job",
      status: "completed",
      conclusion: "failure",
      startedAt: now,
      completedAt: now,
      summary: "",
      log: messages.map((message) => `##[error]${message}\n`).join(""),
    });
    job.startedAt = now;
    this.closeJob(job, "failure");
  }

  /** Waits for a place in the group that a `concurrency:` names; failures when that cannot be evaluated. */
  async enter(token: Token | undefined, scope: Scope, cancel: () => void): Promise<Place | readonly Failure[]> {
    const evaluated = evaluateToken(token, scope);
    if (!evaluated.ok) return evaluated.failures;
    const setting = evaluated.value;
    const isMapping = setting !== null && typeof setting === "object" && !Array.isArray(setting);
    const given: Record<string, Value> = isMapping ? (setting as Record<string, Value>) : { group: setting };
    const name = text(given["group"] ?? null);
    if (name === "") return { admitted: true, leave: () => {} };
    const request: GroupRequest = {
      group: `${this.repository.owner}/${this.repository.name} ${name}`,
      cancelInProgress: truthy(given["cancel-in-progress"] ?? null),
      queue: given["queue"] === "max" ? "max" : "single",
      cancel,
    };
    this.#requests.add(request);
    const leave = (): void => {
      this.#requests.delete(request);
      this.shared.groups.leave(request);
    };
    const admitted = await this.shared.groups.enter(request);
    return { admitted: admitted && !this.cancelled, leave };
  }
}
