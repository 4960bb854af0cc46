import { canonicalJson, fileJson, ok } from "../core/index.ts";
import type { Context, Result, StageKey } from "../core/index.ts";
import type { Looks, RunRecord, StageRecord } from "../config/index.ts";
import type { Source } from "../git/index.ts";
import type { RecordsBranch } from "./lookups.ts";
import { addLooks, lostCounters, withLooks } from "./looks.ts";
import { parseRun, parseStage } from "./parse.ts";
import { isTrusted, LOCAL, runPath, stagePath, untrusted } from "./paths.ts";
import type { PublishOptions, PublishOutcome, Published } from "./records.ts";

/** Adds records to the branch, and counts looks, in one commit. */
export async function publish(
  context: Context,
  branch: RecordsBranch,
  records: Published,
  { replace = false, meanwhile }: PublishOptions,
): Promise<Result<PublishOutcome>> {
  const looks = records.looks ?? [];
  const lost = await lostCounters(context, branch, looks);
  if (!lost.ok) return lost;
  let kept: readonly StageKey[] = [];
  let counters: readonly Looks[] = [];
  const swapped = await branch.swap(async (current) => {
    const planned = await filesFor(context, current, records, replace);
    if (!planned.ok) return planned;
    kept = planned.value.kept;
    const { files } = planned.value;
    const counted = await addLooks(context, current, files, looks, lost.value);
    if (!counted.ok) return counted;
    counters = counted.value;
    return ok(files.size === 0 ? undefined : { message: messageFor(records), files });
  }, meanwhile);
  if (!swapped.ok) return swapped;
  if (swapped.value.changed) {
    const name = records.stages.length + records.runs.length > 0 ? "records pushed" : "looks counted";
    context.emit({ type: "effect", name });
  }
  return ok({ ...swapped.value, kept, looks: counters });
}

/** What to write, given the branch as it stands. */
async function filesFor(
  context: Context,
  current: Pick<Source, "read"> | undefined,
  { stages, runs }: Published,
  replace: boolean,
): Promise<Result<{ files: Map<string, Buffer>; kept: StageKey[] }>> {
  const files = new Map<string, Buffer>();
  const kept: StageKey[] = [];
  for (const record of stages) {
    const path = stagePath(record.key);
    if (!isTrusted(record)) {
      const stays = await staysFor(current, untrusted(path), record, (bytes, where) =>
        parseStage(context, where, bytes, record.key),
      );
      if (!stays.ok) return stays;
      if (!stays.value) files.set(untrusted(path), Buffer.from(fileJson(record)));
      continue;
    }
    const present = await current?.read(path);
    if (present?.ok === false) return present;
    const before = present?.value && parseStage(context, path, present.value, record.key);
    if (before === undefined || !isTrusted(before) || replace) files.set(path, Buffer.from(fileJson(record)));
    else if (!sameOutputs(before, record)) kept.push(record.key);
  }
  for (const record of runs) {
    if (record.commit === null) continue;
    const { commit, pipeline } = record;
    const path = isTrusted(record) ? runPath(commit, pipeline) : untrusted(runPath(commit, pipeline));
    const parse = (bytes: Buffer, where: string): RunRecord | undefined =>
      parseRun(context, where, bytes, commit, pipeline);
    const stays = await staysFor(current, path, record, parse);
    if (!stays.ok) return stays;
    const before = isTrusted(record) ? await current?.read(path) : undefined;
    if (before?.ok === false) return before;
    // What was judged of the run stays with it when it is run again.
    const looks = (before?.value && parse(before.value, path)?.looks) ?? [];
    if (!stays.value) files.set(path, Buffer.from(fileJson(withLooks(record, looks))));
  }
  return ok({ files, kept });
}

/** What a person sends takes no job's place, and that of what a person sent only if it is newer. */
async function staysFor<T extends StageRecord | RunRecord>(
  current: Pick<Source, "read"> | undefined,
  path: string,
  record: T,
  parse: (bytes: Buffer, where: string) => T | undefined,
): Promise<Result<boolean>> {
  if (record.provenance?.event !== LOCAL) return ok(false);
  const present = await current?.read(path);
  if (present?.ok === false) return present;
  const before = present?.value && parse(present.value, path);
  if (before === undefined) return ok(false);
  return ok(before.provenance?.event !== LOCAL || Date.parse(before.startedAt) >= Date.parse(record.startedAt));
}

function sameOutputs(a: StageRecord, b: StageRecord): boolean {
  return canonicalJson(a.outs) === canonicalJson(b.outs);
}

/** Names come from a pipeline's file and are checked by its schema; a commit is hex digits. */
function messageFor({ stages, runs, looks = [] }: Published): string {
  const named = runs.map(({ pipeline, commit }) => `${pipeline} at ${commit?.slice(0, 12) ?? "no commit"}`);
  const title = named.length > 0 ? named.join(", ") : stages.length > 0 ? "Records" : "Looks at test sets";
  return `${title}\n\n${stages.length} stages, ${runs.length} runs, ${looks.length} looks\n`;
}
