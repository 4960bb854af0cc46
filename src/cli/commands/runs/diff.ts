import { fail, ok } from "../../../core/index.ts";
import type { Context, Result } from "../../../core/index.ts";
import { diffRuns } from "../../../records/index.ts";
import type { Difference, Records, RunDiff, RunEntry, Scalar } from "../../../records/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { duration, printable, table } from "../../text.ts";
import { commitName, FETCH, readRuns, recordsHere, runsOf } from "./find.ts";
import type { Group } from "./find.ts";

export function diff(edge: Edge, group: Group): void {
  group("diff <a> <b> [pipeline]", "show two runs side by side")
    .option("--all", "what is equal too")
    .option(...FETCH)
    .action(async (a: string, b: string, pipeline: string | undefined, options: { all?: boolean; fetch?: boolean }) => {
      edge.out.answer(await run(edge.context(), [a, b], pipeline, options));
    });
}

async function run(
  context: Context,
  revisions: readonly [string, string],
  pipeline: string | undefined,
  options: { all?: boolean; fetch?: boolean },
): Promise<Result<Answer>> {
  const records = await recordsHere(context, options.fetch ?? false);
  if (!records.ok) return records;
  const known = await records.value.list();
  if (!known.ok) return known;
  const a = await runsOf(context, known.value, revisions[0], pipeline);
  if (!a.ok) return a;
  const b = await runsOf(context, known.value, revisions[1], pipeline);
  if (!b.ok) return b;
  const [left, right] = [byPipeline(a.value), byPipeline(b.value)];
  const both = [...left.keys()].filter((name) => right.has(name));
  if (both.length === 0) {
    return fail({ code: "usage", message: `${revisions[0]} and ${revisions[1]} have no pipeline in common` });
  }
  return compare(
    records.value,
    both.map((name) => [left.get(name) as RunEntry, right.get(name) as RunEntry]),
    options.all ?? false,
  );
}

/** Of several runs of a pipeline for one commit: this machine's, else a trusted, else another one; of these the newest. */
function byPipeline(runs: readonly RunEntry[]): Map<string, RunEntry> {
  const order = ["untrusted", "trusted", "here"];
  const sorted = runs.toReversed().sort((x, y) => order.indexOf(x.standing) - order.indexOf(y.standing));
  return new Map(sorted.map((entry) => [entry.pipeline, entry]));
}

async function compare(
  records: Records,
  pairs: readonly (readonly [RunEntry, RunEntry])[],
  everything: boolean,
): Promise<Result<Answer>> {
  const pipelines: ({ pipeline: string; a: RunEntry; b: RunEntry } & RunDiff)[] = [];
  for (const [a, b] of pairs) {
    // oxlint-disable-next-line no-await-in-loop -- a few pipelines
    const read = await readRuns(records, [a, b]);
    if (!read.ok) return read;
    const [left, right] = read.value;
    if (left === undefined || right === undefined) continue;
    pipelines.push({ pipeline: a.pipeline, a, b, ...diffRuns(left.run, right.run) });
  }
  return ok({ json: { pipelines }, text: pipelines.map((one) => textOf(one, everything)).join("\n\n") });
}

function textOf(
  { pipeline, a, b, ...of }: { pipeline: string; a: RunEntry; b: RunEntry } & RunDiff,
  everything: boolean,
): string {
  const shown = <T extends Difference<unknown>>(list: readonly T[]): readonly T[] =>
    everything ? list : list.filter(({ equal }) => !equal);
  const say = (value: Scalar): string => (value === null ? "-" : String(value));
  const rows = [
    [pipeline, commitName(a), commitName(b), ""],
    ["started", a.startedAt.slice(0, 19), b.startedAt.slice(0, 19), ""],
    ["status", a.ok ? "ok" : "failed", b.ok ? "ok" : "failed", ""],
    ["duration", duration(a.ms), duration(b.ms), ""],
    ...shown(of.params).map((one) => [one.name, say(one.a), say(one.b), ""]),
    ...shown(of.metrics).map((one) => [
      one.name,
      say(one.a),
      say(one.b),
      one.change === null ? "" : signed(one.change),
    ]),
    ...shown(of.data).map((one) => [`data ${one.name}`, say(one.a).slice(0, 19), say(one.b).slice(0, 19), ""]),
    ...shown(of.stages).map((one) => [`stage ${one.name}`, stage(one.a), stage(one.b), one.equal ? "same key" : ""]),
  ];
  return table(rows.map((row) => row.map(printable)));
}

function stage(side: { readonly key: string | null; readonly status: string; readonly ms: number } | null): string {
  if (side === null) return "-";
  return side.status === "run" ? `run in ${duration(side.ms)}` : side.status;
}

function signed(change: number): string {
  return `${change >= 0 ? "+" : ""}${Number(change.toPrecision(6))}`;
}
