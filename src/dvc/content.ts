import type { BigIntStats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { all, attempt, fail, isDvcDigest, isSystemError, ok } from "../core/index.ts";
import type { Context, DvcDigest, Result } from "../core/index.ts";
import { indexOf, mapLimited } from "../store/index.ts";
import type { FoundFile } from "../store/index.ts";
import { digestOfListing } from "./listing.ts";
import { md5OfFile } from "./md5.ts";

const WIDTH = 8;
const LOOKS = 64;

/**
 * What stands at a path of the working tree, under DVC's name for it (`legacy`: that of DVC 2). A folder counts with all
 * files that are on disk, ignored by git or not, as DVC counts it. Files that did not change since they were seen are not
 * read. Undefined: there is nothing. Links are `unsupported`, but for those that DVC makes, which lead into its cache.
 */
export async function digestAt(
  context: Context,
  path: string,
  { cache, legacy }: { readonly cache: string; readonly legacy: boolean },
): Promise<Result<DvcDigest | undefined>> {
  const found = await filesAt(context, path, cache);
  if (!found.ok || found.value === undefined) return found as Result<undefined>;
  const { folder, files } = found.value;
  const hashed = await hashAll(context, files, legacy);
  if (!hashed.ok) return hashed;
  if (!folder) return ok(hashed.value[0]!);
  const kind = kindOf(legacy);
  const listing = files.map(
    (file, at) => [file.path.slice(path.length + 1), hashed.value[at]!.slice(kind.length + 1)] as const,
  );
  return ok(digestOfListing(new Map(listing), legacy));
}

/** DVC's names of files, in their order. What is learnt is kept by `keepNames`. */
export async function hashAll(
  context: Context,
  files: readonly FoundFile[],
  legacy: boolean,
): Promise<Result<DvcDigest[]>> {
  const index = await indexOf(context, "dvc-index", isDvcDigest);
  const kind = kindOf(legacy);
  let mark: Promise<bigint> | undefined;
  return attempt("DVC's data", async () =>
    mapLimited(files, WIDTH, async (file): Promise<DvcDigest> => {
      const name = `${kind} ${file.path}`;
      const known = index.lookUp(name, file.stat);
      if (known !== undefined) return known;
      const before = await (mark ??= index.mark());
      const digest = `${kind}:${await md5OfFile(join(context.cwd, file.path), legacy)}` as DvcDigest;
      index.remember(name, file.stat, digest, before);
      return digest;
    }),
  );
}

/** Writes down what was hashed, so that files are read once. At the end of a piece of work: it writes all that is known. */
export async function keepNames(context: Context): Promise<void> {
  await (await indexOf(context, "dvc-index", isDvcDigest)).save();
}

function kindOf(legacy: boolean): string {
  return legacy ? "md5-dos2unix" : "md5";
}

async function filesAt(
  context: Context,
  path: string,
  cache: string,
): Promise<Result<{ folder: boolean; files: FoundFile[] } | undefined>> {
  const look = await attempt(path, async () => lstat(join(context.cwd, path)).catch(missing));
  if (!look.ok) return look;
  if (look.value === undefined) return ok(undefined);
  const folder = look.value.isDirectory();
  const names = folder ? await attempt(path, async () => below(context, path)) : ok([path]);
  if (!names.ok) return names;
  const looked = all(
    await mapLimited(names.value, LOOKS, async (name): Promise<Result<FoundFile>> => {
      const file = await attempt(name, async () => fileAt(join(context.cwd, name), cache));
      if (!file.ok) return file;
      if (file.value !== undefined) return ok({ path: name, stat: file.value });
      return fail({ code: "unsupported", what: `${name}: a link or a special file as input` });
    }),
  );
  return looked.ok ? ok({ folder, files: looked.value }) : looked;
}

async function below(context: Context, folder: string): Promise<string[]> {
  const entries = await readdir(join(context.cwd, folder), { recursive: true, withFileTypes: true });
  const from = context.cwd.length + 1;
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(from).split(sep).join("/"));
}

/** Undefined: no file that may be read. */
async function fileAt(absolute: string, cache: string): Promise<BigIntStats | undefined> {
  const own = await lstat(absolute, { bigint: true });
  if (own.isFile()) return own;
  if (!own.isSymbolicLink()) return undefined;
  const target = await realpath(absolute).catch(missing);
  const inside = await realpath(cache).catch(missing);
  if (target === undefined || inside === undefined || !target.startsWith(inside + sep)) return undefined;
  return stat(absolute, { bigint: true });
}

function missing(error: unknown): undefined {
  if (isSystemError(error) && ["ENOENT", "ENOTDIR"].includes(error.code)) return undefined;
  throw error;
}
