import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PROGRESS } from "../../src/config/index.ts";
import type { ProgressDocument } from "../../src/config/index.ts";
import { attempt } from "../../src/core/index.ts";
import type { Context } from "../../src/core/index.ts";
import { LiveProgress } from "../../src/pipeline/index.ts";
import { sendFolder } from "../lib/parcels.ts";
import type { Action } from "../lib/start.ts";

/** It is told no oftener than in this part of the time that it has taken: a job has at most 500 artifacts. */
const PART = 1 / 50;

/**
 * Works, and leaves meanwhile, as an artifact of the run, how far it is: after each half of `every` ms (null: never),
 * so that what is read of it so often is at most as old, and only where there is something new. What goes wrong with that
 * is noted, and the work goes on.
 */
export async function tellingProgress<T>(
  action: Action,
  every: number | null,
  work: (context: Context) => Promise<T>,
  name: string = PROGRESS,
): Promise<T> {
  const { context, temp, order } = action;
  if (every === null) return work(context);
  const live = new LiveProgress(context);
  const ended = new AbortController();
  const tell = async (): Promise<void> => {
    const folder = join(temp, name);
    const begun = context.now().getTime();
    let told = "[]";
    for (;;) {
      const lasted = context.now().getTime() - begun;
      await pause(Math.max(every / 2, lasted * PART), undefined, { signal: ended.signal });
      const stages = await live.stages();
      if (JSON.stringify(stages) === told || ended.signal.aborted) continue;
      const at = context.now().toISOString();
      const document: ProgressDocument = { progressVersion: 1, attempt: order.attempt, at, stages };
      const written = await attempt(folder, async () => {
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, `${PROGRESS}.json`), JSON.stringify(document));
      });
      const sent = written.ok ? await sendFolder(name, folder, { retentionDays: 1 }) : written;
      if (sent.ok) told = JSON.stringify(stages);
      else context.emit({ type: "note", message: "the progress could not be left for the report; the run goes on" });
    }
  };
  // It ends by the abort of its pause.
  tell().catch((error: unknown) => {
    if (!ended.signal.aborted) context.emit({ type: "warning", message: `progress is not told on: ${String(error)}` });
  });
  const emit: Context["emit"] = (event) => {
    live.hear(event);
    context.emit(event);
  };
  try {
    return await work({ ...context, emit });
  } finally {
    ended.abort();
  }
}
