import { stripVTControlCharacters } from "node:util";
import type { ResultDocument, RunRecord, StageRecord } from "../config/index.ts";
import { describe, ok } from "../core/index.ts";
import type { Context, Failure, Result } from "../core/index.ts";
import { atRevision, git, resolveCommit } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { hasWorkflow } from "./compile/compile.ts";
import { loadPipeline, loadPipelines } from "./load.ts";
import { pushOutputs } from "./push.ts";
import { run } from "./run.ts";
import type { Pipeline } from "./stage.ts";
import { openWorkspace } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

export interface ExperimentOptions {
  /** Names; every pipeline of the tree when absent. */
  readonly pipelines?: readonly string[];
  readonly jobs?: number;
  readonly force?: boolean;
  readonly keepGoing?: boolean;
  /** Use only records that a trusted run made: what a promotion is built on. */
  readonly trustedOnly?: boolean;
  /** For git's talk with the remote: its environment may hold a token, which stages never see. `context` when absent. */
  readonly forGit?: Context;
  /** Revision the reasons are told against; the first parent of HEAD when absent. */
  readonly baseline?: string;
  /** Leaves out the pipelines that have a compiled workflow, unless they are named. */
  readonly leaveCompiled?: boolean;
}

export interface Experiment {
  /** What leaves the job. Its provenance is null: the job that receives it decides whom to trust. */
  readonly document: ResultDocument;
  readonly failures: readonly Failure[];
  /** Names of the stages that ran, as `pipeline/stage`. */
  readonly ran: readonly string[];
}

const MOST_FAILURES = 100;
const LONGEST_FAILURE = 10_000;

/**
 * One experiment: plans every pipeline at HEAD, fetches only the inputs that are missing, runs what changed and sends
 * what came of it to the store (files, then trees) before the document names it. What goes wrong with the team's
 * files or stages is in the document; the result is a failure only when there is no repository to speak of.
 */
export async function experiment(context: Context, options: ExperimentOptions = {}): Promise<Result<Experiment>> {
  const commit = await resolveCommit(context, "HEAD");
  if (!commit.ok) return commit;
  const runs: RunRecord[] = [];
  const stages = new Map<string, StageRecord>();
  const failures: Failure[] = [];
  const workspace = await openWorkspace(options.forGit ?? context);
  const pipelines = workspace.ok ? await choose(context, workspace.value.source, options) : workspace;
  if (!workspace.ok) failures.push(...workspace.failures);
  else if (!pipelines.ok) failures.push(...pipelines.failures);
  else {
    await refreshRecords(context, workspace.value, pipelines.value.flatMap(({ stages: all }) => all).length);
    const { baseline: revision, pipelines: _, forGit: __, leaveCompiled: ___, ...passed } = options;
    const baseline = await atRevision(context, revision ?? "HEAD^1");
    for (const pipeline of pipelines.value) {
      const { source, records, store, lastingStore } = workspace.value;
      const outcome = await run(context, {
        ...passed,
        ...(baseline.ok ? { baseline: baseline.value } : {}),
        source,
        records,
        store,
        lastingStore,
        pipeline,
        commit: commit.value,
        restore: "needed",
      });
      if (!outcome.ok) {
        failures.push(...outcome.failures);
        continue;
      }
      failures.push(...outcome.value.failures);
      const pushed = await pushOutputs(context, pipeline, outcome.value.stages, outcome.value.cache, store);
      if (!pushed.ok) {
        failures.push(...pushed.failures);
        continue;
      }
      runs.push(outcome.value.run);
      for (const record of outcome.value.stages) stages.set(record.key, { ...record, provenance: null });
      if (failures.some(({ code }) => code === "interrupted")) break;
    }
  }
  const told = failures.map((failure) => plain(describe(failure)));
  return ok(concluded(commit.value, runs, [...stages.values()], told, failures));
}

/** The result of some runs: what leaves the job, and what failed in this one. */
export function concluded(
  commit: string,
  runs: RunRecord[],
  stages: StageRecord[],
  told: readonly string[],
  failures: readonly Failure[],
): Experiment {
  const document: ResultDocument = { resultVersion: 1, commit, runs, stages, failures: told.slice(0, MOST_FAILURES) };
  const ran = runs.flatMap((record) =>
    record.stages.filter(({ status }) => status === "run").map(({ stage }) => `${record.pipeline}/${stage}`),
  );
  return { document, failures, ran };
}

async function choose(
  context: Context,
  source: Source,
  { pipelines: names = [], leaveCompiled = false }: ExperimentOptions,
): Promise<Result<Pipeline[]>> {
  const pipelines: Pipeline[] = [];
  if (names.length === 0) {
    const everything = await loadPipelines(source);
    if (!everything.ok || !leaveCompiled) return everything;
    for (const pipeline of everything.value) {
      const elsewhere = await hasWorkflow(source, pipeline.name);
      if (!elsewhere.ok) return elsewhere;
      if (elsewhere.value) context.emit({ type: "note", message: `${pipeline.name} has a workflow of its own` });
      else pipelines.push(pipeline);
    }
    return ok(pipelines);
  }
  for (const name of names) {
    const pipeline = await loadPipeline(source, name);
    if (!pipeline.ok) return pipeline;
    pipelines.push(pipeline.value);
  }
  return ok(pipelines);
}

/** Without the records everything runs, which is slow but right: a records branch that cannot be fetched is a warning. */
export async function refreshRecords(context: Context, { records }: Workspace, lookUps: number): Promise<void> {
  const warn = (message: string): void => context.emit({ type: "warning", message });
  const refreshed = await records.refresh(lookUps);
  if (!refreshed.ok) warn(`the records could not be fetched: ${describe(refreshed.failures[0])}`);
  const status = await git(context, ["status", "--porcelain", "--untracked-files=no", "-z"]);
  const changed = status.ok ? status.value.split("\0")[0]?.slice(3) : undefined;
  if (changed) warn(`${changed} is not as HEAD has it; a result that HEAD's files do not explain will be refused`);
}

/** A failure's words as a result document may hold them. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll("\0", "").slice(0, LONGEST_FAILURE);
}
