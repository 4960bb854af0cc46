import type { Failure } from "../../core/index.ts";
import type { Pipeline } from "../stage.ts";

/** What of a pipeline jobs of their own cannot do, all of it. */
export function unfit({ name, stages, hooks }: Pipeline): Failure[] {
  const failures: Failure[] = [];
  if (hooks.before.length + hooks.after.length > 0) {
    const what = `pipeline "${name}": a hook around the run, where each stage has a machine of its own,`;
    failures.push({ code: "unsupported", what, hint: "hooks around its stages run in their jobs" });
  }
  for (const stage of stages) {
    if (stage.frozen) {
      const what = `the frozen stage "${stage.name}" in a compiled workflow`;
      const hint = "the experiment's one job takes it; or track its outputs with `lockstep data add`";
      failures.push({ code: "unsupported", what, hint, at: stage.at([...stage.where, "frozen"]) });
    }
    if (stage.name === stage.name.trim()) continue;
    // An input of an action loses the white space around it.
    const what = `the name "${stage.name}", with white space around it, in a compiled workflow`;
    failures.push({ code: "unsupported", what, at: stage.at(stage.where) });
  }
  return failures;
}
