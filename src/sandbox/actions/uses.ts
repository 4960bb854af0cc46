import { join } from "node:path";
import { loadAction, type Action, type CompositeRuns, type NodeRuns } from "./action.ts";
import { ok, type Result } from "../../core/index.ts";
import { evaluate, evaluateToken, text, texts, truthy } from "./evaluate.ts";
import { complain, displayName, executeStep, takeFiles, type StepContext } from "./execute.ts";
import { StepFiles } from "./filecommands.ts";
import { contextsOf, scopeOf, type Frame } from "./frame.ts";
import type { StepLog } from "./log.ts";
import type { JobMachine } from "./machine.ts";
import { runProcess } from "./process.ts";
import { resolveAction, type ResolvedAction } from "./resolve.ts";
import { runtimeEnvironment } from "./runtime.ts";
import type { UsesStep } from "./steps.ts";

/** How deep composite actions may use each other. */
export const MAX_DEPTH = 9;

/** An action of a job, found and read; the same for its pre, main and post. */
export interface PreparedAction {
  readonly action: Action;
  readonly resolved: ResolvedAction;
  readonly state: Map<string, string>;
}

export async function prepareAction(
  machine: JobMachine,
  frame: Frame,
  step: UsesStep,
): Promise<Result<PreparedAction>> {
  const known = machine.prepared.get(step);
  if (known !== undefined) return ok(known);
  const at = { file: frame.file, line: step.token.range?.start.line ?? 1, column: step.token.range?.start.column ?? 1 };
  const { world, folders } = machine.options;
  const resolved = await resolveAction(step.uses, {
    world,
    folders,
    workspace: machine.folders.workspace,
    cache: machine.folders.actions,
    at,
  });
  if (!resolved.ok) return resolved;
  const action = loadAction(resolved.value.folder, resolved.value.label);
  if (!action.ok) return action;
  const prepared: PreparedAction = { action: action.value, resolved: resolved.value, state: new Map() };
  machine.prepared.set(step, prepared);
  return ok(prepared);
}

/** The `github` context as an action sees it. */
const githubOf = (context: StepContext, { resolved }: PreparedAction): Frame["github"] => ({
  ...context.frame.github,
  action: context.frame.prefix + context.step.action,
  action_path: resolved.folder,
  action_repository: resolved.repository,
  action_ref: resolved.ref,
});

/** Inputs by the action's own spelling: what `with:` says, else the default. */
function inputsOf(context: StepContext, step: UsesStep, { action }: PreparedAction): Result<Record<string, string>> {
  const { machine, frame, env, log } = context;
  const given = evaluateToken(step.with, scopeOf(machine, frame, env));
  if (!given.ok) return given;
  const values = new Map(
    Object.entries(texts(given.value)).map(([name, value]) => [name.toLowerCase(), { name, value }]),
  );
  const inputs: Record<string, string> = {};
  for (const [name, input] of action.inputs) {
    const value = values.get(name.toLowerCase());
    values.delete(name.toLowerCase());
    if (value !== undefined) {
      if (input.deprecated !== undefined)
        log.annotate("warning", `Input '${name}' has been deprecated with message: ${input.deprecated}`);
      inputs[name] = value.value;
      continue;
    }
    const fallback = evaluateToken(input.default, { ...scopeOf(machine, frame, env), file: action.file });
    if (!fallback.ok) return fallback;
    inputs[name] = text(fallback.value);
  }
  const unknown = [...values.values()].filter(({ name }) => name !== "args" && name !== "entryPoint");
  if (unknown.length > 0) {
    const names = unknown.map(({ name }) => `'${name}'`).join(", ");
    const valid = [...action.inputs.keys()].map((name) => `'${name}'`).join(", ");
    log.annotate("warning", `Unexpected input(s) ${names}, valid inputs are [${valid}]`);
  }
  return ok({ ...inputs, ...Object.fromEntries(unknown.map(({ name, value }) => [name, value])) });
}

async function runNode(
  context: StepContext,
  prepared: PreparedAction,
  script: string,
  inputs: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { machine, frame, env, log, signal } = context;
  const { resolved, state } = prepared;
  const files = new StepFiles(machine.folders.temp);
  const contexts = contextsOf(machine, { ...frame, github: githubOf(context, prepared) }, env);
  const inputEnv = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
    value,
  ]);
  const stateEnv = [...state].map(([name, value]) => [`STATE_${name}`, value]);
  const code = await runProcess(process.execPath, [join(resolved.folder, script)], {
    cwd: machine.folders.workspace,
    env: {
      ...machine.environment(contexts, env),
      ...Object.fromEntries([...inputEnv, ...stateEnv]),
      ...runtimeEnvironment(machine),
      ...files.env,
    },
    line: (line) => log.output(line),
    signal,
  });
  const read = takeFiles(files, context, state);
  if (code !== 0 && !signal.aborted) log.write(`##[debug]The action ended with exit code ${code ?? "unknown"}.`);
  return code === 0 && read;
}

