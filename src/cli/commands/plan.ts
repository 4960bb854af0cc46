import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { forecast, plan } from "../../pipeline/index.ts";
import type { Expected, Forecast, Plan, PlannedStage } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { lookCommand } from "../pipelines.ts";
import type { Chosen } from "../pipelines.ts";
import { counted, duration, printable, table } from "../text.ts";

interface Told extends Plan {
  readonly expected: Forecast;
}

export function build(edge: Edge): Command {
  const about = {
    name: "plan",
    summary: "say what would run and why, without data",
    description:
      "Says which stages would run and why, how long that takes and what it costs, from the files and the records alone: no data is needed.",
  };
  return lookCommand(edge, about, planPipelines).option(
    "--jobs <n>",
    "stages at once, for the time it takes; as many as there are processors when absent",
    positive,
  );
}

function positive(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1 on.");
}

async function planPipelines(
  context: Context,
  chosen: Chosen,
  options: Readonly<Record<string, unknown>>,
): Promise<Result<Answer>> {
  const { workspace, source, pipelines } = chosen;
  const jobs = options["jobs"] as number | undefined;
  const plans: Told[] = [];
  for (const pipeline of pipelines) {
    const shared = { source, pipeline, records: workspace.records };
    const planned = await plan(context, shared);
    if (!planned.ok) return planned;
    const expected = await forecast(context, planned.value, { ...shared, ...(jobs === undefined ? {} : { jobs }) });
    if (!expected.ok) return expected;
    plans.push({ ...planned.value, expected: expected.value });
  }
  const json = plans.map(({ pipeline, stages, expected: { stages: each, ...sums } }) => ({
    pipeline,
    stages: stages.map((stage) => stageJson(stage, each.get(stage.stage))),
    expected: sums,
  }));
  return ok({ json: { revision: source.commit, pipelines: json }, text: plans.map(textOf).join("\n") });
}

function stageJson(planned: PlannedStage, expected: Expected | undefined): Record<string, unknown> {
  const { stage, action, reason, key, needs, record } = planned;
  const { commit, startedAt, ms, provenance, origin: taken } = record ?? {};
  const from = record === undefined ? null : { commit, startedAt, ms, provenance, origin: taken };
  return { stage, action, reason, key, needs, expected: expected ?? null, record: from };
}

function textOf({ pipeline, stages, expected }: Told): string {
  const rows = stages.map((planned) => {
    const each = expected.stages.get(planned.stage);
    const about = each === undefined ? origin(planned) : estimate(each, expected.currency);
    return [`  ${planned.stage}`, planned.action, about, planned.reason].map(printable);
  });
  return [pipeline, table(rows), ...summary(expected)].join("\n");
}

/** Whose result a cached stage takes. */
function origin({ record }: PlannedStage): string {
  if (record === undefined) return "";
  const { commit, startedAt, provenance } = record;
  if (record.origin !== undefined) return `from ${record.origin}`;
  const pull = provenance?.pullRequest === undefined ? "" : `#${provenance.pullRequest}, `;
  const by = provenance === null ? "here" : `${pull}run ${provenance.runId} of ${provenance.repository}`;
  return `${by}, ${startedAt.slice(0, 10)}${commit === null ? "" : `, ${commit.slice(0, 12)}`}`;
}

function estimate({ ms, runs, cost }: Expected, currency: string | null): string {
  if (ms === null) return "has not run before";
  return `about ${duration(ms)} (median of ${runs})${cost === null ? "" : `, ${money(cost, currency)}`}`;
}

function summary({ stages, work, wall, jobs, cost, currency, unknown }: Forecast): string[] {
  if (stages.size === 0) return [];
  if (unknown.length === stages.size) return [`  ${counted(stages.size, "stage")} to run; none has run before`];
  const open = unknown.length === 0 ? "" : `; nothing is known of ${counted(unknown.length, "stage")}`;
  const price = cost === null ? "" : `, ${money(cost, currency)}`;
  const span = `about ${duration(wall)} with --jobs ${jobs}, ${duration(work)} of work`;
  return [`  ${counted(stages.size, "stage")} to run: ${span}${price}${open}`];
}

/** Small sums keep their first two digits. */
function money(cost: number, currency: string | null): string {
  const text = cost === 0 || cost >= 0.1 ? cost.toFixed(2) : cost.toPrecision(2);
  return currency === null ? text : `${text} ${currency}`;
}
