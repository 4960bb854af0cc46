import { createHash } from "node:crypto";
import { mkdir, open, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attempt, fail, failedIfAny, ok } from "../core/index.ts";
import type { Context, Digest, Failure, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import { CHUNKED_FILE } from "./chunker.ts";
import { DIGEST_BYTES, digestAt, digestBytes } from "./digest-table.ts";
import { mapLimited } from "./files.ts";
import type { Layout } from "./layout.ts";
import { mend } from "./mend.ts";
import { readPart } from "./parts.ts";
import { byteProgress } from "./progress.ts";
import type { LocalStore, Store } from "./store.ts";
import type { TreeEntry } from "./tree.ts";
import { Pool } from "./work/pool.ts";
import { BACK_SECONDS, writeGroup } from "./work/write-group.ts";
import type { GroupWritten, LinkMode, WriteGroup } from "./work/write-group.ts";

export interface Materialized {
  readonly root: Digest;
  /** As messages name the folder. */
  readonly path: string;
  readonly entries: readonly TreeEntry[];
  /** Where the cache has their parts. */
  readonly layout: Layout;
  readonly link: LinkMode;
}

const GROUP = { bytes: 8 * 1024 * 1024, parts: 1024 };
const INLINE = { bytes: 2 * 1024 * 1024, files: 200 };

/**
 * Writes files below a folder from the cache, on all cores, each part verified before it is written. A part that is
 * damaged here is fetched again from the other stores.
 */
export async function materialize(
  context: Context,
  wanted: Materialized,
  cache: LocalStore,
  remotes: readonly Store[],
  into: string,
): Promise<Result<void>> {
  const { entries, layout, path, link } = wanted;
  const made = await attempt(path, async () => {
    const folders = new Set(entries.map((entry) => dirname(join(into, entry.path))));
    for (const folder of [into, ...folders]) await mkdir(folder, { recursive: true });
  });
  if (!made.ok) return made;
  const isLarge = ({ digest, size }: TreeEntry): boolean => size > CHUNKED_FILE || layout.chunked.has(digest);
  const large = entries.filter(isLarge);
  const small = large.length === 0 ? entries : entries.filter((entry) => !isLarge(entry));
  const groups = groupsOf(small, wanted, cache, into);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  const progress = byteProgress(context, `write ${path}`, total);
  const bytes = total - large.reduce((sum, { size }) => sum + size, 0);
  await using pool = bytes > INLINE.bytes || small.length > INLINE.files ? new Pool() : undefined;
  const failures: Failure[] = [];
  const damaged: Digest[] = [];
  let [reflinked, hardlinked] = [0, 0];
  await mapLimited(groups, 2 * (pool?.width ?? 1), async (group) => {
    if (failures.length > 0) return;
    if (context.signal?.aborted) return void failures.push({ code: "interrupted" });
    const written = pool === undefined ? writeGroup(group) : await pool.do<GroupWritten>({ type: "write", ...group });
    reflinked += written.reflinked;
    hardlinked += written.hardlinked;
    for (const at of written.damaged) damaged.push(digestAt(Buffer.from(group.digests), at * DIGEST_BYTES));
    if (written.problem !== undefined) {
      failures.push({
        code: "external",
        what: `${path}${written.problem.path.slice(into.length)}`,
        problem: written.problem.message,
      });
    }
    progress(group.targets.reduce((sum, targets, at) => sum + targets.length * group.lengths[at]!, 0));
  });
  const failed = failedIfAny(failures);
  if (failed) return failed;
  if (damaged.length > 0) {
    const mended = await mend(context, wanted, damaged, cache, remotes);
    if (!mended.ok) return mended;
    const again = new Set(damaged);
    const left = { ...wanted, entries: small.filter(({ digest }) => again.has(digest)), layout: mended.value };
    const rewritten = await materialize(context, left, cache, [], into);
    if (!rewritten.ok) return rewritten;
  }
  if (link !== "auto" || reflinked > 0) {
    const copied = entries.length - reflinked - hardlinked;
    const message = `${path}: ${reflinked} files share blocks with the cache, ${hardlinked} are hard links, ${copied} are copies`;
    context.emit({ type: "note", message });
  }
  for (const entry of large) {
    const written = await writeLarge(context, wanted, entry, cache, remotes, join(into, entry.path), progress);
    if (!written.ok) return written;
  }
  return ok();
}

/** What the threads do: parts of one pack each, or single blobs, in the order in which they lie. */
function groupsOf(
  entries: readonly TreeEntry[],
  { layout, link }: Materialized,
  cache: LocalStore,
  into: string,
): WriteGroup[] {
  const parts = new Map<
    Digest,
    { pack: Digest; offset: number; length: number; targets: { path: string; executable: boolean }[] }
  >();
  for (const { digest, path, mode, size } of entries) {
    const place = layout.find(digest);
    const known = parts.get(digest);
    const part = known ?? { pack: place?.pack ?? digest, offset: place?.offset ?? 0, length: size, targets: [] };
    part.targets.push({ path: join(into, path), executable: mode === "755" });
    if (known === undefined) parts.set(digest, part);
  }
  const order = [...parts].sort(([, a], [, b]) => (a.pack < b.pack ? -1 : a.pack > b.pack ? 1 : a.offset - b.offset));
  const groups: WriteGroup[] = [];
  for (let at = 0; at < order.length;) {
    const { pack } = order[at]![1];
    let end = at;
    let bytes = 0;
    while (end < order.length && order[end]![1].pack === pack && bytes < GROUP.bytes && end - at < GROUP.parts) {
      bytes += order[end]![1].length;
      end += 1;
    }
    const members = order.slice(at, end);
    groups.push({
      source: cache.driver.pathOf(blobKey(pack)),
      offsets: members.map(([, { offset }]) => offset),
      lengths: members.map(([, { length }]) => length),
      digests: Buffer.concat(members.map(([digest]) => digestBytes(digest))),
      targets: members.map(([, { targets }]) => targets),
      link,
    });
    at = end;
  }
  return groups;
}

/** Puts a large file together from its chunks; once more when some were damaged and have been fetched again. */
async function writeLarge(
  context: Context,
  wanted: Materialized,
  entry: TreeEntry,
  cache: LocalStore,
  remotes: readonly Store[],
  to: string,
  progress: (bytes: number) => void,
): Promise<Result<void>> {
  const label = `${wanted.path}/${entry.path}`;
  const first = await assemble(context, wanted, entry, cache, to, label, progress);
  if (!first.ok || first.value === entry.digest) return first.ok ? ok() : first;
  const damaged: Digest[] = [];
  for (const chunk of wanted.layout.chunksOf(entry.digest) ?? [entry.digest]) {
    const read = await readPart(cache, wanted.layout, chunk, label);
    if (!read.ok) damaged.push(chunk);
  }
  const where = `${label}, put together from its chunks,`;
  if (damaged.length === 0) return fail({ code: "blob-corrupt", digest: entry.digest, actual: first.value, where });
  const mended = await mend(context, wanted, damaged, cache, remotes);
  if (!mended.ok) return mended;
  const second = await assemble(context, { ...wanted, layout: mended.value }, entry, cache, to, label, () => {});
  if (!second.ok) return second;
  return second.value === entry.digest
    ? ok()
    : fail({ code: "blob-corrupt", digest: entry.digest, actual: second.value, where });
}

/**
 * Writes the chunks one after another and gives the digest of the whole, which decides: the list of chunks is a hint,
 * and hashing each of them as well would tell no more.
 */
async function assemble(
  context: Context,
  { root, layout }: Pick<Materialized, "root" | "layout">,
  entry: TreeEntry,
  cache: LocalStore,
  to: string,
  label: string,
  progress: (bytes: number) => void,
): Promise<Result<string>> {
  const written = await attempt(label, async (): Promise<Result<string>> => {
    await using file = await open(to, "w", entry.mode === "755" ? 0o777 : 0o666);
    const hash = createHash("sha256");
    for (const chunk of layout.chunksOf(entry.digest) ?? [entry.digest]) {
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      const { pack, offset, length } = layout.find(chunk) ?? { offset: 0, length: entry.size };
      const got = await cache.driver.get(
        blobKey(pack ?? chunk),
        async (bytes) => {
          hash.update(bytes);
          await file.writeFile(bytes);
          progress(bytes.length);
        },
        pack === undefined ? undefined : { offset, length },
      );
      // A chunk that is cut short or gone here is damage like any other: the digest will say so.
      if (!got.ok && got.failures[0].code === "interrupted") return got;
    }
    await file.close();
    const { size, mtimeMs } = await stat(to);
    const digest = `sha256:${hash.digest("hex")}`;
    if (digest === entry.digest && size !== entry.size) {
      const problem = `it says that ${label} has ${entry.size} bytes; it has ${size}`;
      return fail({ code: "tree-invalid", tree: root, problem });
    }
    const time = mtimeMs / 1000 - BACK_SECONDS;
    await utimes(to, time, time);
    return ok(digest);
  });
  return written.ok ? written.value : written;
}
