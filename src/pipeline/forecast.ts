import type { Settings } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { loadSettings } from "../records/index.ts";
import type { Records } from "../records/index.ts";
import type { Plan } from "./plan.ts";
import { amountsOf, JOBS } from "./resources.ts";
import type { Amounts } from "./schedule.ts";
import type { Pipeline, Stage } from "./stage.ts";

/** What is to be expected of a stage that will run, from what it took before. */
export interface Expected {
  /** Milliseconds: the median; null where it has never run. */
  readonly ms: number | null;
  /** Runs that the median is of: the newest ones. */
  readonly runs: number;
  /** In the currency of the settings; null without a rate for its runner, or a duration. Whole minutes are not rounded to. */
  readonly cost: number | null;
}

export interface Forecast {
  /** Of the stages that will run. */
  readonly stages: ReadonlyMap<string, Expected>;
  /** Milliseconds of all stages, one after the other; of those that are known. */
  readonly work: number;
  /** Milliseconds from start to end with as many jobs at once. */
  readonly wall: number;
  readonly jobs: number;
  /** Null: no stage has one. */
  readonly cost: number | null;
  readonly currency: string | null;
  /** Stages that nothing is known of: they count as nothing in the sums. */
  readonly unknown: readonly string[];
}

/** Runs that a median is taken of: what a stage took a year ago says little. */
const NEWEST = 50;
const HOUR_MS = 3_600_000;

export interface ForecastOptions {
  readonly source: Source;
  readonly pipeline: Pipeline;
  readonly records: Records;
  readonly jobs?: number;
}

/** How long the stages of a plan will take and what they will cost, from the runs that are known here. */
export async function forecast(context: Context, plan: Plan, options: ForecastOptions): Promise<Result<Forecast>> {
  const { pipeline, jobs } = options;
  const settings = await loadSettings(options.source);
  if (!settings.ok) return settings;
  const willRun = new Set(plan.stages.filter(({ action }) => action === "run").map(({ stage }) => stage));
  const durations = willRun.size === 0 ? ok(new Map<string, number[]>()) : await pastDurations(options);
  if (!durations.ok) return durations;
  const stages = new Map<string, Expected>();
  for (const stage of pipeline.stages.filter(({ name }) => willRun.has(name))) {
    const past = durations.value.get(stage.name) ?? [];
    const ms = past.length === 0 ? null : median(past);
    stages.set(stage.name, {
      ms,
      runs: past.length,
      cost: ms === null ? null : costOf(stage, ms, settings.value),
    });
  }
  const amounts = amountsOf(context, { pipeline, ...(jobs === undefined ? {} : { jobs }) });
  const known = [...stages.values()];
  const costs = known.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  return ok({
    stages,
    work: known.reduce((sum, { ms }) => sum + (ms ?? 0), 0),
    wall: wallOf(
      pipeline.stages.map(({ name, needs, resources }) => ({
        name,
        needs,
        ms: stages.get(name)?.ms ?? 0,
        wants: stages.has(name) ? { ...resources, [JOBS]: 1 } : {},
      })),
      amounts,
    ),
    jobs: amounts[JOBS] ?? 1,
    cost: costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0),
    currency: settings.value?.cost?.currency ?? null,
    unknown: [...stages].flatMap(([name, { ms }]) => (ms === null ? [name] : [])),
  });
}

/** Stage -> milliseconds, newest first. A stranger's runs say nothing. */
async function pastDurations({ records, pipeline }: ForecastOptions): Promise<Result<Map<string, number[]>>> {
  const runs = await records.list();
  if (!runs.ok) return runs;
  const durations = new Map<string, number[]>();
  for (const run of runs.value) {
    if (run.pipeline !== pipeline.name || (run.standing === "untrusted" && run.place !== "here")) continue;
    for (const [stage, ms] of Object.entries(run.stages)) {
      const known = durations.get(stage) ?? [];
      if (known.length < NEWEST) durations.set(stage, [...known, ms]);
    }
  }
  return ok(durations);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** What so many milliseconds of a stage cost, in the currency of the settings; null without a rate for its runner. */
export function costOf(stage: Stage, ms: number, settings: Settings | undefined): number | null {
  const rate = rateOf(stage, settings);
  return rate === undefined ? null : (ms / HOUR_MS) * rate;
}

/** Per hour: the dearest rate of the labels of its runner, else that of `gpu` or `cpu`. */
function rateOf({ runsOn, resources }: Stage, settings: Settings | undefined): number | undefined {
  const rates = settings?.cost?.per_hour ?? {};
  const kind = (resources["gpu"] ?? 0) > 0 ? "gpu" : "cpu";
  const runner = settings?.runners?.[kind] ?? [];
  const usual = typeof runner === "string" ? [runner] : runner;
  const labels = runsOn.length > 0 ? runsOn : usual;
  const found = labels.flatMap((label) => (Object.hasOwn(rates, label) ? [rates[label] as number] : []));
  if (found.length > 0) return Math.max(...found);
  return Object.hasOwn(rates, kind) ? rates[kind] : undefined;
}

interface Task {
  readonly name: string;
  readonly needs: readonly string[];
  readonly ms: number;
  readonly wants: Amounts;
}

/** Milliseconds until the last task ends, each starting as soon as what it needs is done and what it wants is free. */
export function wallOf(tasks: readonly Task[], amounts: Amounts): number {
  const free = new Map(Object.entries(amounts));
  const left = (name: string): number => free.get(name) ?? 1;
  const change = (wants: Amounts, sign: 1 | -1): void => {
    for (const [name, amount] of Object.entries(wants)) free.set(name, left(name) + sign * amount);
  };
  const done = new Set<string>();
  let waiting = [...tasks];
  let running: (Task & { readonly until: number })[] = [];
  let now = 0;
  for (;;) {
    const still: Task[] = [];
    for (const task of waiting) {
      const ready = task.needs.every((name) => done.has(name));
      if (ready && Object.entries(task.wants).every(([name, amount]) => amount <= left(name))) {
        change(task.wants, -1);
        running.push({ ...task, until: now + task.ms });
      } else still.push(task);
    }
    waiting = still;
    if (running.length === 0) return now;
    now = Math.min(...running.map(({ until }) => until));
    for (const task of running.filter(({ until }) => until === now)) {
      change(task.wants, 1);
      done.add(task.name);
    }
    running = running.filter(({ until }) => until !== now);
  }
}
