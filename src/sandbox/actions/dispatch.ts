import { fail, failedIfAny, ok, type Failure, type Result } from "../../core/index.ts";
import type { Repository } from "../world.ts";
import { text, type Value } from "./evaluate.ts";
import { literal } from "./literal.ts";
import { loadWorkflow } from "./source.ts";
import { fields, type Token } from "./template.ts";
import type { Workflow } from "./workflow.ts";

/** One of `on.workflow_dispatch.inputs`. */
export interface DispatchInput {
  readonly type: "string" | "boolean" | "number" | "choice" | "environment";
  readonly required: boolean;
  readonly default: Value;
  readonly options: readonly string[];
}

export function readDispatchInputs(on: Token): Map<string, DispatchInput> {
  const declared = fields(fields(fields(on).get("workflow_dispatch")).get("inputs"));
  return new Map(
    [...declared].map(([name, token]) => {
      const given = literal(token) as { [key: string]: Value };
      const { type, required, default: fallback, options } = given;
      const input: DispatchInput = {
        type: (type ?? "string") as DispatchInput["type"],
        required: required === true,
        default: fallback ?? null,
        options: Array.isArray(options) ? (options as Value[]).map(text) : [],
      };
      return [name, input];
    }),
  );
}

/** The `inputs` context of a dispatched run: what was given, checked, and the defaults of the rest. */
export function dispatchInputs(
  workflow: Workflow,
  given: Readonly<Record<string, unknown>>,
): Result<Record<string, Value>> {
  const failures: Failure[] = [];
  const wrong = (message: string): void => void failures.push({ code: "usage", message });
  const unknown = Object.keys(given).filter((name) => !workflow.inputs.has(name));
  if (unknown.length > 0) wrong(`Unexpected inputs provided: ${JSON.stringify(unknown)}`);
  const inputs: Record<string, Value> = {};
  for (const [name, input] of workflow.inputs) {
    const value = (given[name] as Value | undefined) ?? input.default;
    const written = text(value);
    if (value === null && input.required) wrong(`Required input '${name}' not provided`);
    if (input.type === "choice" && written !== "" && !input.options.includes(written)) {
      wrong(`Provided value '${written}' for input '${name}' not in the list of allowed values`);
    }
    if (input.type === "boolean") {
      if (!["", "true", "false"].includes(written))
        wrong(`Provided value '${written}' for input '${name}' is not a boolean`);
      inputs[name] = written === "true";
    } else if (input.type === "number") {
      if (!Number.isFinite(Number(written))) wrong(`Provided value '${written}' for input '${name}' is not a number`);
      inputs[name] = Number(written);
    } else inputs[name] = written;
  }
  return failedIfAny(failures) ?? ok(inputs);
}

/** Whether a workflow can be dispatched at a commit with these inputs; what GitHub answers 422 to is a failure. */
export async function checkDispatch(
  repository: Repository,
  commit: string,
  path: string,
  inputs: Readonly<Record<string, unknown>>,
): Promise<Result<void>> {
  const workflow = await loadWorkflow(repository, commit, path);
  if (!workflow.ok) return workflow;
  if (!("workflow_dispatch" in workflow.value.on)) {
    return fail({ code: "usage", message: "Workflow does not have 'workflow_dispatch' trigger" });
  }
  const checked = dispatchInputs(workflow.value, inputs);
  return checked.ok ? ok() : checked;
}
