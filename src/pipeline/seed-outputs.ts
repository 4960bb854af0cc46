import { lstat, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { RecordedOutput } from "../config/index.ts";
import { attempt, compareCodeUnits, fail, ok } from "../core/index.ts";
import type { Context, DvcDigest, RelativePath, Result } from "../core/index.ts";
import { digestAt, digestIn, findObject, hashAll, readListing } from "../dvc/index.ts";
import type { DvcPlaces, LockedStage } from "../dvc/index.ts";
import type { Source } from "../git/index.ts";
import { digestOf, encodeTree, hashFiles, snapshot } from "../store/index.ts";
import type { FoundFile, TreeEntry } from "../store/index.ts";
import { parseMetrics } from "./metrics.ts";
import type { Output, Stage } from "./stage.ts";

/** An output that dvc.lock names, where its bytes were found, as a record has it. */
export interface FoundOutput {
  readonly output: RecordedOutput;
  readonly name: DvcDigest;
  /** Reads it, for a file. */
  readonly read: () => Promise<Result<Buffer>>;
}

/** Everything that a lock's entry says a stage made: found in place, in git, or in DVC's cache; a text: what is nowhere. */
export async function lockedOutputs(
  context: Context,
  source: Source,
  places: DvcPlaces,
  stage: Stage,
  locked: LockedStage,
): Promise<Result<readonly FoundOutput[] | string>> {
  const found: FoundOutput[] = [];
  for (const out of stage.outs) {
    const named = locked.outs.get(out.path);
    if (named === undefined) return ok(`dvc.lock does not have its output ${out.path}`);
    const one =
      (source.commit === null
        ? await inPlace(context, places, out, named.digest)
        : await inGit(source, out, named.digest)) ?? (await inCache(context, places, out, named));
    if (one === undefined)
      return ok(`its output ${out.path}, as dvc.lock has it, is not here (\`dvc pull\` brings it)`);
    if (!one.ok) return one;
    found.push(one.value);
  }
  return ok(found);
}

/** The metrics among these. */
export async function lockedMetrics(
  stage: Stage,
  found: readonly FoundOutput[],
): Promise<Result<Record<RelativePath, Record<string, number>>>> {
  const metrics: Record<RelativePath, Record<string, number>> = {};
  for (const { output, read } of found) {
    if (!stage.outs.some(({ path, uses }) => path === output.path && uses.includes("metric"))) continue;
    const bytes = await read();
    if (!bytes.ok) return bytes;
    const parsed = await parseMetrics(output.path, bytes.value);
    if (!parsed.ok) return parsed;
    metrics[output.path] = parsed.value;
  }
  return ok(metrics);
}

/** Undefined: something else is there, or nothing. */
async function inPlace(
  context: Context,
  { cache }: DvcPlaces,
  { path }: Output,
  name: DvcDigest,
): Promise<Result<FoundOutput> | undefined> {
  const there = await digestAt(context, path, { cache, legacy: isLegacy(name) });
  if (!there.ok) return there.failures[0].code === "unsupported" ? undefined : there;
  if (there.value !== name) return undefined;
  const taken = await snapshot(context, path);
  // A link of DVC's into its cache: the cache is looked at.
  if (!taken.ok) return taken.failures[0].code === "unsupported" ? undefined : taken;
  const { kind, digest, size, mode } = taken.value;
  const output: RecordedOutput = { path, kind, digest, size, ...(mode === undefined ? {} : { mode }) };
  return ok({ output, name, read: async () => attempt(path, async () => readFile(join(context.cwd, path))) });
}

async function inGit(source: Source, { path }: Output, name: DvcDigest): Promise<Result<FoundOutput> | undefined> {
  const kind = await source.stat(path);
  if (!kind.ok) return kind;
  // Folders that git keeps are looked at in the working tree only.
  if (kind.value !== "file") return undefined;
  const there = await digestIn(source, path, isLegacy(name));
  if (!there.ok) return there;
  const [bytes, mode] = [await source.read(path), await source.mode(path)];
  if (!bytes.ok) return bytes;
  if (!mode.ok) return mode;
  const content = bytes.value;
  if (there.value !== name || content === undefined) return undefined;
  const output: RecordedOutput = { path, kind: "file", digest: digestOf(content), size: content.length };
  return ok({
    output: { ...output, ...(mode.value === "755" ? { mode: "755" } : {}) },
    name,
    read: async () => ok(content),
  });
}

async function inCache(
  context: Context,
  places: DvcPlaces,
  { path }: Output,
  { digest: name, mode }: { readonly digest: DvcDigest; readonly mode?: "755" },
): Promise<Result<FoundOutput> | undefined> {
  const kind = isLegacy(name) ? "md5-dos2unix" : "md5";
  const listing = name.endsWith(".dir") ? await readListing(places, name) : ok(undefined);
  if (!listing.ok) return listing;
  if (listing.value === undefined) {
    if (name.endsWith(".dir")) return undefined;
    const objects = await objectsOf(context, places, [name], isLegacy(name));
    if (!objects?.ok) return objects;
    const [{ absolute, digest, size }] = objects.value as [ObjectFile];
    const output: RecordedOutput = { path, kind: "file", digest, size, ...(mode === undefined ? {} : { mode }) };
    return ok({ output, name, read: async () => attempt(absolute, async () => readFile(absolute)) });
  }
  const files = [...listing.value].sort(([a], [b]) => compareCodeUnits(a, b));
  const names = files.map(([, md5]) => `${kind}:${md5}` as DvcDigest);
  const objects = await objectsOf(context, places, names, isLegacy(name));
  if (!objects?.ok) return objects;
  const entries = files.map(([file], at): TreeEntry => {
    const { size, digest } = objects.value[at]!;
    return { path: file, mode: "644", size, digest };
  });
  const tree = encodeTree(path, entries);
  if (!tree.ok) return tree;
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  const read = async (): Promise<Result<Buffer>> => fail({ code: "file-missing", path });
  return ok({ output: { path, kind: "tree", digest: digestOf(tree.value), size }, name, read });
}

interface ObjectFile {
  readonly absolute: string;
  readonly digest: RecordedOutput["digest"];
  readonly size: number;
}

/** DVC's objects under our names, checked under theirs; both are remembered by the file's state. Undefined: one is missing. */
async function objectsOf(
  context: Context,
  places: DvcPlaces,
  names: readonly DvcDigest[],
  legacy: boolean,
): Promise<Result<ObjectFile[]> | undefined> {
  const files: (FoundFile & { absolute: string })[] = [];
  for (const name of names) {
    const found = await findObject(places, name);
    if (!found.ok) return found;
    const absolute = found.value;
    if (absolute === undefined) return undefined;
    const stat = await attempt(absolute, async () => lstat(absolute, { bigint: true }));
    if (!stat.ok) return stat;
    files.push({ absolute, path: relative(context.cwd, absolute).split(sep).join("/"), stat: stat.value });
  }
  const theirs = await hashAll(context, files, legacy);
  if (!theirs.ok) return theirs;
  const wrong = theirs.value.findIndex((actual, at) => actual !== names[at]);
  if (wrong !== -1) {
    const where = files[wrong]!.absolute;
    return fail({ code: "blob-corrupt", digest: names[wrong]!, actual: theirs.value[wrong]!, where });
  }
  const ours = await hashFiles(context, files);
  if (!ours.ok) return ours;
  return ok(ours.value.map(({ digest, size }, at) => ({ absolute: files[at]!.absolute, digest, size })));
}

export function isLegacy(name: DvcDigest): boolean {
  return name.startsWith("md5-dos2unix:");
}
