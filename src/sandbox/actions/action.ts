import { convertSteps } from "@actions/workflow-parser/model/converter/steps";
import { handleTemplateTokenErrors } from "@actions/workflow-parser/model/converter/handle-errors";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fail, failedIfAny, ok, type Result } from "../../core/index.ts";
import { literalText } from "./literal.ts";
import { actionSchema } from "./schema.ts";
import { readSteps, type StepTemplate } from "./steps.ts";
import { fields, TemplateFile, type Token } from "./template.ts";

export interface NodeRuns {
  readonly kind: "node";
  readonly main: string;
  readonly pre: string | undefined;
  readonly preIf: string;
  readonly post: string | undefined;
  readonly postIf: string;
}

export interface CompositeRuns {
  readonly kind: "composite";
  readonly steps: readonly StepTemplate[];
}

/** An `action.yml` whose syntax holds. */
export interface Action {
  /** Path for messages. */
  readonly file: string;
  readonly name: string;
  /** Default of each input, undefined without one; names as written. */
  readonly inputs: ReadonlyMap<
    string,
    { readonly default: Token | undefined; readonly deprecated: string | undefined }
  >;
  /** Expression of each output; a JavaScript action's have none. */
  readonly outputs: ReadonlyMap<string, Token | undefined>;
  readonly runs: NodeRuns | CompositeRuns;
}

export function parseActionFile(path: string, source: string): Result<Action> {
  const file = new TemplateFile(path, source, actionSchema(), "action-root-strict");
  const broken = failedIfAny(file.failures());
  if (broken !== undefined || file.root === undefined) return broken as NonNullable<typeof broken>;
  const top = fields(file.root);
  const runsToken = top.get("runs") as Token;
  const runs = fields(runsToken);
  const using = literalText(runs.get("using")) ?? "";
  const inputs = [...fields(top.get("inputs"))].map(([name, token]) => {
    const input = fields(token);
    return [name, { default: input.get("default"), deprecated: literalText(input.get("deprecationMessage")) }] as const;
  });
  const outputs = [...fields(top.get("outputs"))].map(([name, token]) => [name, fields(token).get("value")] as const);
  if (using === "docker") file.unsupported(runs.get("using") as Token, "a Docker action");
  if (using === "node12" || using === "node16") file.unsupported(runs.get("using") as Token, `\`using: ${using}\``);
  const read = (): NodeRuns | CompositeRuns => {
    const steps = runs.get("steps");
    if (using === "composite" && steps !== undefined) {
      const converted = handleTemplateTokenErrors(steps, file.context, [], () => convertSteps(file.context, steps));
      return { kind: "composite", steps: readSteps(file, steps, converted) };
    }
    return {
      kind: "node",
      main: literalText(runs.get("main")) ?? "",
      pre: literalText(runs.get("pre")),
      preIf: literalText(runs.get("pre-if")) ?? "always()",
      post: literalText(runs.get("post")),
      postIf: literalText(runs.get("post-if")) ?? "always()",
    };
  };
  const action: Action = {
    file: path,
    name: literalText(top.get("name")) ?? "",
    inputs: new Map(inputs),
    outputs: new Map(outputs),
    runs: read(),
  };
  return failedIfAny(file.failures()) ?? ok(action);
}

/** Reads the `action.yml` or `action.yaml` of a folder. `label` is what messages call the folder. */
export function loadAction(folder: string, label: string): Result<Action> {
  for (const name of ["action.yml", "action.yaml"]) {
    let source: string;
    try {
      source = readFileSync(join(folder, name), "utf8");
    } catch {
      continue;
    }
    return parseActionFile(`${label}/${name}`, source);
  }
  const hint = label.startsWith("./") ? "a local action is there only after `actions/checkout`" : undefined;
  return fail({ code: "file-missing", path: `${label}/action.yml`, ...(hint === undefined ? {} : { hint }) });
}
