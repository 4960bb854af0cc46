import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Command, Option } from "commander";
import { VIEW_NAMES } from "../../config/index.ts";
import type { View } from "../../config/index.ts";
import { attempt, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Answer, Edge } from "../command.ts";
import { openFile } from "../opener.ts";
import { SIDE } from "./compare.ts";

interface Options {
  readonly base: string;
  readonly head: string;
  readonly format: "md" | "html" | "json";
  readonly model?: string;
  readonly view?: View;
  readonly output?: string;
  readonly open?: boolean;
}

export function build(edge: Edge): Command {
  return new Command("report")
    .summary("write the report of any two revisions or versions")
    .description(
      "Writes what the comment on a pull request would say of two revisions, or versions of models; nothing is run.",
    )
    .requiredOption("--base <side>", `what it is compared with: ${SIDE}`)
    .requiredOption("--head <side>", "what is judged")
    .addOption(new Option("--format <format>", "form of the report").choices(["md", "html", "json"]).default("md"))
    .option("--model <name>", "only this model")
    .addOption(new Option("--view <role>", "what this role wants to see").choices(VIEW_NAMES))
    .option("--output <file>", "write it to this file; stdout when absent")
    .option("--open", "show the file, if this is a terminal; .lockstep/report.<format> when --output is absent")
    .action(async (options: Options) => edge.out.answer(await report(edge, options)));
}

async function report(edge: Edge, { format, output, open, view, ...options }: Options): Promise<Result<Answer>> {
  const { compareRevisions, renderHtml, renderMarkdown, sectionsOf } = await import("../../report/index.ts");
  const context = edge.context();
  const compared = await compareRevisions(context, options);
  if (!compared.ok) return compared;
  const made = view === undefined ? compared.value : { ...compared.value, sections: sectionsOf(undefined, view) };
  const render = {
    md: () => renderMarkdown(made),
    html: async () => renderHtml(made),
    json: () => JSON.stringify(made, null, 2),
  };
  const exitCode = made.conclusion === "failure" ? 1 : 0;
  const answer = { json: made, text: await render[format](), exitCode } as const;
  if (output === undefined && open !== true) return ok(answer);
  const inside = join(context.cwd, ".lockstep", `report.${format}`);
  const path = output === undefined ? inside : resolve(edge.folder, output);
  const written = await attempt(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${answer.text}\n`);
  });
  if (!written.ok) return written;
  if (open === true && edge.terminal.interactive) await openFile(context, path);
  return ok({ ...answer, text: `the report is in ${path}` });
}
