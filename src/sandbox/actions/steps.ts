import type { Step } from "@actions/workflow-parser/model/workflow-template";
import { isSequence } from "@actions/workflow-parser/templates/tokens/type-guards";
import { literalText } from "./literal.ts";
import { fields, type TemplateFile, type Token } from "./template.ts";

interface Common {
  /** undefined when the file gives none. */
  readonly id: string | undefined;
  /** `github.action`: the id, or the name that GitHub makes up for a step without one. */
  readonly action: string;
  readonly token: Token;
  readonly name: Token | undefined;
  /** Expression without its braces; always has a status function in it. */
  readonly condition: string;
  readonly env: Token | undefined;
  readonly continueOnError: Token | undefined;
  readonly timeoutMinutes: Token | undefined;
}

export interface RunStep extends Common {
  readonly kind: "run";
  readonly run: Token;
  readonly shell: Token | undefined;
  readonly workingDirectory: Token | undefined;
}

export interface UsesStep extends Common {
  readonly kind: "uses";
  readonly uses: string;
  readonly with: Token | undefined;
}

export type StepTemplate = RunStep | UsesStep;

/** `__run`, `__actions_checkout`, `__self`, numbered from the second of its kind. */
function madeUp(uses: string | undefined, counts: Map<string, number>): string {
  const [owner, name] = (uses ?? "").split("@", 1)[0]?.split("/") ?? [];
  const kind = uses === undefined ? "__run" : uses.startsWith("./") ? "__self" : `__${owner}_${name}`;
  const count = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, count);
  return count === 1 ? kind : `${kind}_${count}`;
}

/** Steps of a job or a composite action. `converted` are the same steps as the parser's own conversion gives them. */
export function readSteps(file: TemplateFile, steps: Token | undefined, converted: readonly Step[]): StepTemplate[] {
  if (steps === undefined || !isSequence(steps)) return [];
  const found: StepTemplate[] = [];
  const counts = new Map<string, number>();
  let index = -1;
  for (const token of steps) {
    index += 1;
    const step = fields(token);
    const known = converted[index];
    const id = literalText(step.get("id"));
    const common: Common = {
      id,
      action: id ?? madeUp(literalText(step.get("uses")), counts),
      token,
      name: step.get("name"),
      condition: known !== undefined && "if" in known && known.if !== undefined ? known.if.expression : "success()",
      env: step.get("env"),
      continueOnError: step.get("continue-on-error"),
      timeoutMinutes: step.get("timeout-minutes"),
    };
    const run = step.get("run");
    const uses = step.get("uses");
    if (run !== undefined) {
      const workingDirectory = step.get("working-directory");
      found.push({ ...common, kind: "run", run, shell: step.get("shell"), workingDirectory });
    } else if (uses !== undefined) {
      const name = literalText(uses) ?? "";
      if (name.startsWith("docker://")) file.unsupported(uses, "a `docker://` action");
      else if (name.startsWith("$/")) file.unsupported(uses, "a `$/` action");
      else if (!/^\.\/|^[\w.-]+\/[\w.-]+(\/[^@]+)?@.+$/u.test(name))
        file.invalid(uses, `\`${name}\` names no action: write \`./path\` or \`owner/repository[/path]@ref\``);
      found.push({ ...common, kind: "uses", uses: name, with: step.get("with") });
    }
  }
  return found;
}
