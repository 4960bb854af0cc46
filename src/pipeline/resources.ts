import { availableParallelism } from "node:os";
import type { Context, Failure } from "../core/index.ts";
import type { Amounts } from "./schedule.ts";
import type { Pipeline } from "./stage.ts";

/** Stages at once. */
export const JOBS = "job";

/**
 * What there is: as many jobs and processors as the machine has, the GPUs that CUDA may see, and what was said. Of what
 * nobody knows there is as much as the stage that wants most needs: it runs alone.
 */
export function amountsOf(
  { env }: Context,
  { pipeline, jobs, resources }: { readonly pipeline: Pipeline; readonly jobs?: number; readonly resources?: Amounts },
): Amounts {
  const most: Record<string, number> = { cpu: availableParallelism() };
  for (const { resources: wants } of pipeline.stages) {
    for (const [name, amount] of Object.entries(wants)) most[name] = Math.max(most[name] ?? 1, amount);
  }
  const visible = env["CUDA_VISIBLE_DEVICES"]?.split(",").filter((device) => device.trim() !== "");
  const gpu = visible === undefined ? {} : { gpu: visible.length };
  return { ...most, ...gpu, ...resources, [JOBS]: Math.max(1, jobs ?? availableParallelism()) };
}

/** Stages that would wait for ever: they want more than there is. */
export function tooMuch({ stages }: Pipeline, amounts: Amounts): Failure[] {
  return stages.flatMap(({ name, resources }) =>
    Object.entries(resources).flatMap(([resource, wanted]): Failure[] => {
      const there = amounts[resource] ?? 1;
      if (wanted <= there) return [];
      const message = `stage "${name}" wants ${wanted} ${resource}, and there ${there === 1 ? "is" : "are"} ${there}`;
      return [{ code: "usage", message, hint: `say what this machine has: --resources ${resource}=${wanted}` }];
    }),
  );
}
