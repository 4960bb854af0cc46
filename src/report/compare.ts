import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { git, workingTree } from "../git/index.ts";
import { loadPipelines } from "../pipeline/index.ts";
import { loadSettings, openRecords, recordsOptions } from "../records/index.ts";
import { localCache, openStore, storeUrl } from "../store/index.ts";
import { buildReport } from "./build.ts";
import type { PipelineInput } from "./pipeline-report.ts";
import { compareVersions } from "./compare-versions.ts";
import type { Sides } from "./compare-versions.ts";
import { changedFiles, factsOf } from "./facts.ts";
import { heldOutPaths, withoutHeldOut } from "./held-out.ts";
import { looksAt, withKnownLooks } from "./looks.ts";
import { gatherModels } from "./models.ts";
import { findNamed } from "./named.ts";
import type { Named } from "./named.ts";
import type { Report } from "./schema.ts";
import { findSide, noResult, sideAt } from "./side.ts";
import type { Side } from "./side.ts";
import { sectionsOf } from "./views.ts";

export interface CompareOptions {
  /** Revision or version of a model; absent: where HEAD branched from the default branch, or (there) its parent. */
  readonly base?: string;
  /** Revision or version of a model; absent: the working tree. */
  readonly head?: string;
  readonly model?: string;
}

/**
 * The report of any two revisions or versions of models, from what this machine's records and the fetched records
 * branch hold of them. Nothing is run; a side that was never run is a failure that says so.
 */
export async function compareRevisions(context: Context, options: CompareOptions): Promise<Result<Report>> {
  const head =
    options.head === undefined
      ? ok<Named>({ kind: "tree", label: "the working tree", source: workingTree(context) })
      : await findNamed(context, options.head);
  if (!head.ok) return head;
  const baseName = options.base === undefined ? await defaultBase(context, options.head ?? "HEAD") : ok(options.base);
  if (!baseName.ok) return baseName;
  const base = await findNamed(context, baseName.value);
  if (!base.ok) return base;
  const rules = base.value.kind === "tree" ? base.value.source : workingTree(context);
  const settings = await recordsOptions(context, rules);
  if (!settings.ok) return settings;
  const url = await storeUrl(context, rules);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const sides = {
    records: openRecords(context, settings.value),
    stores: [localCache(context), store.value],
    ...(options.model === undefined ? {} : { model: options.model }),
  };
  return head.value.kind === "tree" && base.value.kind === "tree"
    ? compareTrees(context, { ...sides, head: head.value, base: base.value })
    : compareVersions(context, { ...sides, head: head.value, base: base.value });
}

type Tree = Extract<Named, { kind: "tree" }>;

async function compareTrees(
  context: Context,
  options: Sides & { readonly head: Tree; readonly base: Tree },
): Promise<Result<Report>> {
  const { head: named, base: against, records, stores, model } = options;
  const all = await loadPipelines(named.source);
  if (!all.ok) return all;
  const settings = await loadSettings(against.source);
  if (!settings.ok) return settings;
  const held = await heldOutPaths(against.source, named.source);
  const heads = new Map<string, Side>();
  const bases = new Map<string, Side | undefined>();
  const pipelines: PipelineInput[] = [];
  for (const pipeline of all.value) {
    const { name } = pipeline;
    const find = { records, pipeline: name, trusted: false };
    // oxlint-disable-next-line no-await-in-loop -- local look-ups
    const head = await sideAt(context, named.source, find);
    if (!head.ok) return head;
    if (head.value === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop
    const base = await findSide(context, against.source.commit ?? against.label, find);
    if (!base.ok) return base;
    const after = await withoutHeldOut(head.value, held, stores);
    const before = await withoutHeldOut(base.value, held, stores);
    heads.set(name, after);
    bases.set(name, before);
    const notes = before === undefined ? ["There is no result of the base."] : [];
    const sides = { head: after, base: before, headSource: named.source };
    // oxlint-disable-next-line no-await-in-loop
    const facts = await factsOf(context, { ...sides, pipeline, stores, settings: settings.value, trusted: true });
    const run = { head: after.run, base: before?.run ?? null };
    pipelines.push({ ...run, ...facts, notes: [...notes, ...facts.notes] });
  }
  if (pipelines.length === 0) return noResult(named.source);
  const gathered = await gatherModels({
    baseSource: against.source,
    headSource: named.source,
    heads,
    bases,
    pipelines: all.value,
    stores,
    trusted: true,
    ...(model === undefined ? {} : { model }),
  });
  if (!gathered.ok) return gathered;
  const { models, failures } = gathered.value;
  const runs = new Map([...heads].map(([name, { run }]) => [name, run]));
  if (model !== undefined && models.length === 0)
    return fail({ code: "unknown-name", what: "model", name: model, known: [] });
  const files = await changedFiles(context, against.source.commit ?? against.label, named.source.commit);
  if (!files.ok) return files;
  const report = buildReport({
    files: files.value,
    sections: sectionsOf(settings.value),
    head: { label: named.label, commit: named.source.commit },
    base: { label: against.label, commit: against.source.commit },
    pullRequest: null,
    runUrl: null,
    pipelines: model === undefined ? pipelines : pipelines.filter(({ head }) => models[0]?.pipeline === head.pipeline),
    models,
    failures,
    notes: [],
  });
  return withKnownLooks(report, looksAt(models, runs), records);
}

/** `origin/HEAD`, `main` or `master`, whichever there is first; from a commit on it, the commit before. */
async function defaultBase(context: Context, head: string): Promise<Result<string>> {
  const at = await git(context, ["rev-parse", "--verify", `${head}^{commit}`]);
  if (!at.ok) return at;
  for (const branch of ["refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master"]) {
    // oxlint-disable-next-line no-await-in-loop -- the first that is there
    const base = await git(context, ["merge-base", branch, at.value.trim()]);
    if (!base.ok) continue;
    return ok(base.value.trim() === at.value.trim() && head !== "HEAD" ? `${base.value.trim()}^` : base.value.trim());
  }
  return fail({
    code: "usage",
    message: "there is no origin/HEAD, main or master to compare with",
    hint: "name the base: `lockstep compare BASE`",
  });
}
