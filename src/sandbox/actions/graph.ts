import type { Conclusion } from "../world.ts";
import type { Status } from "./status.ts";
import type { Value } from "./evaluate.ts";
import type { JobTemplate } from "./workflow.ts";

/** What became of a job of the file, all its matrix combinations taken together. */
export interface JobOutcome {
  readonly result: "success" | "failure" | "cancelled" | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
}

export type Outcomes = ReadonlyMap<string, JobOutcome>;

/** The jobs that a job waits for, directly and through others. */
export function ancestors(jobs: readonly JobTemplate[], template: JobTemplate): Set<string> {
  const found = new Set<string>();
  const visit = (needs: readonly string[]): void => {
    for (const id of needs.filter((need) => !found.has(need))) {
      found.add(id);
      visit(jobs.find((job) => job.id === id)?.needs ?? []);
    }
  };
  visit(template.needs);
  return found;
}

/** How things stand for a job's `if`: a job before it that was skipped is no success. */
export function jobStatus(
  jobs: readonly JobTemplate[],
  template: JobTemplate,
  outcomes: Outcomes,
  cancelled: boolean,
): Status {
  const results = [...ancestors(jobs, template)].map((id) => outcomes.get(id)?.result);
  return {
    success: results.every((result) => result === "success"),
    failure: results.includes("failure"),
    cancelled,
  };
}

/** The `needs` context. */
export function needsContext(template: JobTemplate, outcomes: Outcomes): Value {
  return Object.fromEntries(
    template.needs.map((id) => {
      const outcome = outcomes.get(id);
      return [id, { result: outcome?.result ?? "skipped", outputs: { ...outcome?.outputs } }];
    }),
  );
}

/** One conclusion for several jobs, or for the combinations of one. */
export function combine(conclusions: readonly (Conclusion | null)[]): JobOutcome["result"] {
  if (conclusions.some((conclusion) => conclusion === "failure" || conclusion === "timed_out")) return "failure";
  if (conclusions.includes("cancelled")) return "cancelled";
  if (conclusions.length > 0 && conclusions.every((conclusion) => conclusion === "skipped")) return "skipped";
  return "success";
}
