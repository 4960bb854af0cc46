import { join } from "node:path";
import { fail, ok } from "../../src/core/index.ts";
import type { Context, Result } from "../../src/core/index.ts";
import { planJob, resultJob, stageJob } from "../../src/pipeline/index.ts";
import type { Experiment } from "../../src/pipeline/index.ts";
import { artifacts } from "../lib/parcels.ts";
import type { Action } from "../lib/start.ts";

export interface PartInputs {
  readonly part: "plan" | "stage" | "result";
  readonly pipelines: readonly string[] | undefined;
  readonly stage: string;
  readonly graph: string;
  readonly force: boolean;
}

/** One job of a compiled workflow. @returns the experiment, where it is the last job */
export async function runPart(
  action: Action,
  forGit: Context,
  { part, pipelines = [], stage, graph, force }: PartInputs,
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
      const ran = await stageJob(context, { ...options, stage, force });
      if (!ran.ok) return ran;
      action.output("changed", String(ran.value?.status === "run"));
      return ok(undefined);
    }
    case "result":
      return resultJob(context, options);
  }
}
