import { Command } from "commander";
import { fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { RunRecord } from "../../config/index.ts";
import { resolveCommit, workingTree } from "../../git/index.ts";
import { openRecords, recordsOptions } from "../../records/index.ts";
import type { Records } from "../../records/index.ts";
import type { Answer, Edge } from "../command.ts";
import { duration, table } from "../text.ts";

export function build(edge: Edge): Command {
  const runs = new Command("runs")
    .summary("look at the records")
    .description("Runs on this machine and on the records branch.");
  const fetched = ["--fetch", "fetch the records branch first"] as const;
  runs
    .command("list")
    .summary("list the runs, newest first")
    .option("--pipeline <name>", "only of this pipeline")
    .option(...fetched)
    .action(async (options: { pipeline?: string; fetch?: boolean }) => {
      edge.out.answer(await list(edge.context(), options));
    });
  runs
    .command("show <commit> [pipeline]")
    .summary("show the runs of a commit")
    .option(...fetched)
    .action(async (commit: string, pipeline: string | undefined, options: { fetch?: boolean }) => {
      edge.out.answer(await show(edge.context(), commit, pipeline, options));
    });
  return runs;
}

async function list(context: Context, options: { pipeline?: string; fetch?: boolean }): Promise<Result<Answer>> {
  const found = await allRuns(context, options.fetch ?? false);
  if (!found.ok) return found;
  const runs = found.value.filter(({ pipeline }) => options.pipeline === undefined || pipeline === options.pipeline);
  const rows = runs.map((run) => [
    run.startedAt,
    run.pipeline,
    run.commit?.slice(0, 12) ?? "working tree",
    run.ok ? "ok" : "failed",
    duration(run.ms),
    trust(run),
  ]);
  return ok({ json: { runs }, text: rows.length === 0 ? "no runs" : table(rows) });
}

async function show(
  context: Context,
  revision: string,
  pipeline: string | undefined,
  options: { fetch?: boolean },
): Promise<Result<Answer>> {
  const found = await allRuns(context, options.fetch ?? false);
  if (!found.ok) return found;
  // A run of a commit that this clone does not have is found by the commit's own name all the same.
  const resolved = await resolveCommit(context, revision);
  const commit = resolved.ok ? resolved.value : revision.toLowerCase();
  const ofCommit = found.value.filter((run) => run.commit !== null && run.commit.startsWith(commit));
  const runs = ofCommit.filter((run) => pipeline === undefined || run.pipeline === pipeline);
  if (runs.length === 0) {
    const what = pipeline === undefined ? "run of commit" : `run of ${pipeline} for commit`;
    return fail({ code: "unknown-name", what, name: revision, known: [], hint: "`lockstep runs list` lists the runs" });
  }
  return ok({ json: { runs }, text: runs.map(text).join("\n\n") });
}

async function allRuns(context: Context, fetch: boolean): Promise<Result<RunRecord[]>> {
  const options = await recordsOptions(context, workingTree(context));
  if (!options.ok) return options;
  const records: Records = openRecords(context, options.value);
  const refreshed = fetch ? await records.refresh() : ok();
  return refreshed.ok ? records.list() : refreshed;
}

function trust(run: RunRecord): string {
  return run.provenance === null ? "here" : run.provenance.trusted ? "trusted" : "untrusted";
}

function text(run: RunRecord): string {
  const stages = run.stages.map(({ stage, status, ms, reason }) => [`  ${stage}`, status, duration(ms), reason]);
  const metrics = Object.entries(run.metrics).flatMap(([file, values]) =>
    Object.entries(values).map(([name, value]) => [`  ${name}`, String(value), file]),
  );
  const data = Object.entries(run.data).map(([name, digest]) => [`  ${name}`, digest.slice(0, 19)]);
  return [
    `${run.pipeline} at ${run.commit}: ${run.ok ? "ok" : "failed"}, ${duration(run.ms)}, ${run.startedAt}, ${trust(run)}`,
    ...section("stages", stages),
    ...section("metrics", metrics),
    ...section("data", data),
  ].join("\n");
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [title, table(rows)];
}