function describeRun(
  log: StepLog,
  uses: string,
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): void {
  log.write(`##[group]Run ${uses}`);
  for (const [title, values] of [
    ["with", inputs],
    ["env", env],
  ] as const) {
    const shown = Object.entries(values).filter(([, value]) => value !== "");
    if (shown.length > 0) log.write(`${title}:`);
    for (const [name, value] of shown) log.write(`  ${name}: ${value}`);
  }
  log.write("##[endgroup]");
}

/** Runs the `pre` of an action at the start of the job, where its `pre-if` holds. True when it did not fail. */
export async function runPre(context: StepContext, step: UsesStep, prepared: PreparedAction): Promise<boolean> {
  const runs = prepared.action.runs;
  if (runs.kind !== "node" || runs.pre === undefined) return true;
  const inputs = inputsOf(context, step, prepared);
  if (!inputs.ok) {
    complain(context.log, inputs.failures);
    return false;
  }
  return runNode(context, prepared, runs.pre, inputs.value);
}

/** Whether a `pre-if` or `post-if` holds now. */
export function phaseHolds(machine: JobMachine, frame: Frame, condition: string): boolean {
  const value = evaluate(condition, scopeOf(machine, frame));
  return value.ok && truthy(value.value);
}

async function runComposite(
  context: StepContext,
  prepared: PreparedAction,
  runs: CompositeRuns,
  inputs: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { machine, frame, env, log, signal, outputs } = context;
  const { action } = prepared;
  const depth = frame.prefix.split("/").length;
  if (depth > MAX_DEPTH) {
    log.annotate("failure", `Composite actions may use each other at most ${MAX_DEPTH} deep.`);
    return false;
  }
  const inner: Frame = {
    file: action.file,
    inputs,
    github: githubOf(context, prepared),
    env,
    prefix: `${frame.prefix}${context.step.action}/`,
    signal,
    composite: true,
    results: new Map(),
    failed: false,
  };
  for (const step of runs.steps) {
    await executeStep(machine, inner, step, () => log);
  }
  for (const [name, token] of action.outputs) {
    const value = evaluateToken(token, scopeOf(machine, inner));
    if (!value.ok) {
      complain(log, value.failures);
      return false;
    }
    outputs[name] = text(value.value);
  }
  return !inner.failed && !signal.aborted;
}

function registerPost(
  context: StepContext,
  step: UsesStep,
  prepared: PreparedAction,
  runs: NodeRuns,
  inputs: Readonly<Record<string, string>>,
): void {
  const { post, postIf } = runs;
  if (post === undefined) return;
  const { machine, frame } = context;
  machine.posts.push({
    name: `Post ${displayName(machine, frame, step)}`,
    holds: () => phaseHolds(machine, { ...machine.jobFrame, inputs: frame.inputs }, postIf),
    run: async (log) =>
      (
        await machine.interruptible(undefined, undefined, async (signal) =>
          runNode({ ...context, log, signal, outputs: {} }, prepared, post, inputs),
        )
      ).value,
  });
}

/** Runs a `uses:` step; true when it ended well. */
export async function runUses(context: StepContext, step: UsesStep): Promise<boolean> {
  const { machine, frame, log, env } = context;
  const prepared = await prepareAction(machine, frame, step);
  const inputs = prepared.ok ? inputsOf(context, step, prepared.value) : prepared;
  if (!prepared.ok || !inputs.ok) {
    if (!inputs.ok) complain(log, inputs.failures);
    return false;
  }
  const { runs } = prepared.value.action;
  describeRun(log, step.uses, inputs.value, env);
  if (runs.kind === "composite") return runComposite(context, prepared.value, runs, inputs.value);
  if (runs.pre !== undefined && step.uses.startsWith("./")) {
    log.annotate("warning", `\`pre\` execution is not supported for local action from '${step.uses}'`);
  }
  registerPost(context, step, prepared.value, runs, inputs.value);
  return runNode(context, prepared.value, runs.main, inputs.value);
}
