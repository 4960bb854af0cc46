import { Command } from "commander";
import { describe, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { openWorkspace, reproduce } from "../../pipeline/index.ts";
import type { Reproduced } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { failureJson } from "../output.ts";
import { duration, printable, table } from "../text.ts";

interface Options {
  readonly pipeline?: string;
  readonly stage?: string;
}

export function build(edge: Edge): Command {
  return new Command("repro")
    .summary("run again what a record says, and compare")
    .description(
      "Runs a recorded stage, or the stages of a commit's run, again in a worktree of its own, and says whether every output comes out byte for byte.",
    )
    .argument("<key>", "a stage's key, or any name of a commit that was run")
    .option("--pipeline <name>", "only this pipeline of the commit")
    .option("--stage <name>", "only this stage of the commit")
    .action(async (name: string, options: Options) => {
      edge.out.answer(await run(edge.context(), name, options));
    });
}

async function run(context: Context, name: string, options: Options): Promise<Result<Answer>> {
  const workspace = await openWorkspace(context);
  if (!workspace.ok) return workspace;
  const done = await reproduce(context, workspace.value, { name, ...options });
  if (!done.ok) return done;
  const equal = done.value.every((one) => one.equal);
  const stages = done.value.map((one) => ({ ...one, failures: one.failures.map(failureJson) }));
  return ok({ json: { equal, stages }, text: done.value.map(textOf).join("\n"), exitCode: equal ? 0 : 1 });
}

function textOf({ pipeline, stage, commit, equal, outs, metrics, duration: took, failures }: Reproduced): string {
  const verdict = equal ? "equal" : failures.length > 0 ? "not reproduced" : "differs";
  const time = took.here === null ? "" : `, ${duration(took.here)} (recorded ${duration(took.recorded)})`;
  const rows = [
    ...outs.map(({ path, recorded, here }) => [
      `  ${path}`,
      recorded.slice(0, 19),
      here === null ? "not made" : here.slice(0, 19),
      here === recorded ? "equal" : "differs",
    ]),
    ...metrics.map((metric) => [
      `  ${metric.name}`,
      String(metric.recorded ?? "-"),
      String(metric.here ?? "-"),
      change(metric.recorded, metric.here),
    ]),
  ];
  return [
    printable(`${pipeline}/${stage} at ${commit.slice(0, 12)}: ${verdict}${time}`),
    ...(rows.length === 0 ? [] : [table(rows.map((row) => row.map(printable)))]),
    ...failures.map((failure) => describe(failure)),
  ].join("\n");
}

function change(recorded: number | null, here: number | null): string {
  if (recorded === null || here === null) return "";
  if (recorded === here) return "equal";
  return `${here > recorded ? "+" : ""}${Number((here - recorded).toPrecision(6))}`;
}
