import type { ResultDocument, StageRecord } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { loadPipelines } from "../pipeline/index.ts";
import { loadSettings } from "../records/index.ts";
import type { Records } from "../records/index.ts";
import { openStore, storeUrl } from "../store/index.ts";
import type { ReportInput } from "./build.ts";
import { changedFiles, factsOf } from "./facts.ts";
import { heldOutPaths, withoutHeldOut } from "./held-out.ts";
import { gatherModels } from "./models.ts";
import type { PipelineInput } from "./pipeline-report.ts";
import { findSide, sideOf } from "./side.ts";
import type { Side } from "./side.ts";
import { sectionsOf } from "./views.ts";

/** All that a report says but whom it is about. Looks are counted later. */
export type Seen = Omit<ReportInput, "head" | "base" | "pullRequest" | "runUrl">;

export interface GatherOptions {
  readonly document: ResultDocument;
  /** The commit that is compared with. */
  readonly base: string;
  readonly records: Records;
  /** Records that are about to be published: what they hold is known, as if they were. */
  readonly vouched: readonly StageRecord[];
  readonly headSource: Source;
  readonly baseSource: Source;
  readonly trusted: boolean;
}

/** Compares what a pull request's run claims with what is known of its base. Writes nothing. */
export async function gather(context: Context, options: GatherOptions): Promise<Result<Seen>> {
  const { document, headSource, baseSource, trusted } = options;
  const url = await storeUrl(context, baseSource);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  if (!store.ok) return store;
  const settings = await loadSettings(baseSource);
  if (!settings.ok) return settings;
  const declared = await loadPipelines(headSource);
  const held = await heldOutPaths(baseSource, headSource);
  // A key that a trusted run has answered keeps that answer: it is what a promotion would use.
  const records = ahead(options.records, options.vouched);
  const claimed = ahead(options.records, document.stages);
  const heads = new Map<string, Side>();
  const bases = new Map<string, Side | undefined>();
  const pipelines: PipelineInput[] = [];
  for (const run of document.runs) {
    // oxlint-disable-next-line no-await-in-loop -- local look-ups
    const found = await sideOf(run, (key) => claimed.trustedStage(key));
    if (!found.ok) return found;
    const head = await withoutHeldOut(found.value, held, [store.value]);
    heads.set(run.pipeline, head);
    // oxlint-disable-next-line no-await-in-loop
    const before = await findSide(context, options.base, { records, pipeline: run.pipeline, trusted: true });
    if (!before.ok) return before;
    const base = await withoutHeldOut(before.value, held, [store.value]);
    bases.set(run.pipeline, base);
    const pipeline = declared.ok ? declared.value.find(({ name }) => name === run.pipeline) : undefined;
    const sides = { head, base, headSource };
    // oxlint-disable-next-line no-await-in-loop
    const facts = await factsOf(context, {
      ...sides,
      pipeline,
      stores: [store.value],
      settings: settings.value,
      trusted,
    });
    const notes = [...baseNotes(base, options.base), ...facts.notes];
    pipelines.push({ head: run, base: base?.run ?? null, ...facts, notes });
  }
  const failed = document.failures.length > 0 || document.runs.some((run) => !run.ok);
  const gathered = failed
    ? ok({ models: [], failures: [] })
    : await gatherModels({
        baseSource,
        headSource,
        heads,
        bases,
        pipelines: declared.ok ? declared.value : [],
        stores: [store.value],
        trusted,
        performance: document.performance ?? [],
      });
  if (!gathered.ok) return gathered;
  const { failures } = gathered.value;
  const files = await changedFiles(context, options.base, document.commit);
  if (!files.ok) return files;
  return ok({
    sections: sectionsOf(settings.value),
    files: files.value,
    pipelines,
    models: gathered.value.models,
    failures: [...document.failures, ...failures],
    notes: trusted ? [] : ["This result is from a fork: it is shown, and no promotion uses it."],
  });
}

/** Records with some more, where nothing trusted has answered a key yet. */
function ahead(records: Records, stages: readonly StageRecord[]): Records {
  const more = new Map<string, StageRecord>(stages.map((record) => [record.key, record]));
  return {
    ...records,
    async trustedStage(key) {
      const known = await records.trustedStage(key);
      return known.ok && known.value === undefined ? ok(more.get(key)) : known;
    },
  };
}

function baseNotes(base: Side | undefined, commit: string): string[] {
  if (base === undefined) return ["The records hold no result of this pipeline at the base or before it."];
  if (base.run.commit === commit || base.run.commit === null) return [];
  return [`Compared with ${base.run.commit.slice(0, 7)}, the newest commit before the base that was run.`];
}
