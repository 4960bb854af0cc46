import type { Contexts, Scope, Value } from "./evaluate.ts";
import { hashFilesFunction } from "./hashfiles.ts";
import type { JobMachine } from "./machine.ts";
import { statusFunctions } from "./status.ts";

/** What a step left for those after it, as in the `steps` context. */
export interface StepResult {
  readonly outcome: "success" | "failure" | "cancelled" | "skipped";
  readonly conclusion: "success" | "failure" | "cancelled" | "skipped";
  readonly outputs: Readonly<Record<string, string>>;
}

/** The surroundings of a list of steps: those of the job, or those of a composite action within. */
export interface Frame {
  /** File the steps stand in, for messages. */
  readonly file: string;
  /** Contexts that are not of the job as a whole: `inputs` of a composite, `github.action_path`. */
  readonly inputs: Value;
  readonly github: Readonly<Record<string, Value>>;
  /** Variables of the step that uses the composite; none for a job. */
  readonly env: Readonly<Record<string, string>>;
  /** Prefix of `github.action` for its steps. */
  readonly prefix: string;
  /** Aborted when the step around it ran out of time; undefined for a job. */
  readonly signal: AbortSignal | undefined;
  readonly composite: boolean;
  readonly results: Map<string, StepResult>;
  failed: boolean;
}

/** All contexts as a step of this frame sees them. */
export function contextsOf(
  machine: JobMachine,
  frame: Frame,
  stepEnv: Readonly<Record<string, string>> = {},
): Contexts {
  const base = machine.contexts;
  const job = { ...(base["job"] as object), status: machine.jobStatus() };
  return {
    ...base,
    job,
    github: { ...(base["github"] as Record<string, Value>), ...frame.github },
    env: { ...machine.env, ...frame.env, ...stepEnv },
    steps: Object.fromEntries([...frame.results].map(([id, result]) => [id, { ...result }])),
    inputs: frame.inputs,
  };
}

/** Where an expression of this frame is evaluated. */
export function scopeOf(machine: JobMachine, frame: Frame, stepEnv?: Readonly<Record<string, string>>): Scope {
  const { cancelled } = machine;
  const failed = frame.failed || (frame.composite && frame.signal?.aborted === true);
  return {
    file: frame.file,
    contexts: contextsOf(machine, frame, stepEnv),
    functions: [
      ...statusFunctions({ success: !failed, failure: failed, cancelled }),
      hashFilesFunction(machine.folders.workspace),
    ],
  };
}
