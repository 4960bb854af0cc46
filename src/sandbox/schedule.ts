import { CronExpressionParser } from "cron-parser";
import type { Repository, World } from "./world.ts";
import { branchHead } from "./repository/refs.ts";
import { repositoryJson, userJson } from "./rest/shape.ts";

/** One `on.schedule` entry of a workflow on a repository's default branch. */
export interface Schedule {
  readonly repository: Repository;
  readonly cron: string;
  /** IANA name; UTC when left out. */
  readonly timezone?: string;
}

/** Times in (from, to] at which a cron line is due, oldest first. Throws for a cron line that cannot be read. */
export function dueTimes(cron: string, from: Date, to: Date, timezone = "UTC"): Date[] {
  const times = CronExpressionParser.parse(cron, { currentDate: from, endDate: to, tz: timezone });
  const due: Date[] = [];
  while (times.hasNext()) due.push(times.next().toDate());
  return due;
}

/** Triggers every schedule that falls due, in order of time, with the clock standing at that time. */
export async function fireSchedules(world: World, schedules: readonly Schedule[], from: Date, to: Date): Promise<void> {
  const seen = new Set<string>();
  const due = schedules
    .filter(({ repository, cron, timezone }) => {
      // Two workflows with one cron line are one event: the executor starts both from it.
      const key = `${repository.owner}/${repository.name}\n${cron}\n${timezone ?? ""}`;
      return !seen.has(key) && seen.add(key);
    })
    .flatMap((schedule) =>
      dueTimes(schedule.cron, from, to, schedule.timezone).map((at) => ({ at, schedule })),
    )
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  for (const { at, schedule } of due) {
    const { repository, cron } = schedule;
    const head = await branchHead(repository, repository.defaultBranch);
    if (head === undefined) continue;
    world.clock.moveTo(at);
    world.trigger({
      name: "schedule",
      repository: `${repository.owner}/${repository.name}`,
      payload: {
        schedule: cron,
        repository: repositoryJson(world, repository),
        sender: userJson(world, repository.owner),
        workflow: null,
      },
      ref: `refs/heads/${repository.defaultBranch}`,
      sha: head,
      headSha: head,
      headBranch: repository.defaultBranch,
      headRepository: `${repository.owner}/${repository.name}`,
      actor: repository.owner,
      schedule: cron,
      byJobToken: false,
    });
  }
}
