import { join } from "node:path";
import { fail, ok } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { planJob, progressParcel, resultJob, stageJob } from "../../src/pipeline/index.ts";
import type { Experiment } from "../../src/pipeline/index.ts";
import { artifacts } from "../lib/parcels.ts";
import type { Action } from "../lib/start.ts";
import { tellingProgress } from "./progress.ts";

export interface PartInputs {
  readonly part: "plan" | "stage" | "result";
  readonly pipelines: readonly string[] | undefined;
  readonly stage: string;
  readonly graph: string;
  readonly force: boolean;
  /** Milliseconds from one word of its progress to the next; null: none. */
  readonly progress: number | null;
}

/** One job of a compiled workflow. @returns the experiment, where it is the last job */
export async function runPart(
  action: Action,
  forGit: Context,
  { part, pipelines = [], stage, graph, force, progress }: PartInputs,
): Promise<Result<Experiment | undefined>> {
  const [pipeline, ...others] = pipelines;
  if (pipeline === undefined || others.length > 0)
    return fail({ code: "usage", message: "input `pipelines` has to name one pipeline where `part` is given" });
  const { context } = action;
  const options = { pipeline, parcels: artifacts, temp: join(action.temp, "lockstep"), forGit };
  switch (part) {
    case "plan": {
      const jobs = await planJob(context, { ...options, graph, force });
      if (!jobs.ok) return jobs;
      action.output("jobs", JSON.stringify(jobs.value));
      const { asksToMeasure } = await import("../../src/report/index.ts");
      action.output("measures", String(await asksToMeasure(context, pipeline)));
      return ok(undefined);
    }
    case "stage": {
      const work = async (telling: Context) => stageJob(telling, { ...options, stage, force });
      const ran = await tellingProgress(action, progress, work, progressParcel(stage));
      if (!ran.ok) return ran;
      action.output("changed", String(ran.value?.status === "run"));
      return ok(undefined);
    }
    case "result":
      return resultJob(context, options);
  }
}
