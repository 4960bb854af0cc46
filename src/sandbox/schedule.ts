import { CronExpressionParser } from "cron-parser";
import type { Repository, World } from "./world.ts";
import { triggerOnDefaultBranch } from "./rest/events.ts";

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
    .flatMap((schedule) => dueTimes(schedule.cron, from, to, schedule.timezone).map((at) => ({ at, schedule })))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  for (const { at, schedule } of due) {
    const { repository, cron } = schedule;
    world.clock.moveTo(at);
    await triggerOnDefaultBranch(world, repository, {
      name: "schedule",
      payload: { schedule: cron, workflow: null },
      mover: { login: repository.owner, byJobToken: false },
      schedule: cron,
    });
  }
}
