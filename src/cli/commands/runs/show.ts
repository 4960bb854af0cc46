import type { RunRecord } from "../../../config/index.ts";
import { ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import type { RunEntry } from "../../../records/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { duration, printable, table } from "../../text.ts";
import { commitName, FETCH, readRuns, recordsHere, runsOf } from "./find.ts";
import type { Group } from "./find.ts";

export function show(edge: Edge, group: Group): void {
  group("show <commit> [pipeline]", "show the runs of a commit")
    .option(...FETCH)
    .action(async (commit: string, pipeline: string | undefined, options: { fetch?: boolean }) => {
      edge.out.answer(await run(edge.context(), commit, pipeline, options));
    });
}

async function run(
  context: Context,
  revision: string,
  pipeline: string | undefined,
  options: { fetch?: boolean },
): Promise<Result<Answer>> {
  const records = await recordsHere(context, options.fetch ?? false);
  if (!records.ok) return records;
  const known = await records.value.list();
  if (!known.ok) return known;
  const entries = await runsOf(context, known.value, revision, pipeline);
  if (!entries.ok) return entries;
  const found = await readRuns(records.value, entries.value);
  if (!found.ok) return found;
  const text = found.value.map(({ entry, run: record }) => textOf(entry, record)).join("\n\n");
  return ok({ json: { runs: found.value.map(({ run: record }) => record) }, text });
}

function textOf(entry: RunEntry, run: RunRecord): string {
  const stages = run.stages.map(({ stage, status, ms, reason }) => [stage, status, duration(ms), reason]);
  const params = Object.entries(entry.params).map(([name, value]) => [name, String(value)]);
  const metrics = Object.entries(entry.metrics).map(([name, value]) => [name, String(value)]);
  const data = Object.entries(run.data).map(([name, digest]) => [name, digest.slice(0, 19)]);
  const { provenance } = run;
  return [
    `${run.pipeline} at ${commitName(run)}: ${run.ok ? "ok" : "failed"}, ${duration(run.ms)}, ${run.startedAt}, ${entry.standing}`,
    ...(provenance === null
      ? []
      : [
          printable(
            `  ${provenance.event} run ${provenance.runId} by ${provenance.actor}, ${provenance.headRepository}`,
          ),
        ]),
    ...section("stages", stages),
    ...section("params", params),
    ...section("metrics", metrics),
    ...section("data", data),
  ].join("\n");
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [title, table(rows.map((row) => [`  ${row[0]}`, ...row.slice(1)].map(printable)))];
}
