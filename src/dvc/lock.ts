import { posix } from "node:path";
import { z } from "zod";
import { parseConfig } from "../config/index.ts";
import { isDvcDigest, ok } from "../core/index.ts";
import type { DvcDigest, Json, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";

const entry = z.object({
  path: z.string(),
  md5: z.string().optional(),
  hash: z.string().optional(),
  isexec: z.boolean().optional(),
});
const stage = z.object({
  cmd: z.union([z.string(), z.array(z.string())]),
  deps: z.array(entry).optional(),
  params: z.record(z.string(), z.record(z.string(), z.json())).optional(),
  outs: z.array(entry).optional(),
});
const schema = z.object({ schema: z.string().optional(), stages: z.record(z.string(), stage).nullish() });

/** What a `dvc.lock` says of one stage's last run; paths from the repository's root. */
export interface LockedStage {
  readonly cmd: readonly string[];
  readonly deps: ReadonlyMap<string, DvcDigest>;
  readonly params: ReadonlyMap<string, Readonly<Record<string, Json>>>;
  readonly outs: ReadonlyMap<string, { readonly digest: DvcDigest; readonly mode?: "755" }>;
}

/** A stage's entry; its paths are spelled from the stage's `wdir`. */
export type DvcLock = (stage: string, wdir: string) => LockedStage | undefined;

/** The `dvc.lock` of a folder ("" is the root). One that is not there, or of DVC 1, says nothing of any stage. */
export async function loadDvcLock(source: Source, folder: string): Promise<Result<DvcLock>> {
  const file = posix.join(folder, "dvc.lock");
  const bytes = await source.read(file);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return ok(() => undefined);
  const parsed = parseConfig(file, bytes.value.toString("utf8"), schema);
  if (!parsed.ok) return parsed;
  const stages = new Map(parsed.value.value.schema === "2.0" ? Object.entries(parsed.value.value.stages ?? {}) : []);
  return ok((name, wdir) => {
    const found = stages.get(name);
    if (found === undefined) return undefined;
    const { cmd, deps = [], params = {}, outs = [] } = found;
    const root = (path: string): string => posix.normalize(posix.join(wdir, path)).replace(/\/$/, "");
    // What has no MD5 (data of a cloud, say) is not known.
    const named = (list: typeof outs): [string, { digest: DvcDigest; mode?: "755" }][] =>
      list.flatMap(({ path, md5, hash, isexec }) => {
        const digest = `${hash === undefined ? "md5-dos2unix" : hash}:${md5}`;
        if (!isDvcDigest(digest)) return [];
        return [[root(path), { digest, ...(isexec === true ? { mode: "755" as const } : {}) }]];
      });
    return {
      cmd: typeof cmd === "string" ? [cmd] : cmd,
      deps: new Map(named(deps).map(([path, { digest }]) => [path, digest])),
      params: new Map(Object.entries(params).map(([path, values]) => [root(path), values as Record<string, Json>])),
      outs: new Map(named(outs)),
    };
  });
}
