import { all, fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { columnOf, parseCondition, parseSince, queryRuns } from "../../../records/index.ts";
import type { RunEntry, RunQuery } from "../../../records/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { duration, grouped, printable, table } from "../../text.ts";
import { commitName, FETCH, recordsHere } from "./find.ts";
import type { Group } from "./find.ts";

/** Runs that are shown when nothing is said. */
const LIMIT = 50;
/** Columns of metrics, and of parameters, that are shown when nothing is said. */
const METRICS = 4;
const PARAMS = 3;

interface Options {
  readonly pipeline?: string;
  readonly status?: string;
  readonly trusted?: boolean;
  readonly untrusted?: boolean;
  readonly param?: readonly string[];
  readonly metric?: readonly string[];
  readonly since?: string;
  readonly sort?: string;
  readonly reverse?: boolean;
  readonly columns?: string;
  readonly limit?: string;
  readonly fetch?: boolean;
}

const more = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function list(edge: Edge, group: Group): void {
  group("list", "list the runs, newest first")
    .option("--pipeline <name>", "only of this pipeline")
    .option("--status <status>", "only those that ended ok, or failed")
    .option("--trusted", "only those that a trusted job vouches for")
    .option("--untrusted", "only the others, this machine's included")
    .option("--param <condition>", "only with this parameter, as in train.lr=0.1; may be given again", more)
    .option("--metric <condition>", "only with this metric, as in 'accuracy>0.9'; may be given again", more)
    .option("--since <time>", "only those started since: 2026-01-31, 12h, 7d, 2w")
    .option("--sort <by>", "started, duration, or the name of a metric or parameter; highest first")
    .option("--reverse", "lowest first")
    .option("--columns <names>", "metrics and parameters to show, apart by commas")
    .option("--limit <n>", "at most so many; 0 for all", String(LIMIT))
    .option(...FETCH)
    .action(async (options: Options) => edge.out.answer(await run(edge.context(), options)));
}

async function run(context: Context, options: Options): Promise<Result<Answer>> {
  const query = queryOf(context, options);
  if (!query.ok) return query;
  if (!/^\d{1,9}$/.test(options.limit ?? "")) return fail({ code: "usage", message: "--limit wants a whole number" });
  const records = await recordsHere(context, options.fetch ?? false);
  if (!records.ok) return records;
  const known = await records.value.list();
  if (!known.ok) return known;
  const found = queryRuns(known.value, query.value);
  const runs = found.slice(0, Number(options.limit) || found.length);
  const cut = runs.length < found.length ? [`${grouped(runs.length)} of ${grouped(found.length)} runs (--limit)`] : [];
  const text = runs.length === 0 ? "no runs" : [textOf(runs, query.value, options), ...cut].join("\n");
  return ok({ json: { total: found.length, runs }, text });
}

function queryOf(context: Context, options: Options): Result<RunQuery> {
  const { pipeline, status, sort, reverse, trusted, untrusted } = options;
  if (status !== undefined && status !== "ok" && status !== "failed") {
    return fail({ code: "usage", message: `--status is ok or failed, not "${status}"` });
  }
  if (trusted && untrusted) return fail({ code: "usage", message: "--trusted and --untrusted leave nothing" });
  const params = all((options.param ?? []).map(parseCondition));
  if (!params.ok) return params;
  const metrics = all((options.metric ?? []).map(parseCondition));
  if (!metrics.ok) return metrics;
  const since = options.since === undefined ? ok(undefined) : parseSince(options.since, context.now());
  if (!since.ok) return since;
  return ok({
    params: params.value,
    metrics: metrics.value,
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(status === undefined ? {} : { ok: status === "ok" }),
    ...(trusted || untrusted ? { trusted: trusted === true } : {}),
    ...(since.value === undefined ? {} : { since: since.value }),
    ...(sort === undefined ? {} : { sort }),
    ...(reverse === undefined ? {} : { reverse }),
  });
}

function textOf(runs: readonly RunEntry[], query: RunQuery, options: Options): string {
  const columns = options.columns?.split(",").map((name) => name.trim()) ?? columnsFor(runs, query);
  const cell = (run: RunEntry, name: string): string => {
    const value = columnOf(run, name);
    return value === undefined ? "" : typeof value === "number" ? short(value) : String(value);
  };
  const rows = runs.map((run) => [
    run.startedAt.slice(0, 19),
    run.pipeline,
    commitName(run),
    run.ok ? "ok" : "failed",
    duration(run.ms),
    run.standing,
    ...columns.map((name) => cell(run, name)),
  ]);
  const head = ["started", "pipeline", "commit", "status", "duration", "standing", ...columns.map(withoutFile)];
  return table([head, ...rows].map((row) => row.map(printable)));
}

/** What was asked for, the metrics of these runs, and the parameters in which they differ; the first few of each. */
function columnsFor(runs: readonly RunEntry[], query: RunQuery): string[] {
  const asked = [...(query.params ?? []), ...(query.metrics ?? [])].map(({ name }) => name);
  if (query.sort !== undefined && !["started", "duration"].includes(query.sort)) asked.push(query.sort);
  const metrics = new Set(runs.flatMap((run) => Object.keys(run.metrics)));
  const params = new Set(runs.flatMap((run) => Object.keys(run.params)));
  const differ = [...params].filter((name) => new Set(runs.map((run) => run.params[name])).size > 1);
  const unasked = (name: string): boolean => !asked.includes(name) && !asked.includes(withoutFile(name));
  return [
    ...new Set(asked),
    ...[...metrics].filter(unasked).slice(0, METRICS),
    ...differ.filter(unasked).slice(0, PARAMS),
  ];
}

function withoutFile(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
