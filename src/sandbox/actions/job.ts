import type { Conclusion, Step } from "../world.ts";
import { evaluateToken, text, texts, type Value } from "./evaluate.ts";
import { complain, displayName, executeStep, type StepContext } from "./execute.ts";
import { scopeOf } from "./frame.ts";
import { StepLog } from "./log.ts";
import type { JobMachine } from "./machine.ts";
import { killOrphans } from "./process.ts";
import type { StepTemplate, UsesStep } from "./steps.ts";
import { MAX_DEPTH, phaseHolds, prepareAction, runPre } from "./uses.ts";
import type { JobTemplate, Workflow } from "./workflow.ts";

/** https://docs.github.com/actions/reference/limits */
const OUTPUTS_LIMIT = 1024 * 1024;
const DEFAULT_TIMEOUT_MINUTES = 360;

/** The steps of a job as they are shown: each is added when its turn comes. */
class StepList {
  readonly #machine: JobMachine;

  constructor(machine: JobMachine) {
    this.#machine = machine;
  }

  /** Shows one more step, runs `work`, and closes it with what that gives. */
  async step(
    name: string,
    work: (log: StepLog, step: Step) => Promise<Step["conclusion"]>,
  ): Promise<Step["conclusion"]> {
    const { job, world, masker } = this.#machine;
    const step: Step = {
      number: job.steps.length + 1,
      name,
      status: "in_progress",
      conclusion: null,
      startedAt: world.clock.timestamp(),
      completedAt: null,
      summary: "",
      log: "",
    };
    job.steps.push(step);
    world.touch();
    step.conclusion = await work(new StepLog(step, job, masker, () => world.touch()), step);
    step.status = "completed";
    step.completedAt = world.clock.timestamp();
    world.touch();
    return step.conclusion;
  }
}

const mapping = (value: Value): Record<string, Value> =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, Value>) : {};

/** Evaluates what stands above the steps: variables and defaults. */
function setUp(machine: JobMachine, workflow: Workflow, template: JobTemplate, log: StepLog): boolean {
  const { run, slotName, job } = machine.options;
  log.write(`Runner name: '${slotName}'`);
  log.write("##[group]GITHUB_TOKEN Permissions");
  for (const [scope, level] of Object.entries(job.permissions)) if (level !== "none") log.write(`${scope}: ${level}`);
  log.write("##[endgroup]");
  log.write(`Workflow file: ${run.path} at ${run.sha}`);
  const scope = () => scopeOf(machine, machine.jobFrame);
  for (const token of [workflow.env, template.env]) {
    const env = evaluateToken(token, scope());
    if (!env.ok) {
      complain(log, env.failures);
      return false;
    }
    machine.env = { ...machine.env, ...texts(env.value) };
  }
  for (const token of [workflow.defaults, template.defaults, template.environment]) {
    const value = evaluateToken(token, scope());
    if (!value.ok) {
      complain(log, value.failures);
      return false;
    }
    if (token === template.environment) continue;
    const given = texts(mapping(value.value)["run"] ?? null);
    const { shell, "working-directory": workingDirectory } = given;
    machine.runDefaults = {
      ...machine.runDefaults,
      ...(shell === undefined ? {} : { shell }),
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
    };
  }
  log.write(`Complete job name: ${job.name}`);
  return true;
}

/** Actions from other repositories are read before the first step; those among them with a `pre` come back. */
async function prepareActions(
  machine: JobMachine,
  steps: readonly StepTemplate[],
  log: StepLog,
  depth = 0,
): Promise<UsesStep[] | undefined> {
  const withPre: UsesStep[] = [];
  for (const step of steps) {
    if (step.kind !== "uses" || step.uses.startsWith("./")) continue;
    const prepared = await prepareAction(machine, machine.jobFrame, step);
    if (!prepared.ok) {
      complain(log, prepared.failures);
      return undefined;
    }
    log.write(`Use action '${step.uses}'`);
    const { runs } = prepared.value.action;
    if (runs.kind === "node" && runs.pre !== undefined) withPre.push(step);
    // An action that uses itself fails when it runs.
    if (runs.kind === "composite" && depth < MAX_DEPTH) {
      const inner = await prepareActions(machine, runs.steps, log, depth + 1);
      if (inner === undefined) return undefined;
      withPre.push(...inner);
    }
  }
  return withPre;
}

