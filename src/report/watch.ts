import { setTimeout as pause } from "node:timers/promises";
import { ok } from "../core/index.ts";
import type { Context, Failed, Result } from "../core/index.ts";
import { findCheck, followJobs, followPull, followRun, isOlder, upsertComment } from "../github/index.ts";
import type { GitHub, RunJob } from "../github/index.ts";
import { RUNNING, writeProgress } from "./announce.ts";
import { readLive, readLiveOfJobs } from "./live.ts";
import { outlookOf } from "./progress.ts";
import type { Outlook } from "./progress.ts";
import { renderProgress } from "./render-progress.ts";
import { reasons } from "./side.ts";
import { orderOf } from "./workflow-run.ts";
import type { PublishOptions } from "./workflow-run.ts";

export interface WatchOptions extends PublishOptions {
  /** Milliseconds from one refresh of the comment to the next, at least. */
  readonly every: number;
  /** Waits so many milliseconds; an interruption ends it. A timer when absent. */
  readonly wait?: (ms: number) => Promise<void>;
}

/** It looks soon at first, for an experiment that nobody knew to be short, and then twice as late each time. */
const FIRST_LOOK_MS = 2_000;
const LOOK_MS = 30_000;
/** A job of a hosted runner lives for six hours, and so does its token. */
const LONGEST_MS = 345 * 60_000;
/** Requests of the hour that are left to the reports: with fewer nothing is refreshed. */
const RESERVE = 200;
/** How long a run may wait for a runner while a watch holds one. */
const PATIENCE_MS = 5 * 60_000;
/** How long a report is waited for that may have been overwritten. */
const SETTLE_MS = 15 * 60_000;

/**
 * Stays beside an experiment and refreshes what its comment says of it: at most every so often, only where something
 * has moved, and until the run has ended, a newer one has begun, or the pull request is closed. Gives why it ended.
 */
export async function watchProgress(context: Context, github: GitHub, options: WatchOptions): Promise<Result<string>> {
  const found = await outlookOf(context, github, options);
  if (!found.ok) return found;
  if ("pullRequest" in found.value || found.value.coming === null) return ok("there is nothing to tell");
  const watch = new Watch(context, github, { ...options, ...found.value });
  const ended = await watch.untilItEnds();
  await watch.makeSure();
  return ended;
}

class Watch {
  readonly #context: Context;
  readonly #github: GitHub;
  readonly #options: WatchOptions & Outlook;
  readonly #wait: (ms: number) => Promise<void>;
  readonly #run: ReturnType<typeof followRun>;
  readonly #pull: ReturnType<typeof followPull>;
  readonly #jobs: ReturnType<typeof followJobs>;
  #told = "";
  /** True from before a write until the run is seen to go on after it: the write may have hit the run's report. */
  #unsure = false;
  /** Since when the run has nothing but jobs that wait for a runner. */
  #starvedSince: number | undefined;

  constructor(context: Context, github: GitHub, options: WatchOptions & Outlook) {
    const { signal } = context;
    this.#context = context;
    this.#github = github;
    this.#options = options;
    this.#wait = options.wait ?? (async (ms) => pause(ms, undefined, { signal }).catch(() => {} /* an interruption */));
    this.#run = followRun(github, options.run.id);
    this.#pull = followPull(github, options.pull.number);
    this.#jobs = followJobs(github, options.run.id);
  }

