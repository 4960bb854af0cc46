import type { BegunStage } from "../config/index.ts";
import { count, formatTime, formatValue } from "./format.ts";
import type { Live } from "./live.ts";
import { code } from "./markdown.ts";
import type { Coming } from "./progress.ts";

/** Running stages that are told with their numbers, and numbers of one. */
const MOST_STAGES = 3;
const MOST_NUMBERS = 8;

/** How far the stages of a plan are; what is said of others is nobody's concern. */
export class Seen {
  readonly #stages: ReadonlyMap<string, BegunStage>;
  readonly #at: string | null;
  readonly #started: string;

  constructor(coming: readonly Coming[], live: Live, started: string) {
    const known = new Set(coming.flatMap(({ plan }) => plan.stages.map(({ stage }) => id(plan.pipeline, stage))));
    const stages = live.stages.map((one) => [id(one.pipeline, one.stage), one] as const);
    this.#stages = new Map(stages.filter(([key]) => known.has(key)));
    this.#at = live.at;
    this.#started = started;
  }

  of(pipeline: string, stage: string): BegunStage | undefined {
    return this.#stages.get(id(pipeline, stage));
  }

  /** For a table's cell. */
  word(pipeline: string, stage: string): string {
    const begun = this.of(pipeline, stage);
    if (begun === undefined) return "–";
    if (begun.status === "running") return `**running** since ${this.#clock(begun.startedAt)}`;
    return begun.ms === null ? begun.status : `${begun.status}, ${formatTime(begun.ms)}`;
  }

  /** One line; undefined while nothing has begun. Unless `named`, it holds no name. */
  line(toRun: number, named: boolean): string | undefined {
    const all = [...this.#stages.values()];
    if (all.length === 0) return undefined;
    const [running, failed] = (["running", "failed"] as const).map((status) =>
      all.filter((stage) => stage.status === status),
    ) as [BegunStage[], BegunStage[]];
    const ended = `${all.length - running.length} of ${Math.max(toRun, all.length)} ended`;
    const parts = [failed.length === 0 ? ended : `${ended} (${count(failed.length, "failure")})`];
    if (named) parts.push(...running.slice(0, MOST_STAGES).map((stage) => this.#told(stage)));
    const more = named ? running.length - MOST_STAGES : running.length;
    if (more > 0) parts.push(`${named ? `${more} more` : more} running`);
    const seen = this.#at === null ? "" : ` Seen at ${this.#clock(this.#at)} UTC.`;
    return `${parts.join("; ")}.${seen}`;
  }

  #told({ stage, startedAt, metrics }: BegunStage): string {
    const numbers = Object.values(metrics).flatMap((file) => Object.entries(file));
    const shown = numbers
      .slice(0, MOST_NUMBERS)
      .map(([name, number]) => `${code(name, 40)} ${formatValue(number)}`)
      .join(", ");
    return `${code(stage, 60)} is running since ${this.#clock(startedAt)}${shown === "" ? "" : `: ${shown}`}`;
  }

  /** The time of day in UTC, with the day where it is another than that of the beginning. */
  #clock(at: string): string {
    const [day, time] = [at.slice(0, 10), at.slice(11, 16)];
    return day === this.#started.slice(0, 10) ? time : `${day} ${time}`;
  }
}

const id = (pipeline: string, stage: string): string => `${pipeline}\n${stage}`;