async function runPres(machine: JobMachine, list: StepList, steps: readonly UsesStep[]): Promise<void> {
  for (const step of steps) {
    const prepared = machine.prepared.get(step);
    if (prepared?.action.runs.kind !== "node") continue;
    if (!phaseHolds(machine, machine.jobFrame, prepared.action.runs.preIf)) continue;
    await list.step(`Pre ${displayName(machine, machine.jobFrame, step)}`, async (log) => {
      const { value: fine } = await machine.interruptible(undefined, undefined, async (signal) => {
        const context: StepContext = {
          machine,
          frame: machine.jobFrame,
          step,
          log,
          env: {},
          signal,
          outputs: {},
        };
        return runPre(context, step, prepared);
      });
      if (!fine) machine.failed = machine.jobFrame.failed = true;
      return fine ? "success" : "failure";
    });
  }
}

async function runSteps(machine: JobMachine, list: StepList, steps: readonly StepTemplate[]): Promise<void> {
  const frame = machine.jobFrame;
  for (const step of steps) {
    await list.step(displayName(machine, frame, step), async (log) => {
      const { conclusion, outcome } = await executeStep(machine, frame, step, () => log);
      if (outcome === "failure" && conclusion === "success")
        log.write("##[warning]The step failed; continue-on-error lets the job go on.");
      return conclusion;
    });
  }
}

async function runPosts(machine: JobMachine, list: StepList): Promise<void> {
  for (const post of machine.posts.toReversed()) {
    if (!post.holds()) continue;
    await list.step(post.name, async (log) => {
      const fine = await post.run(log);
      if (!fine) machine.failed = machine.jobFrame.failed = true;
      return fine ? "success" : "failure";
    });
  }
}

function setOutputs(machine: JobMachine, template: JobTemplate, log: StepLog): void {
  const outputs = evaluateToken(template.outputs, scopeOf(machine, machine.jobFrame));
  if (!outputs.ok) {
    complain(log, outputs.failures);
    machine.failed = true;
    return;
  }
  let size = 0;
  for (const [name, value] of Object.entries(mapping(outputs.value))) {
    const output = text(value);
    size += output.length * 2;
    if (machine.masker.holds(output)) {
      log.annotate("warning", `Skip output '${name}' since it may contain secret.`);
    } else if (size > OUTPUTS_LIMIT) {
      log.annotate("failure", `The outputs of a job are at most ${OUTPUTS_LIMIT} bytes; '${name}' is too much.`);
      machine.failed = true;
    } else if (output !== "") machine.job.outputs[name] = output;
  }
}

/** Does one job on its machine, from setting up to ending what it left running. */
export async function runJob(machine: JobMachine, workflow: Workflow, template: JobTemplate): Promise<Conclusion> {
  const list = new StepList(machine);
  let pres: UsesStep[] | undefined;
  let minutes = DEFAULT_TIMEOUT_MINUTES;
  const ready = await list.step("Set up job", async (log) => {
    if (!setUp(machine, workflow, template, log)) return "failure";
    const given = evaluateToken(template.timeoutMinutes, scopeOf(machine, machine.jobFrame));
    if (given.ok && Number(given.value) > 0) minutes = Number(given.value);
    pres = await prepareActions(machine, template.steps, log);
    return pres === undefined ? "failure" : "success";
  });
  let timedOut = false;
  if (ready === "success" && pres !== undefined) {
    const timer = setTimeout(() => {
      timedOut = true;
      machine.cancel();
    }, minutes * 60_000);
    try {
      await runPres(machine, list, pres);
      await runSteps(machine, list, template.steps);
      await runPosts(machine, list);
    } finally {
      clearTimeout(timer);
    }
  } else machine.failed = true;
  await list.step("Complete job", async (log) => {
    if (timedOut) {
      const { slotName } = machine.options;
      log.annotate(
        "failure",
        `The job running on runner ${slotName} has exceeded the maximum execution time of ${minutes} minutes.`,
      );
    }
    const orphans = killOrphans(machine.trackingId);
    if (orphans.length > 0) log.write(`Terminate orphan process: ${orphans.join(", ")}`);
    setOutputs(machine, template, log);
    return "success";
  });
  return machine.jobStatus();
}