  async untilItEnds(): Promise<Result<string>> {
    const { every } = this.#options;
    const begun = this.#now();
    let refreshed: number | undefined;
    for (let looks = 0; ; looks++) {
      const due = refreshed === undefined || this.#now() - refreshed >= every;
      const over = await this.#over();
      const ended = over.ok && over.value === undefined && due ? await this.#refresh() : over;
      if (due && over.ok) refreshed = this.#now();
      if (ended.ok && ended.value !== undefined) return ok(ended.value);
      if (!ended.ok && !isPassing(ended)) return ended;
      if (!ended.ok) this.#note(`the comment is refreshed later: ${reasons(ended).join("; ")}`);
      if (this.#now() - begun >= LONGEST_MS) return ok("a job may not last longer");
      await this.#wait(ended.ok ? Math.min(FIRST_LOOK_MS * 2 ** looks, LOOK_MS, every / 10) : every);
      if (this.#context.signal?.aborted) return ok("it was asked to stop");
    }
  }

  /** Why there is nothing more to tell; undefined while there is. */
  async #over(): Promise<Result<string | undefined>> {
    const { run, names } = this.#options;
    const now = await this.#run();
    if (!now.ok) return now;
    if (now.value.attempt !== run.attempt) return ok("another attempt has begun");
    if (now.value.status === "completed") return ok("the experiment has ended");
    const pull = await this.#pull();
    if (!pull.ok) return pull;
    if (!pull.value.open) return ok("the pull request is closed");
    if (pull.value.headSha !== run.headSha) return ok("the pull request has moved on");
    if (names.pipeline === null) return ok(undefined);
    // A machine that waits for a run must not be the one that the run waits for.
    const jobs = await this.#jobs();
    if (!jobs.ok) return jobs;
    this.#starvedSince = isStarved(jobs.value) ? (this.#starvedSince ?? this.#now()) : undefined;
    const starved = this.#starvedSince !== undefined && this.#now() - this.#starvedSince >= PATIENCE_MS;
    return ok(starved ? "the experiment waits for a runner, and may have this one" : undefined);
  }

  /** Writes the comment where there is something new to tell; gives why there is nothing more to tell. */
  async #refresh(): Promise<Result<string | undefined>> {
    const { pull, names, run, coming } = this.#options;
    if ((this.#github.remaining ?? RESERVE) < RESERVE) {
      this.#note("few requests are left for this hour: nothing is refreshed");
      return ok(undefined);
    }
    const live = await this.#live();
    if (!live.ok) return live;
    const { markdown } = renderProgress(coming, run, { named: !pull.fork, live: live.value });
    if (markdown === this.#told) return ok(undefined);
    // Reading took a while: what has ended since has its report.
    const over = await this.#over();
    if (!over.ok || over.value !== undefined) return over;
    this.#unsure = true;
    const written = await writeProgress(this.#context, this.#github, markdown, { pull, names, run });
    const after = await this.#over();
    // A report begins after the end of its run: what goes on now has had none before the write.
    if (after.ok && after.value === undefined) this.#unsure = false;
    if (!written.ok) return written;
    if (written.value.superseded) return ok("a later run has written");
    if (written.value.url === null) return ok("the conversation is locked");
    this.#told = markdown;
    return after;
  }

  async #live(): ReturnType<typeof readLive> {
    const { names, run } = this.#options;
    if (names.pipeline === null) return readLive(this.#context, this.#github, run);
    const jobs = await this.#jobs();
    if (!jobs.ok) return jobs;
    return readLiveOfJobs(this.#context, this.#github, { ...run, pipeline: names.pipeline, jobs: jobs.value });
  }

  /**
   * Where the run ended, or a newer one came, while its progress was written, the report may have been there before.
   * The report writes its check after its comment: once that is there, the comment has to be as new.
   */
  async makeSure(): Promise<void> {
    if (!this.#unsure) return;
    const { pull, names, run } = this.#options;
    const until = this.#now() + SETTLE_MS;
    for (;;) {
      const current = await this.#pull();
      const headSha = current.ok ? current.value.headSha : run.headSha;
      const check = await findCheck(this.#github, { name: names.check, headSha, externalId: names.marker });
      const report = check.ok ? check.value : undefined;
      if (report?.order !== undefined && !isOlder(report.order, orderOf(run))) {
        const { order, summary } = report;
        const body = (before: string | undefined): string =>
          before === undefined || before.startsWith(RUNNING) ? summary : before;
        const mended = await upsertComment(this.#github, { issue: pull.number, marker: names.marker, body, order });
        if (mended.ok || !isPassing(mended)) return;
      }
      if (this.#now() >= until || this.#context.signal?.aborted) return;
      await this.#wait(Math.min(LOOK_MS, this.#options.every / 10));
    }
  }

  #now(): number {
    return this.#context.now().getTime();
  }

  #note(message: string): void {
    this.#context.emit({ type: "note", message });
  }
}

const isStarved = (jobs: readonly RunJob[]): boolean =>
  jobs.some(({ status }) => status === "queued") && !jobs.some(({ status }) => status === "in_progress");

/** True of what may be better later: a limit that is reached, a server that fails, a network that is down. */
function isPassing({ failures: [failure] }: Failed): boolean {
  if (failure.code === "external") return true;
  if (failure.code !== "github") return false;
  return (
    failure.status >= 500 || failure.status === 429 || (failure.status === 403 && /rate limit/i.test(failure.message))
  );
}
