import { dataLockSchema, modelLockSchema, parseConfig } from "../../config/index.ts";
import type { DataLock, ModelLock } from "../../config/index.ts";
import { isDigest, message, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import { DATA_LOCK } from "../lock.ts";
import { spelledDigests } from "./root.ts";
import type { Marks, MarkSource, Root } from "./root.ts";

const MODEL_LOCK = /^models\/[^/]+\/lock\.json$/;
/** What git is asked for; the same files as `isLockfile`. */
export const LOCKFILES = [DATA_LOCK, ":(glob)models/*/lock.json"];

export function isLockfile(path: string): boolean {
  return path === DATA_LOCK || MODEL_LOCK.test(path);
}

/**
 * The roots that a lockfile names. One that cannot be read is a doubt, and what looks like a digest in it is kept:
 * after "go on all the same" too, both sides of an unfinished merge and the lockfile of a newer version keep their data.
 */
export function rootsOf(path: string, text: string, source: MarkSource, where: string): Marks {
  // Anybody can open a pull request: that must not be enough to keep a team from collecting.
  const strange = source === "open pull requests";
  const parsed = path === DATA_LOCK ? dataRoots(path, text) : modelRoots(path, text);
  if (parsed.ok) {
    const roots = parsed.value.map(({ what, kind, digest }): Root => ({
      kind: strange ? "any" : kind,
      digest,
      source,
      why: `${what} ${where}`,
    }));
    return { roots, doubts: [] };
  }
  const roots = spelledDigests(text).map((digest): Root => ({
    kind: "any",
    digest,
    source,
    why: `${path} ${where}, which cannot be read`,
  }));
  if (strange) return { roots, doubts: [] };
  const [cause] = parsed.failures;
  const place = "at" in cause && cause.at !== undefined ? `:${cause.at.line}` : "";
  const failure = {
    code: "external",
    what: `${path}${place} ${where}`,
    problem: `it cannot be read (${message(cause)}), so what it names is not known`,
    hint: "mend it; or --unreadable-ok keeps what looks like a digest in it and goes on",
    cause,
  } as const;
  return { roots, doubts: [{ kind: "unreadable", failure }] };
}

type Named = Pick<Root, "kind" | "digest"> & { readonly what: string };

function dataRoots(path: string, text: string): Result<Named[]> {
  const lock = parse<DataLock>(path, text, dataLockSchema);
  if (!lock.ok) return lock;
  return ok(
    Object.entries(lock.value.datasets).map(([name, { kind, digest }]) => ({
      kind,
      digest,
      what: `dataset "${name}"`,
    })),
  );
}

/** A version needs its files, what its verdict was computed from, and the data it was made of. */
function modelRoots(path: string, text: string): Result<Named[]> {
  const lock = parse<ModelLock>(path, text, modelLockSchema);
  if (!lock.ok) return lock;
  const { model, versions } = lock.value;
  return ok(
    versions.flatMap(({ version, files, predictions, data }) => {
      const of = `of ${model} v${version}`;
      return [
        ...Object.entries(files).map(([name, digest]) => ({ kind: "file" as const, digest, what: `${name} ${of}` })),
        { kind: "file" as const, digest: predictions, what: `predictions ${of}` },
        // What DVC names lies in DVC's cache, not here.
        ...Object.entries(data)
          .flatMap(([name, digest]) => (isDigest(digest) ? [{ name, digest }] : []))
          .map(({ name, digest }) => ({
            kind: "any" as const,
            digest,
            what: `data "${name}" ${of}`,
          })),
      ];
    }),
  );
}

/** As JSON, which they are written in and which is many times faster; anything else is told with its place. */
function parse<T>(path: string, text: string, schema: typeof dataLockSchema | typeof modelLockSchema): Result<T> {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data as T);
  } catch {
    // told below
  }
  const positioned = parseConfig(path, text, schema);
  return positioned.ok ? ok(positioned.value.value as T) : positioned;
}
