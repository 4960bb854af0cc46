import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { attempt, compareCodeUnits, fail, isDigest, isSystemError, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";

export type SegmentKind = "predictions" | "feedback";

/** A batch of logged rows: one blob in the store, and one name in the index that says all about it. */
export interface Segment {
  readonly model: string;
  readonly kind: SegmentKind;
  /** Time of the first and of the last row, in ms since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly digest: Digest;
}

/**
 * The prediction log: blobs in the store, found through an append-only index. An entry of the index is a name without
 * content, `logs/v1/<model>/<UTC day of the last row>/<kind>.<from>-<to>.<rows>.<hex>`: listing by prefix is all that
 * a driver must offer, writers never meet, and a window costs one listing a day.
 */
export interface LogStore {
  /** Stores the bytes, then names them: a segment that is listed can be read. Appending twice is appending once. */
  append(segment: Omit<Segment, "digest">, bytes: Uint8Array): Promise<Result<Segment>>;
  /** Segments with a row at or after `since`, newest first. */
  list(model: string, kind: SegmentKind, since: Date): Promise<Result<readonly Segment[]>>;
  read(segment: Segment): Promise<Result<Buffer>>;
}

/** A segment is a few hundred rows; anything near this size is not one. */
const MAX_SEGMENT_BYTES = 256 * 1024 * 1024;
const NAME = /^(predictions|feedback)\.(\d{1,15})-(\d{1,15})\.(\d{1,9})\.([0-9a-f]{64})$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

function nameOf({ kind, from, to, rows, digest }: Segment): string {
  return `${kind}.${from}-${to}.${rows}.${digest.slice("sha256:".length)}`;
}

function parseName(model: string, name: string): Segment | undefined {
  const [, kind, from, to, rows, hex] = NAME.exec(name) ?? [];
  const digest = `sha256:${hex}`;
  if (kind === undefined || !isDigest(digest)) return undefined;
  return { model, kind: kind as SegmentKind, from: Number(from), to: Number(to), rows: Number(rows), digest };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The log beside the blobs of a store. Fails with "unsupported" for a store whose driver keeps no log. */
export function openLogs(context: Context, url: string): Result<LogStore> {
  const { signal: _, ...unstoppable } = context;
  // What was logged is written down also by a server that was told to stop.
  const store = openStore(unstoppable, url);
  if (!store.ok) return store;
  const root = rootOf(context, url);
  if (root === undefined) return fail({ code: "unsupported", what: `a prediction log in ${url}` });
  return ok(fileLogs(store.value, root));
}

/** Every blob that the log of a store names, of all models and times; none where the driver keeps no log. */
export async function loggedBlobs(context: Context, url: string): Promise<Result<Digest[]>> {
  const root = rootOf(context, url);
  if (root === undefined) return ok([]);
  return attempt("the prediction log", async () => {
    const names = await readdir(root, { recursive: true }).catch((error: unknown) => {
      if (isSystemError(error) && error.code === "ENOENT") return [];
      throw error;
    });
    return [...new Set(names.flatMap((name) => parseName("", basename(name))?.digest ?? []))];
  });
}

function rootOf(context: Context, url: string): string | undefined {
  if (!url.startsWith("file:")) return undefined;
  const path = url.startsWith("file://") ? fileURLToPath(url) : url.slice("file:".length);
  return join(isAbsolute(path) ? path : resolve(context.cwd, path), "logs", "v1");
}

function fileLogs(store: Store, root: string): LogStore {
  const listed = async (folder: string): Promise<string[]> => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (isSystemError(error) && error.code === "ENOENT") return [];
      throw error;
    }
  };
  return {
    async append(segment, bytes) {
      const digest = await store.put(bytes);
      if (!digest.ok) return digest;
      const named = { ...segment, digest: digest.value };
      return attempt("the prediction log", async () => {
        const folder = join(root, segment.model, dayOf(segment.to));
        await mkdir(folder, { recursive: true });
        await writeFile(join(folder, nameOf(named)), "");
        return named;
      });
    },
    async list(model, kind, since) {
      return attempt("the prediction log", async () => {
        const first = dayOf(since.getTime());
        const days = (await listed(join(root, model))).filter((day) => DAY.test(day) && day >= first);
        const names = await Promise.all(days.map(async (day) => listed(join(root, model, day))));
        return names
          .flat()
          .flatMap((name) => parseName(model, name) ?? [])
          .filter((segment) => segment.kind === kind && segment.to >= since.getTime())
          .sort((a, b) => b.to - a.to || b.from - a.from || compareCodeUnits(a.digest, b.digest));
      });
    },
    async read(segment) {
      return store.read(segment.digest, { maxBytes: MAX_SEGMENT_BYTES });
    },
  };
}
