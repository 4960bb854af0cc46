import { isBasicExpression } from "@actions/workflow-parser/templates/tokens/type-guards";
import { describe, type Failure } from "../../core/index.ts";
import { evaluate, evaluateToken, text, texts, truthy } from "./evaluate.ts";
import { StepFiles, SUMMARY_LIMIT } from "./filecommands.ts";
import { scopeOf, type Frame, type StepResult } from "./frame.ts";
import { literal } from "./literal.ts";
import type { StepLog } from "./log.ts";
import type { JobMachine } from "./machine.ts";
import { runScript } from "./script.ts";
import type { StepTemplate } from "./steps.ts";
import type { Token } from "./template.ts";
import { runUses } from "./uses.ts";

/** One step while it runs. */
export interface StepContext {
  readonly machine: JobMachine;
  readonly frame: Frame;
  readonly step: StepTemplate;
  readonly log: StepLog;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What is taken over from the step's files. */
  readonly outputs: Record<string, string>;
}

export function complain(log: StepLog, failures: readonly Failure[]): void {
  for (const failure of failures) log.annotate("failure", describe(failure));
}

/** Variables that a step may not set for those after it. */
const PROTECTED = /^(?:GITHUB_|RUNNER_)|^NODE_OPTIONS$/u;

/** Takes over what a process wrote to its files. True when they could be read. */
export function takeFiles(files: StepFiles, context: StepContext, state?: Map<string, string>): boolean {
  const { machine, log, outputs } = context;
  const collected = files.collect();
  if (!collected.ok) {
    complain(log, collected.failures);
    return false;
  }
  const { env, outputs: given, state: kept, paths, summary } = collected.value;
  let fine = true;
  for (const [name, value] of env) {
    if (PROTECTED.test(name)) {
      log.annotate("failure", `Can't store ${name} output parameter using '$GITHUB_ENV' command.`);
      fine = false;
    } else machine.env[name] = value;
  }
  for (const [name, value] of given) outputs[name] = value;
  for (const [name, value] of kept) state?.set(name, value);
  for (const path of paths) machine.addPath(path);
  const size = Buffer.byteLength(summary);
  if (size > SUMMARY_LIMIT) {
    log.annotate(
      "failure",
      `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${Math.ceil(size / 1024)}k.`,
    );
  } else log.summary(summary);
  return fine;
}

/** Minutes of a `timeout-minutes`, in milliseconds; undefined without a limit. */
function limit(machine: JobMachine, frame: Frame, token: Token | undefined): number | undefined {
  const value = evaluateToken(token, scopeOf(machine, frame));
  const minutes = value.ok ? Number(value.value) : 0;
  return minutes > 0 ? minutes * 60_000 : undefined;
}

/** The name that is shown: the step's own, or what it runs. */
export function displayName(machine: JobMachine, frame: Frame, step: StepTemplate): string {
  if (step.name !== undefined) {
    const name = evaluateToken(step.name, scopeOf(machine, frame));
    if (name.ok && text(name.value) !== "") return machine.masker.mask(text(name.value));
  }
  if (step.kind === "uses") return `Run ${step.uses}`;
  const script = isBasicExpression(step.run) ? (step.run.source ?? step.run.toString()) : literal(step.run);
  return `Run ${text(script).trimStart().split("\n")[0] ?? ""}`;
}

/** Runs one step of a frame and notes its result there. `open` gives its log once it is known to run. */
export async function executeStep(
  machine: JobMachine,
  frame: Frame,
  step: StepTemplate,
  open: () => StepLog,
): Promise<StepResult> {
  const finish = (result: StepResult): StepResult => {
    if (step.id !== undefined) frame.results.set(step.id, result);
    if (result.conclusion === "failure" || (frame.composite && result.conclusion === "cancelled")) {
      frame.failed = true;
      if (!frame.composite) machine.failed = true;
    }
    return result;
  };
  const stopped = frame.signal?.aborted === true;
  const stepEnvValue = evaluateToken(step.env, scopeOf(machine, frame));
  const env = { ...frame.env, ...(stepEnvValue.ok ? texts(stepEnvValue.value) : {}) };
  const condition = evaluate(step.condition, scopeOf(machine, frame, env));
  if (stopped || (condition.ok && !truthy(condition.value))) {
    return finish({ outcome: "skipped", conclusion: "skipped", outputs: {} });
  }
  const log = open();
  const outputs: Record<string, string> = {};
  let outcome: StepResult["outcome"] = "success";
  const broken = [stepEnvValue, condition].find((result) => !result.ok);
  if (broken?.ok === false) {
    complain(log, broken.failures);
    outcome = "failure";
  } else {
    const ms = limit(machine, frame, step.timeoutMinutes);
    const { value: fine, timedOut } = await machine.interruptible(frame.signal, ms, async (signal) => {
      const context: StepContext = { machine, frame, step, log, env, signal, outputs };
      return step.kind === "run" ? runScript(context, step) : runUses(context, step);
    });
    if (timedOut) {
      log.annotate(
        "failure",
        `The action '${displayName(machine, frame, step)}' has timed out after ${(ms ?? 0) / 60_000} minutes.`,
      );
    }
    if (machine.cancelled && !fine) {
      outcome = "cancelled";
      log.annotate("failure", "The operation was canceled.");
    } else if (!fine || timedOut) outcome = "failure";
  }
  const forgiven = evaluateToken(step.continueOnError, scopeOf(machine, frame, env));
  if (!forgiven.ok) complain(log, forgiven.failures);
  const conclusion = outcome === "failure" && forgiven.ok && truthy(forgiven.value) ? "success" : outcome;
  return finish({ outcome, conclusion, outputs });
}
