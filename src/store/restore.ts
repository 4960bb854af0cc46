import { randomUUID } from "node:crypto";
import { chmod, link, lstat, mkdir, realpath, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { attempt, fail, isRelativePath, isSystemError, metFor, ok } from "../core/index.ts";
import type { Context, Digest, RelativePath, Result } from "../core/index.ts";
import { fromFirst, readTree } from "./closure.ts";
import { copyBlob } from "./copy.ts";
import { fetchFiles } from "./fetch.ts";
import { mapLimited, prepareTemporaryFolder } from "./files.ts";
import { materialize } from "./materialize.ts";
import { isImpossibleOnWindows } from "./names.ts";
import { localCache } from "./open.ts";
import { rememberFile, rememberFolder } from "./remember.ts";
import { entriesAt } from "./snapshot.ts";
import type { Store } from "./store.ts";
import { encodeTree } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";
import { BACK_SECONDS } from "./work/write-group.ts";
import type { LinkMode } from "./work/write-group.ts";

export interface Restorable {
  readonly path: RelativePath;
  readonly kind: "file" | "tree";
  readonly digest: Digest;
  /** Of a lone file that is executable. */
  readonly mode?: "755" | undefined;
  /** Bytes, where they are known: what says otherwise is not read. */
  readonly size?: number | undefined;
}

const WIDTH = 8;

/**
 * Makes a path of the working tree be this output, by way of the local cache, from the first store that has each part.
 * What stands there already and matches is left alone. The rest is built aside and published by rename: at no moment
 * does the path hold a part of the files, though it may for an instant hold nothing. Other files at the path are lost:
 * callers protect them.
 */
export async function restore(
  context: Context,
  output: Restorable,
  stores: readonly Store[],
  how: LinkMode = "auto",
): Promise<Result<void>> {
  const { path, kind, digest } = output;
  const safe = await isInside(context, path);
  if (!safe.ok) return safe;
  const present = await entriesAt(context, path);
  // What is there and cannot be tracked (a link, say) is not replaced behind the user's back.
  if (!present.ok) return present;
  const there = present.value;
  const wanted: Result<readonly TreeEntry[]> =
    kind === "tree"
      ? await readTree(digest, stores, path)
      : ok([{ path: "", mode: output.mode ?? "644", size: -1, digest }]);
  if (!wanted.ok) return wanted;
  if (there?.kind === kind && isSame(there.entries, wanted.value)) return ok();

  const folder = await attempt(".lockstep/tmp", async () => prepareTemporaryFolder(context));
  if (!folder.ok) return folder;
  const aside = join(folder.value, randomUUID());
  try {
    const built =
      kind === "tree"
        ? await buildFolder(
            context,
            output,
            wanted.value,
            there?.kind === "tree" ? there.entries : [],
            stores,
            aside,
            how,
          )
        : await buildFile(context, output, stores, join(aside, "new"));
    if (!built.ok) return built;
    const swapped = await attempt(path, async () => swap(aside, join(context.cwd, path)));
    if (!swapped.ok) return swapped;
    if (kind === "tree") await rememberFolder(context, output, wanted.value);
    else await rememberFile(context, output);
    context.emit({ type: "effect", name: "output restored" });
    return ok();
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function isSame(there: readonly TreeEntry[], wanted: readonly TreeEntry[]): boolean {
  return (
    there.length === wanted.length &&
    wanted.every((entry, at) => {
      const other = there[at];
      return other?.path === entry.path && other.digest === entry.digest && other.mode === entry.mode;
    })
  );
}

/** Builds `aside/new`: files that match already by their name (not their bytes), the others from the cache. */
async function buildFolder(
  context: Context,
  { path, digest }: Restorable,
  wanted: readonly TreeEntry[],
  there: readonly TreeEntry[],
  stores: readonly Store[],
  aside: string,
  how: LinkMode,
): Promise<Result<void>> {
  const manifest = encodeTree(path, wanted);
  if (!manifest.ok) return manifest;
  const target = join(context.cwd, path);
  const next = join(aside, "new");
  const reusable = new Map(there.map((entry) => [entry.path, entry]));
  const reused: TreeEntry[] = [];
  const missing: TreeEntry[] = [];
  for (const entry of wanted) {
    const same = reusable.get(entry.path);
    (same?.digest === entry.digest && same.mode === entry.mode ? reused : missing).push(entry);
  }
  const written = await writeFiles(context, { root: digest, path, entries: missing }, stores, next, how);
  if (!written.ok) return written;
  // The cache has all of it now, unless some of it was here and needed no fetching.
  const kept = reused.length === 0 ? await localCache(context).put(manifest.value) : ok();
  if (!kept.ok) return kept;
  return attempt(path, async () => {
    const folders = new Set(reused.map((entry) => dirname(join(next, entry.path))));
    for (const folder of [next, ...folders]) await mkdir(folder, { recursive: true });
    await mapLimited(reused, WIDTH, async (entry) => link(join(target, entry.path), join(next, entry.path)));
  });
}

/** Writes files of a tree below a folder where they do not stand yet: fetched into the cache, verified, written. */
export async function writeFiles(
  context: Context,
  { root, path, entries }: { root: Digest; path: string; entries: readonly TreeEntry[] },
  stores: readonly Store[],
  into: string,
  how: LinkMode = "auto",
): Promise<Result<void>> {
  const impossible =
    process.platform === "win32" ? entries.find(({ path: name }) => isImpossibleOnWindows(name)) : undefined;
  if (impossible !== undefined) {
    const what = `${path}/${impossible.path}: a name that Windows cannot hold`;
    return fail({
      code: "unsupported",
      what,
      hint: "pull the other files with --path, or rename it where it comes from",
    });
  }
  const cache = localCache(context);
  const remotes = stores.filter(({ url }) => url !== cache.url);
  const files = entries.map((entry) => ({ digest: entry.digest, size: entry.size, label: `${path}/${entry.path}` }));
  const layout = await fetchFiles(context, { root, files, task: `fetch ${path}` }, cache, remotes);
  if (!layout.ok) return layout;
  return materialize(context, { root, path, entries, layout: layout.value, link: how }, cache, remotes, into);
}

async function buildFile(
  context: Context,
  output: Restorable,
  stores: readonly Store[],
  to: string,
): Promise<Result<void>> {
  const { path, digest, mode } = output;
  const cache = localCache(context);
  for (const remote of stores) {
    const there = await cache.has(digest);
    if (!there.ok) return there;
    if (there.value || remote.url === cache.url) continue;
    const fetched = await fetchLoneFile(context, output, remote);
    if (!fetched.ok) return fetched;
  }
  const taken = await fromFirst([cache, ...stores], digest, path, async (store) => store.toFile(digest, to));
  return taken.ok ? attempt(path, async () => putBack(to, mode)) : metFor(path, taken);
}

/** Gives a file its mode, and a time in the past: see `rememberFile`. */
async function putBack(path: string, mode: "755" | undefined): Promise<void> {
  if (mode === "755") await chmod(path, 0o755);
  const time = (await stat(path)).mtimeMs / 1000 - BACK_SECONDS;
  await utimes(path, time, time);
}

/** Brings a lone file into the cache as the remote keeps it: as one blob, or as chunks. */
async function fetchLoneFile(context: Context, output: Restorable, remote: Store): Promise<Result<void>> {
  const { digest, path } = output;
  const cache = localCache(context);
  const whole = await copyBlob(context, digest, remote, cache, path, () => {});
  // A damaged copy there does not hide a good one elsewhere: whoever reads all of them says so in the end.
  if (!whole.ok) return whole.failures[0].code === "blob-corrupt" ? ok() : whole;
  if (whole.value) return ok();
  const layout = await remote.layout(digest);
  const size = layout.ok ? layout.value?.chunked.get(digest)?.size : undefined;
  if (size === undefined) return layout.ok ? ok() : layout;
  if (size !== (output.size ?? size)) {
    const problem = `it gives ${path} ${size} bytes, which has ${output.size}`;
    return fail({ code: "tree-invalid", tree: `layout of ${digest} in ${remote.url}`, problem });
  }
  const files = [{ digest, size, label: path }];
  const fetched = await fetchFiles(context, { root: digest, files, task: `fetch ${path}` }, cache, [remote]);
  return fetched.ok ? ok() : fetched;
}

/** Puts `aside/new` at the target; what was there goes to `aside/old`. */
export async function swap(aside: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const next = join(aside, "new");
  const [before, after] = [await kindOf(target), await kindOf(next)];
  // One rename replaces a file by a file; anything else must step aside first.
  if (before !== undefined && !(before === "file" && after === "file")) await rename(target, join(aside, "old"));
  await rename(next, target);
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Holds that a path of a record or a lockfile stays in the repository, is no part of git's own folder, and does not
 * lead out of it through a link on the way.
 */
export async function isInside(context: Context, path: string): Promise<Result<void>> {
  const parts = path.split("/");
  if (!isRelativePath(path) || parts.some((part) => part.toLowerCase() === ".git")) {
    return fail({ code: "unsupported", what: `${JSON.stringify(path)} as an output's path` });
  }
  const root = await attempt(context.cwd, async () => realpath(context.cwd));
  if (!root.ok) return root;
  for (let depth = parts.length - 1; depth > 0; depth--) {
    const parent = parts.slice(0, depth).join("/");
    try {
      const real = await realpath(join(context.cwd, parent));
      if (real === root.value || real.startsWith(root.value + sep)) return ok();
      return fail({
        code: "unsupported",
        what: `${path}: an output behind the link ${parent}, which leaves the repository`,
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (error.code !== "ENOENT") return fail({ code: "external", what: path, problem: error.message, cause: error });
    }
  }
  return ok();
}
