import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BegunStage } from "../config/index.ts";
import type { Context, ProgressEvent, RelativePath } from "../core/index.ts";
import { parseMetrics } from "./metrics.ts";

/** What is said fits into the document that leaves the job; of more stages the newest are told. */
const MOST_STAGES = 100;
/** Numbers of one stage. */
const MOST_NUMBERS = 20;
/** Bytes of a metrics file that is looked at while its stage goes on. */
const MOST_BYTES = 64 * 1024;

interface Begun {
  stage: BegunStage;
  /** Its metrics files. */
  readonly files: readonly RelativePath[];
}

/** Hears what a run tells of its stages, to say at any time how far it is. */
export class LiveProgress {
  readonly #begun: Begun[] = [];
  readonly #context: Pick<Context, "cwd" | "now">;

  constructor(context: Pick<Context, "cwd" | "now">) {
    this.#context = context;
  }

  /** Takes one event; those that are not about a stage are passed over. */
  readonly hear = (event: ProgressEvent): void => {
    if (event.type === "stage-started") {
      const { pipeline, stage, metrics: files } = event;
      const startedAt = this.#context.now().toISOString();
      this.#begun.push({ stage: { pipeline, stage, status: "running", startedAt, ms: null, metrics: {} }, files });
    }
    if (event.type !== "stage-ended") return;
    const known = this.#begun.findLast(({ stage }) => stage.stage === event.stage && stage.status === "running");
    if (known !== undefined) {
      known.stage = { ...known.stage, status: event.ok ? "done" : "failed", ms: Math.round(event.ms), metrics: {} };
    }
  };

  /** How far the run is now, with the numbers that the metrics files of running stages hold. */
  async stages(): Promise<BegunStage[]> {
    for (const begun of this.#begun) {
      if (begun.stage.status !== "running") continue;
      // oxlint-disable-next-line no-await-in-loop -- a handful of small files, after minutes
      const metrics = await this.#numbers(begun);
      // It may have ended meanwhile.
      if (begun.stage.status === "running") begun.stage = { ...begun.stage, metrics };
    }
    return this.#begun.slice(-MOST_STAGES).map(({ stage }) => stage);
  }

  /** A file that is half written has what it had before, one that is not there yet nothing. */
  async #numbers({ stage, files }: Begun): Promise<BegunStage["metrics"]> {
    let room = MOST_NUMBERS;
    const found: BegunStage["metrics"] = {};
    for (const file of files) {
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await small(join(this.#context.cwd, file));
      // oxlint-disable-next-line no-await-in-loop
      const read = bytes === undefined ? undefined : await parseMetrics(file, bytes);
      const numbers = read?.ok ? Object.entries(read.value) : Object.entries(stage.metrics[file] ?? {});
      if (numbers.length > 0 && room > 0) found[file] = Object.fromEntries(numbers.slice(0, room));
      room -= numbers.length;
    }
    return found;
  }
}

/** The bytes of a plain file of a moderate size; undefined for anything else. */
async function small(path: string): Promise<Buffer | undefined> {
  try {
    const there = await lstat(path);
    return there.isFile() && there.size <= MOST_BYTES ? await readFile(path) : undefined;
  } catch {
    return undefined;
  }
}
