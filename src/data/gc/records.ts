import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { stageRecordSchema } from "../../config/index.ts";
import { attempt, isSystemError, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { atRevision } from "../../git/index.ts";
import { spelledDigests } from "./root.ts";
import type { Marks, MarkSource, Root } from "./root.ts";

/**
 * What the stage records of the records branch name, as of this commit of it: the outputs of trusted and of untrusted
 * results, and their profiles. Runs name no bytes.
 */
export async function marksOfRecords(
  context: Context,
  commit: string,
  since: Date | undefined,
): Promise<Result<Marks>> {
  const source = await atRevision(context, commit);
  if (!source.ok) return source;
  const roots: Root[] = [];
  for (const [folder, from] of [
    ["stages", "records"],
    ["untrusted/stages", "untrusted records"],
  ] as const) {
    const paths = await source.value.list(folder);
    if (!paths.ok) return paths;
    const texts = await Promise.all(paths.value.map(async (path) => source.value.read(path)));
    for (const [at, text] of texts.entries()) {
      if (!text.ok) return text;
      roots.push(...rootsOfRecord(String(text.value), from, paths.value[at]!, since));
    }
  }
  return ok({ roots, doubts: [] });
}

/** What the records of a working tree (`.lockstep/records`) name. */
export async function marksOfLocalRecords(folder: string, since: Date | undefined): Promise<Result<Marks>> {
  const root = join(folder, ".lockstep", "records", "stages");
  return attempt(root, async () => {
    const roots: Root[] = [];
    for (const path of await jsonFilesIn(root)) {
      const text = await readFile(join(root, path), "utf8");
      roots.push(...rootsOfRecord(text, "records of this machine", `.lockstep/records/stages/${path}`, since));
    }
    return { roots, doubts: [] };
  });
}

/** A record that cannot be read counts as not there everywhere else; here what looks like a digest in it is kept. */
function rootsOfRecord(text: string, source: MarkSource, path: string, since: Date | undefined): Root[] {
  const record = stageRecordSchema.safeParse(json(text));
  if (!record.success) {
    return spelledDigests(text).map((digest) => ({
      kind: "any",
      digest,
      source,
      why: `${path}, which cannot be read`,
    }));
  }
  const { outs, profile, pipeline, stage, key, startedAt } = record.data;
  if (since !== undefined && new Date(startedAt) < since) return [];
  const of = `of stage "${stage}" of ${pipeline}, key ${key.slice(0, 12)}`;
  return [
    // Anybody may have written an untrusted one: that a file is a tree is not believed, but seen.
    ...outs.map(({ kind, digest, path: out }): Root => ({
      kind: source === "untrusted records" ? "any" : kind,
      digest,
      source,
      why: `${out} ${of}`,
    })),
    ...(profile === null ? [] : [{ kind: "file" as const, digest: profile, source, why: `profile ${of}` }]),
  ];
}

async function jsonFilesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder, { recursive: true });
    return names.filter((name) => name.endsWith(".json"));
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return [];
    throw error;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
