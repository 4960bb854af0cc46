import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Edge } from "../command.ts";

export const SIDE = "a commit, branch or tag, or a version of a model (churn@v3, churn@production)";

export function build(edge: Edge): Command {
  return new Command("compare")
    .summary("say whether a change is better, with the evidence")
    .description(
      "Compares two revisions, or versions of models, by what is recorded of them; nothing is run. Without HEAD it is the working tree, without BASE the commit that HEAD branched from.",
    )
    .argument("[base]", `what it is compared with: ${SIDE}`)
    .argument("[head]", "what is judged")
    .option("--model <name>", "only this model")
    .action(async (base: string | undefined, head: string | undefined, options: { model?: string }) => {
      const { compareRevisions, renderText } = await import("../../report/index.ts");
      const report = await compareRevisions(edge.context(), {
        ...(base === undefined ? {} : { base }),
        ...(head === undefined ? {} : { head }),
        ...options,
      });
      if (!report.ok) return edge.out.answer(report);
      const exitCode = report.value.conclusion === "failure" ? 1 : 0;
      const text = renderText(report.value, { colour: edge.terminal.colour });
      return edge.out.answer(ok({ json: report.value, text, exitCode }));
    });
}
