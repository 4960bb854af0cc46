import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { atRevision, git, workingTree } from "../git/index.ts";
import type { Source } from "../git/index.ts";
import { loadPipelines } from "../pipeline/index.ts";
import { openRecords, recordsOptions } from "../records/index.ts";
import { localCache, openStore, storeUrl } from "../store/index.ts";
import { buildReport } from "./build.ts";
import type { PipelineInput } from "./build.ts";
import { gatherModels } from "./models.ts";
import type { Report } from "./schema.ts";
import { findSide, sideFromPlan } from "./side.ts";
import type { Side } from "./side.ts";

export interface CompareOptions {
  /** Revision; absent: where HEAD branched from the default branch, or (there) its parent. */
  readonly base?: string;
  /** Revision; absent: the working tree. */
  readonly head?: string;
  readonly model?: string;
}

/**
 * The report of any two revisions, from what this machine's records and the fetched records branch hold of them.
 * Nothing is run; a side that was never run is a failure that says so.
 */
export async function compareRevisions(context: Context, options: CompareOptions): Promise<Result<Report>> {
  const headSource = options.head === undefined ? ok(workingTree(context)) : await atRevision(context, options.head);
  if (!headSource.ok) return headSource;
  const baseName = options.base === undefined ? await defaultBase(context, options.head ?? "HEAD") : ok(options.base);
  if (!baseName.ok) return baseName;
  const baseSource = await atRevision(context, baseName.value);
  if (!baseSource.ok) return baseSource;
  const settings = await recordsOptions(context, baseSource.value);
  if (!settings.ok) return settings;
  const records = openRecords(context, settings.value);
  const url = await storeUrl(context, baseSource.value);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;

  const all = await loadPipelines(headSource.value);
  if (!all.ok) return all;
  const heads = new Map<string, Side>();
  const bases = new Map<string, Side | undefined>();
  const pipelines: PipelineInput[] = [];
  for (const { name } of all.value) {
    const find = { records, pipeline: name, trusted: false };
    // oxlint-disable-next-line no-await-in-loop -- local look-ups
    const head = await sideAt(context, headSource.value, find);
    if (!head.ok) return head;
    if (head.value === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop
    const base = await findSide(context, baseSource.value.commit ?? baseName.value, find);
    if (!base.ok) return base;
    heads.set(name, head.value);
    bases.set(name, base.value);
    const notes = base.value === undefined ? ["There is no result of the base."] : [];
    pipelines.push({ head: head.value.run, base: base.value?.run ?? null, notes });
  }
  if (pipelines.length === 0) {
    return fail({
      code: "unknown-name",
      what: "result of",
      name: headSource.value.label,
      known: [],
      hint: "`lockstep run` makes one; `git fetch` brings what others made",
    });
  }
  const gathered = await gatherModels({
    baseSource: baseSource.value,
    headSource: headSource.value,
    heads,
    bases,
    stores: [localCache(context), store.value],
    trusted: true,
    ...(options.model === undefined ? {} : { model: options.model }),
  });
  if (!gathered.ok) return gathered;
  const { models, failures } = gathered.value;
  if (options.model !== undefined && models.length === 0)
    return fail({ code: "unknown-name", what: "model", name: options.model, known: [] });
  return ok(
    buildReport({
      head: { label: options.head ?? "the working tree", commit: headSource.value.commit },
      base: { label: baseName.value, commit: baseSource.value.commit },
      pullRequest: null,
      runUrl: null,
      pipelines:
        options.model === undefined ? pipelines : pipelines.filter(({ head }) => models[0]?.pipeline === head.pipeline),
      models,
      failures,
      notes: [],
    }),
  );
}

async function sideAt(
  context: Context,
  source: Source,
  options: Parameters<typeof sideFromPlan>[2],
): Promise<Result<Side | undefined>> {
  if (source.commit === null) return sideFromPlan(context, source, options);
  return findSide(context, source.commit, { ...options, exact: true });
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
