import { join } from "node:path";
import type { Job, Permissions } from "../world.ts";
import { evaluate, evaluateToken, text, truthy, type Contexts, type Scope, type Value } from "./evaluate.ts";
import { combine, type JobOutcome } from "./graph.ts";
import { runJob } from "./job.ts";
import { JobMachine } from "./machine.ts";
import { combinationSuffix, expandMatrix, type Combination } from "./matrix.ts";
import { effectivePermissions } from "./permissions.ts";
import type { RunState } from "./runstate.ts";
import { Slots } from "./slots.ts";
import { statusFunctions, type Status } from "./status.ts";
import { fields } from "./template.ts";
import type { JobTemplate, Workflow } from "./workflow.ts";

/** The combinations of one job of the file, which may end each other. */
interface Group {
  readonly state: RunState;
  readonly workflow: Workflow;
  readonly template: JobTemplate;
  readonly permissions: Permissions;
  readonly failFast: boolean;
  /** Places for `max-parallel`. */
  readonly places: Slots;
  readonly machines: Set<JobMachine>;
  /** Whether the job's `if` still holds; it is asked again after a wait. */
  readonly holds: () => boolean;
  stopped: boolean;
}

const FAILED: JobOutcome = { result: "failure", outputs: {} };

function displayName(template: JobTemplate, combination: Combination, scope: Scope): string {
  const given = evaluateToken(template.name, scope);
  const name = given.ok && text(given.value) !== "" ? text(given.value) : template.id;
  return template.name?.isExpression === true ? name : `${name}${combinationSuffix(combination)}`;
}

async function onRunner(group: Group, job: Job, contexts: Contexts, slot: number): Promise<void> {
  const { state, workflow, template, permissions } = group;
  const { shared, repository, run } = state;
  const { world } = shared;
  const token = world.mintToken({
    repository: `${repository.owner}/${repository.name}`,
    permissions,
    runId: run.id,
    jobId: job.id,
  });
  const machine = new JobMachine({
    world,
    repository,
    run,
    job,
    slotFolder: join(shared.runnerDir, String(slot)),
    slotName: `sandbox-${slot}`,
    inherited: shared.inherited,
    folders: shared.folders,
    token,
    secrets: state.fromFork ? {} : repository.secrets,
    contexts: {
      ...contexts,
      github: { ...(contexts["github"] as Record<string, Value>), job: template.id },
    },
    cacheMode: template.cacheMode ?? workflow.cacheMode,
  });
  job.status = "in_progress";
  job.startedAt = world.clock.timestamp();
  state.machines.add(machine);
  group.machines.add(machine);
  state.touch();
  try {
    state.closeJob(job, await runJob(machine, workflow, template));
  } finally {
    state.machines.delete(machine);
    group.machines.delete(machine);
    world.revokeToken(token);
  }
}

async function runCombination(group: Group, combination: Combination, contexts: Contexts): Promise<JobOutcome> {
  const { state, template, places } = group;
  const scope: Scope = { file: state.run.path, contexts };
  const job = state.newJob(displayName(template, combination, scope), group.permissions);
  for (const token of [template.name, template.runsOn]) {
    const value = evaluateToken(token, scope);
    if (value.ok) continue;
    state.failJob(job, value.failures);
    return FAILED;
  }
  const turn = await places.take();
  let stoppedByGroup = false;
  const place = await state.enter(template.concurrency, scope, () => {
    stoppedByGroup = true;
    for (const machine of state.machines) if (machine.job === job) machine.cancel();
  });
  if (!("admitted" in place)) {
    places.give(turn);
    state.failJob(job, place);
    return FAILED;
  }
  const slot = await state.shared.slots.take();
  try {
    if (!place.admitted || stoppedByGroup || group.stopped || !group.holds()) state.closeJob(job, "cancelled");
    else await onRunner(group, job, contexts, slot);
  } finally {
    state.shared.slots.give(slot);
    place.leave();
    places.give(turn);
  }
  const forgiven = evaluateToken(template.continueOnError, scope);
  const result = combine([job.conclusion]);
  if (result === "failure" && forgiven.ok && truthy(forgiven.value)) {
    state.forgiven.add(job);
    return { result: "success", outputs: job.outputs };
  }
  if (result === "failure" && group.failFast) {
    group.stopped = true;
    for (const machine of group.machines) machine.cancel();
  }
  return { result, outputs: job.outputs };
}

/** Runs one job of the file in all its combinations, or says why it does not run. `now` is how its needs stand. */
export async function runTemplate(
  state: RunState,
  workflow: Workflow,
  template: JobTemplate,
  contexts: Contexts,
  now: () => Status,
): Promise<JobOutcome> {
  const file = state.run.path;
  const scope: Scope = { file, contexts };
  const permissions = effectivePermissions(workflow.permissions, template.permissions, state.fromFork);
  const named = (): Job =>
    state.newJob(displayName(template, {}, { file, contexts: { ...contexts, strategy: {}, matrix: {} } }), permissions);
  const condition = () => evaluate(template.condition, { ...scope, functions: statusFunctions(now()) });
  const first = condition();
  const strategy = evaluateToken(template.strategy, scope);
  if (first.ok && !truthy(first.value)) {
    state.closeJob(named(), state.cancelled ? "cancelled" : "skipped");
    return { result: state.cancelled ? "cancelled" : "skipped", outputs: {} };
  }
  if (!first.ok || !strategy.ok) {
    state.failJob(named(), first.ok ? (strategy.ok ? [] : strategy.failures) : first.failures);
    return FAILED;
  }
  const given = (strategy.value ?? {}) as Record<string, Value>;
  const { matrix = null, "fail-fast": failFast = true, "max-parallel": limit } = given;
  const range = fields(template.strategy).get("matrix")?.range ?? template.token.range;
  const at = { file, line: range?.start.line ?? 1, column: range?.start.column ?? 1 };
  const combinations = expandMatrix(matrix, at);
  if (!combinations.ok) {
    state.failJob(named(), combinations.failures);
    return FAILED;
  }
  const total = combinations.value.length;
  const maxParallel = typeof limit === "number" && limit > 0 ? limit : total;
  const group: Group = {
    state,
    workflow,
    template,
    permissions,
    failFast: truthy(failFast) && total > 1,
    places: new Slots(maxParallel),
    machines: new Set(),
    holds: () => {
      const value = condition();
      return value.ok && truthy(value.value);
    },
    stopped: false,
  };
  const shared = { "fail-fast": truthy(failFast), "job-total": total, "max-parallel": maxParallel };
  const results = await Promise.all(
    combinations.value.map(async (combination, index) =>
      runCombination(group, combination, {
        ...contexts,
        matrix: matrix === null ? null : combination,
        strategy: { ...shared, "job-index": index },
      }),
    ),
  );
  return {
    result: combine(results.map(({ result }) => result)),
    outputs: Object.assign({}, ...results.map(({ outputs }) => outputs)) as Record<string, string>,
  };
}
