import { compareCodeUnits, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { CatFile, git } from "../git/index.ts";
import { listLocalRuns, readLocal } from "./local.ts";
import { parseRun, warnOfDamaged } from "./parse.ts";
import { runAt, toEntry } from "./run-entry.ts";
import type { RunEntry } from "./run-entry.ts";
import { loadIndex, saveIndex } from "./run-index.ts";
import type { Indexed } from "./run-index.ts";

/** Records that are in memory at a time while they are read. */
const BATCH = 256;
const WARNED = 5;

/** A record as it is found: where, and a name of its bytes. */
interface Found {
  readonly path: string;
  readonly place: RunEntry["place"];
  readonly id: string;
}

/**
 * Every run that is recorded here or on the branch `ref`, newest first. Only records that are new since the last time
 * are read; the others are known from the index.
 */
export async function listRuns(context: Context, branch: string, ref: string): Promise<Result<RunEntry[]>> {
  const index = await loadIndex(context);
  const here = await listLocalRuns(context);
  if (!here.ok) return here;
  const trees = await treesOf(context, ref);
  if (!trees.ok) return trees;
  const onBranch = index.trees === trees.value ? ok(undefined) : await list(context, ref);
  if (!onBranch.ok) return onBranch;
  const runs = new Map<string, Indexed>();
  if (onBranch.value === undefined) {
    for (const [key, known] of index.runs) if (!key.startsWith("here ")) runs.set(key, known);
  }
  const fresh: Found[] = [];
  for (const found of [...here.value.map((run): Found => ({ ...run, place: "here" })), ...(onBranch.value ?? [])]) {
    const known = index.runs.get(keyOf(found));
    if (known?.id === found.id) runs.set(keyOf(found), known);
    else fresh.push(found);
  }
  const read = await readAll(context, branch, fresh, runs);
  if (!read.ok) return read;
  if (fresh.length > 0 || runs.size !== index.runs.size || trees.value !== index.trees) {
    const saved = await saveIndex(context, { trees: trees.value, runs });
    if (!saved.ok) return saved;
  }
  return ok(inOrder(context, runs));
}

function keyOf({ place, path }: Pick<Found, "place" | "path">): string {
  return place === "here" ? `here ${path}` : path;
}

/** The names of the two trees that hold runs; lines of "ref:path" for those that are not there. */
async function treesOf(context: Context, ref: string): Promise<Result<string>> {
  const input = `${ref}:runs\n${ref}:untrusted/runs\n`;
  return git(context, ["cat-file", "--batch-check=%(objectname)"], { input });
}

async function list(context: Context, ref: string): Promise<Result<Found[]>> {
  const there = await git(context, ["cat-file", "--batch-check=%(objecttype)"], { input: `${ref}^{tree}\n` });
  if (!there.ok || there.value.trim() !== "tree") return there.ok ? ok([]) : there;
  const listed = await git(context, ["ls-tree", "-r", "-z", "--full-tree", ref, "runs", "untrusted/runs"]);
  if (!listed.ok) return listed;
  return ok(
    listed.value.split("\0").flatMap((line): Found[] => {
      const [, id, path] = /^\d+ blob ([0-9a-f]+)\t(.+)$/s.exec(line) ?? [];
      if (id === undefined || path === undefined) return [];
      return [{ path, id, place: path.startsWith("untrusted/") ? "apart" : "branch" }];
    }),
  );
}

async function readAll(
  context: Context,
  branch: string,
  fresh: readonly Found[],
  into: Map<string, Indexed>,
): Promise<Result<void>> {
  const objects = new CatFile(context);
  // Damaged records are told of together with those that were known before.
  const silent = { ...context, emit: () => {} };
  for (let from = 0; from < fresh.length; from += BATCH) {
    const batch = fresh.slice(from, from + BATCH);
    // oxlint-disable-next-line no-await-in-loop -- so many at once
    const read = await Promise.all(batch.map(async (found) => bytesOf(context, objects, found)));
    for (const [at, bytes] of read.entries()) {
      if (!bytes.ok) return bytes;
      const found = batch[at] as Found;
      const run = runAt(found.path);
      const where = found.place === "here" ? `.lockstep/records/${found.path}` : `${branch}:${found.path}`;
      const record =
        run === undefined || bytes.value === undefined
          ? undefined
          : parseRun(silent, where, bytes.value, run.commit, run.pipeline);
      into.set(keyOf(found), { id: found.id, entry: record && toEntry(record, found.place) });
    }
  }
  objects.close();
  return ok();
}

async function bytesOf(context: Context, objects: CatFile, found: Found): Promise<Result<Buffer | undefined>> {
  if (found.place === "here") return readLocal(context, found.path);
  const object = await objects.read(found.id);
  return object.ok ? ok(object.value?.bytes) : object;
}

function inOrder(context: Context, runs: ReadonlyMap<string, Indexed>): RunEntry[] {
  const entries: RunEntry[] = [];
  const damaged: string[] = [];
  for (const [key, { entry }] of runs) {
    if (entry === undefined) damaged.push(key);
    else entries.push(entry);
  }
  damaged.slice(0, WARNED).forEach((key) => warnOfDamaged(context, key));
  if (damaged.length > WARNED) warnOfDamaged(context, `so are ${damaged.length - WARNED} more; each of them`);
  // What was sent from here stands on the branch as untrusted, and is told once.
  const sent = new Set(entries.filter(({ place }) => place === "apart").map(identity));
  const ours = new Set(entries.filter(({ place }) => place === "here").map(identity));
  return entries
    .filter((entry) => entry.place !== "apart" || !ours.has(identity(entry)))
    .map((entry) => (entry.place === "here" && sent.has(identity(entry)) ? { ...entry, standing: "untrusted" } : entry))
    .sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt)) as RunEntry[];
}

function identity({ pipeline, commit, startedAt, ms }: RunEntry): string {
  return `${pipeline} ${commit} ${startedAt} ${ms}`;
}
