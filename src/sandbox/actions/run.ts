import { ok, type Failure, type Result } from "../../core/index.ts";
import { githubContext } from "./contexts.ts";
import { dispatchInputs } from "./dispatch.ts";
import { text, type Contexts, type Value } from "./evaluate.ts";
import { combine, jobStatus, needsContext, type JobOutcome } from "./graph.ts";
import { runTemplate } from "./instances.ts";
import type { RunState } from "./runstate.ts";
import { loadWorkflow } from "./source.ts";
import type { JobTemplate, Workflow } from "./workflow.ts";

function finish(state: RunState, conclusion: JobOutcome["result"]): void {
  state.run.status = "completed";
  state.run.conclusion = conclusion;
  state.touch();
}

/** A run that cannot begin: one job, named by the file, says why. */
function refuse(state: RunState, failures: readonly Failure[]): void {
  state.failJob(state.newJob(state.run.path, {}), failures, "Invalid workflow file");
  finish(state, "failure");
}

function inputsOf(state: RunState, workflow: Workflow): Result<Record<string, Value>> {
  const { event, payload } = state.run;
  if (event !== "workflow_dispatch") return ok({});
  const inputs = dispatchInputs(workflow, (payload["inputs"] ?? {}) as Record<string, unknown>);
  if (!inputs.ok) return inputs;
  // `github.event.inputs` has them all, as text.
  payload["inputs"] = Object.fromEntries(Object.entries(inputs.value).map(([name, value]) => [name, text(value)]));
  return inputs;
}

async function runJobs(state: RunState, workflow: Workflow, contexts: Contexts): Promise<void> {
  const outcomes = new Map<string, JobOutcome>();
  const started = new Map<string, Promise<void>>();
  const start = async (template: JobTemplate): Promise<void> => {
    await Promise.all(template.needs.map(async (id) => started.get(id)));
    const now = () => jobStatus(workflow.jobs, template, outcomes, state.cancelled);
    const needs = needsContext(template, outcomes);
    outcomes.set(template.id, await runTemplate(state, workflow, template, { ...contexts, needs }, now));
  };
  // A job may stand above those it needs: begin each only once those are begun.
  const waiting = [...workflow.jobs];
  while (waiting.length > 0) {
    const ready = waiting.findIndex((job) => job.needs.every((id) => started.has(id)));
    const [template] = ready < 0 ? [] : waiting.splice(ready, 1);
    if (template === undefined) throw new Error("the jobs of a workflow wait for each other");
    started.set(template.id, start(template));
  }
  await Promise.all(started.values());
  for (const event of workflow.silent) {
    const message = `The sandbox has no \`${event}\` events: nothing there ever starts this workflow.`;
    state.run.jobs[0]?.annotations.push({ level: "warning", message, file: workflow.path });
  }
}

/** Executes one attempt of a workflow run, from its place in the queue to its conclusion. Never rejects. */
export async function executeRun(state: RunState): Promise<void> {
  try {
    await attempt(state);
  } catch (error) {
    // A bug of the sandbox: it must neither end the server nor leave the run unfinished.
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const job of state.run.jobs.filter(({ status }) => status !== "completed")) state.closeJob(job, "failure");
    refuse(state, [{ code: "external", what: "internal error of the sandbox", problem, cause: error }]);
  }
}

async function attempt(state: RunState): Promise<void> {
  const { run, repository, shared } = state;
  const workflow = await loadWorkflow(repository, run.sha, run.path);
  const inputs = workflow.ok ? inputsOf(state, workflow.value) : workflow;
  if (!workflow.ok || !inputs.ok) return refuse(state, inputs.ok ? [] : inputs.failures);
  const contexts: Contexts = {
    github: githubContext(shared.world, repository, run),
    vars: { ...repository.variables },
    inputs: inputs.value,
  };
  const place = await state.enter(workflow.value.concurrency, { file: run.path, contexts }, () => state.cancel());
  if (!("admitted" in place)) return refuse(state, place);
  if (place.admitted) {
    state.begin();
    await runJobs(state, workflow.value, contexts);
  }
  place.leave();
  const counted = run.jobs.map((job) => (state.forgiven.has(job) ? "success" : job.conclusion));
  finish(state, state.cancelled || !place.admitted ? "cancelled" : combine(counted));
}
