import { Command, Option } from "commander";
import { ok } from "../../core/index.ts";
import type { Edge } from "../command.ts";

type Format = "md" | "html" | "json";

export function build(edge: Edge): Command {
  return new Command("report")
    .summary("write the report of any two revisions")
    .description("Writes what the comment on a pull request would say of two revisions, to stdout; nothing is run.")
    .requiredOption("--base <rev>", "revision to compare with")
    .requiredOption("--head <rev>", "revision that is judged")
    .addOption(new Option("--format <format>", "form of the report").choices(["md", "html", "json"]).default("md"))
    .option("--model <name>", "only this model")
    .action(async ({ format, ...options }: { base: string; head: string; format: Format; model?: string }) => {
      const { compareRevisions, renderHtml, renderMarkdown } = await import("../../report/index.ts");
      const report = await compareRevisions(edge.context(), options);
      if (!report.ok) return edge.out.answer(report);
      const exitCode = report.value.conclusion === "failure" ? 1 : 0;
      const render = {
        md: () => renderMarkdown(report.value),
        html: () => renderHtml(report.value),
        json: () => JSON.stringify(report.value, null, 2),
      };
      return edge.out.answer(ok({ json: report.value, text: render[format](), exitCode }));
    });
}
