import type { Settings } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, git } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { costOf, plotsOf } from "../pipeline/index.ts";
import type { Pipeline } from "../pipeline/index.ts";
import type { Store } from "../store/index.ts";
import type { PipelineInput } from "./pipeline-report.ts";
import { PlotFiles } from "./plots/files.ts";
import { gatherPlots } from "./plots/gather.ts";
import { templatesOf } from "./plots/template/draw.ts";
import type { Report } from "./schema.ts";
import { seedsOf } from "./seeds.ts";
import type { Side } from "./side.ts";

/** Files that are named; the rest is counted. */
const NAMED = 100;

export interface FactsOptions {
  readonly pipeline: Pipeline | undefined;
  readonly head: Side;
  readonly base: Side | undefined;
  readonly headSource: Source;
  readonly stores: readonly Store[];
  /** Of the base: a pull request does not say what a minute costs. */
  readonly settings: Settings | undefined;
  /** False: nothing in the head's files is shown, because a digest may name somebody else's blob. */
  readonly trusted: boolean;
}

/** What a report tells of a pipeline beside its runs: its plots, its seeds, and what its stages cost. */
export async function factsOf(
  context: Context,
  options: FactsOptions,
): Promise<Pick<PipelineInput, "plots" | "costs" | "seeds" | "directions"> & { readonly notes: readonly string[] }> {
  const { pipeline, head, base, settings, stores } = options;
  if (pipeline === undefined) return { notes: [] };
  const rates = new Map(pipeline.stages.map((stage) => [stage.name, stage]));
  const costs = Object.fromEntries(
    head.run.stages.flatMap(({ stage, status, ms }) => {
      const declared = rates.get(stage);
      const paid = declared === undefined || status === "cached" || status === "skipped";
      const cost = paid ? null : costOf(declared, ms, settings);
      return cost === null ? [] : [[stage, cost]];
    }),
  );
  const known = {
    costs: { currency: settings?.cost?.currency ?? "", stages: costs },
    seeds: await seedsOf(context, pipeline, base?.run),
    directions: settings?.report?.directions ?? {},
  };
  const declared = plotsOf(pipeline);
  if (declared.length === 0) return { ...known, notes: [] };
  if (!options.trusted) return { ...known, notes: ["Plot files are not drawn: this result is from a fork."] };
  const files = {
    head: new PlotFiles(head, options.headSource, stores),
    base: base === undefined ? null : await filesOf(context, base, stores),
  };
  return { ...known, ...(await gatherPlots(declared, files, templatesOf(context, options.headSource))) };
}

async function filesOf(context: Context, side: Side, stores: readonly Store[]): Promise<PlotFiles | null> {
  const source = side.run.commit === null ? undefined : await atRevision(context, side.run.commit);
  return source?.ok === true ? new PlotFiles(side, source.value, stores) : null;
}

const CHANGES: Readonly<Record<string, "added" | "removed" | "changed">> = { A: "added", D: "removed" };

/** The files that differ between two commits (head null: the working tree), by name: no content is read. */
export async function changedFiles(
  context: Context,
  base: string,
  head: string | null,
): Promise<Result<Report["files"]>> {
  const revisions = head === null ? [base] : [base, head];
  const listed = await git(context, ["diff", "--name-status", "--no-renames", "-z", ...revisions, "--"]);
  if (!listed.ok) return listed;
  const words = listed.value.split("\0");
  const named = Array.from({ length: words.length >> 1 }, (_, index) => ({
    path: words[index * 2 + 1] ?? "",
    change: CHANGES[words[index * 2] ?? ""] ?? ("changed" as const),
  }));
  return ok({ count: named.length, named: named.slice(0, NAMED) });
}
