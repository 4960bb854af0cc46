import { join, posix } from "node:path";
import { fail, isRelativePath, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import type { Dataset, DatasetSource } from "../config/index.ts";
import { workingTree } from "../git/index.ts";
import { digestOfFile, hasContent, localCache, restore, snapshot } from "../store/index.ts";
import type { Snapshot, Store } from "../store/index.ts";
import { addData, clashOf } from "./add.ts";
import { fetchOrigin } from "./import-fetch.ts";
import { openOrigin } from "./import-origin.ts";
import type { Origin, Pin, TransferOptions } from "./import-origin.ts";
import { differences } from "./import-pin.ts";
import { takePlace } from "./import-place.ts";
import { loadDataLock } from "./lock.ts";

export interface ImportOptions {
  /** Where content may be kept: what stands in the working tree is replaced only if one of them has it. */
  readonly stores: readonly Store[];
  /** What the file has to be. */
  readonly digest?: Digest;
  readonly transfer?: TransferOptions;
}

export interface ImportedData {
  readonly name: string;
  readonly dataset: Dataset;
  /** False when the source still has what was imported before. */
  readonly changed: boolean;
}

interface Target {
  readonly name: string;
  readonly path: RelativePath;
}

/**
 * Fetches a file (or all objects below an s3 prefix) and tracks it as a dataset with its source. Bytes go to the cache,
 * then into the working tree, then the lockfile names them; whatever is killed, the same command finishes.
 */
export async function importData(
  context: Context,
  options: ImportOptions & { readonly url: string; readonly path?: string; readonly name?: string },
): Promise<Result<ImportedData>> {
  const origin = await openOrigin(context, options.url, options.transfer);
  if (!origin.ok) return origin;
  const target = await targetOf(context, origin.value, options.path, options.name);
  return target.ok ? bring(context, origin.value, target.value, options) : target;
}

/** Fetches a dataset's source again, unless it says that it is still the same and a store has what it was. */
export async function updateImport(
  context: Context,
  options: ImportOptions & { readonly name: string },
): Promise<Result<ImportedData>> {
  const { name, stores } = options;
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const { datasets } = lock.value;
  const dataset = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
  if (dataset?.source === undefined) {
    const known = Object.keys(datasets).filter((other) => datasets[other]?.source !== undefined);
    const what = dataset === undefined ? "dataset" : "source of dataset";
    return fail({ code: "unknown-name", what, name, known });
  }
  const origin = await openOrigin(context, dataset.source.url, options.transfer);
  if (!origin.ok) return origin;
  const target = { name, path: dataset.path };
  const free = await isReplaceable(context, target, stores);
  if (!free.ok) return free;
  const look = await origin.value.look();
  if (!look.ok) return look;
  if ("gone" in look.value) return fail({ code: "external", what: origin.value.url, problem: look.value.gone });
  const same = differences(dataset.source, look.value.pin)?.length === 0;
  if (!same || options.digest !== undefined || !(await isKept(dataset, stores))) {
    return bring(context, origin.value, target, options);
  }
  const restored = await restore(context, dataset, stores);
  return restored.ok ? ok({ name, dataset, changed: false }) : restored;
}

/** Where an import goes, before anything is sent. */
async function targetOf(
  context: Context,
  origin: Origin,
  path: string | undefined,
  name: string | undefined,
): Promise<Result<Target>> {
  const asNamed = path === undefined || path.endsWith("/");
  const wanted = asNamed ? `${path ?? ""}${origin.name}` : path;
  const normal = posix.normalize(wanted);
  if (asNamed && origin.name === "") {
    return fail({
      code: "usage",
      message: "the URL does not say what the file is called",
      hint: "give a path after it",
    });
  }
  if (!isRelativePath(normal)) return fail({ code: "usage", message: `${wanted} is not a path inside the repository` });
  const lock = await loadDataLock(workingTree(context));
  if (!lock.ok) return lock;
  const { datasets } = lock.value;
  const known = Object.keys(datasets).find((other) => datasets[other]?.path === normal);
  const chosen = name ?? known ?? posix.basename(normal).replace(/(.)\.[^.]*$/, "$1");
  const clash = clashOf(chosen, normal, datasets, known);
  if (clash !== undefined) return fail({ code: "usage", ...clash });
  if (known !== undefined && datasets[known]?.source?.url !== origin.url) {
    const message = `${normal} is dataset "${known}" already, from elsewhere`;
    return fail({ code: "usage", message, hint: "give another path after the URL" });
  }
  return ok({ name: chosen, path: normal });
}

async function bring(
  context: Context,
  origin: Origin,
  target: Target,
  options: ImportOptions,
): Promise<Result<ImportedData>> {
  const free = await isReplaceable(context, target, options.stores);
  if (!free.ok) return free;
  const place = await takePlace(context, origin.url);
  if (!place.ok) return place;
  const fetched = await fetchOrigin(context, origin, place.value.folder, options.transfer ?? {});
  if (!fetched.ok) {
    await place.value.release(true);
    return fetched;
  }
  try {
    const matches = await isExpected(join(place.value.folder, "content"), origin, options.digest);
    if (!matches.ok) return matches;
    // Seen as a working tree of its own, so that the index of this one does not learn of it.
    const scratch = { ...context, cwd: place.value.folder };
    const taken = await snapshot(scratch, "content" as RelativePath, localCache(context));
    if (!taken.ok) return taken;
    return await install(
      context,
      target,
      taken.value,
      sourceOf(origin.url, fetched.value, taken.value),
      options.stores,
    );
  } finally {
    await place.value.release(false);
  }
}

async function install(
  context: Context,
  { name, path }: Target,
  { kind, digest }: Snapshot,
  source: DatasetSource,
  stores: readonly Store[],
): Promise<Result<ImportedData>> {
  // It may have been edited while the transfer went on.
  const free = await isReplaceable(context, { name, path }, stores);
  if (!free.ok) return free;
  const restored = await restore(context, { path, kind, digest }, [localCache(context)]);
  if (!restored.ok) return restored;
  const added = await addData(context, { path, name, source });
  return added.ok ? ok({ name, dataset: added.value.dataset, changed: added.value.changed }) : added;
}

function sourceOf(url: string, { etag, lastModified, listing }: Pin, { digest, size }: Snapshot): DatasetSource {
  return {
    url,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(listing === undefined ? {} : { listing }),
    size,
    digest,
  };
}

/** Ok when nothing stands at the path, or only what a store has too. */
async function isReplaceable(
  context: Context,
  { name, path }: Target,
  stores: readonly Store[],
): Promise<Result<void>> {
  const there = await snapshot(context, path);
  if (!there.ok) return there.failures[0].code === "file-missing" ? ok() : there;
  if (await isKept(there.value, stores)) return ok();
  const hint = `\`lockstep data add ${path}\` keeps it, or delete it, and import again`;
  return fail({ code: "data-changed", dataset: name, path, hint });
}

async function isKept(content: Pick<Snapshot, "kind" | "digest">, stores: readonly Store[]): Promise<boolean> {
  for (const store of stores) {
    const there = await hasContent(store, content);
    if (there.ok && there.value) return true;
  }
  return false;
}

async function isExpected(absolute: string, origin: Origin, digest: Digest | undefined): Promise<Result<void>> {
  if (digest === undefined) return ok();
  if (origin.list !== undefined) {
    return fail({ code: "usage", message: "--digest is for one file, and the URL is that of a folder" });
  }
  const actual = await digestOfFile(absolute);
  if (!actual.ok) return actual;
  if (actual.value.digest === digest) return ok();
  return fail({ code: "blob-corrupt", digest, actual: actual.value.digest, where: origin.url, hint: NOT_THAT });
}

const NOT_THAT = "nothing was imported: the source has other bytes, or --digest is that of another version";
