import { posix } from "node:path";
import { z } from "zod";
import { parseConfig } from "../config/index.ts";
import { all, failedIfAny, isRelativePath, ok } from "../core/index.ts";
import type { DvcDigest, Failure, Location, RelativePath, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";

/** One file or folder that a `.dvc` file tracks. */
export interface DvcFile {
  readonly path: RelativePath;
  readonly kind: "file" | "tree";
  readonly digest: DvcDigest;
  /** Bytes, where the file says. */
  readonly size?: number;
  readonly files?: number;
  readonly mode?: "755";
  /** The `.dvc` file. */
  readonly file: string;
}

/** The same with its place, for what is said of it. */
export interface PlacedDvcFile extends DvcFile {
  readonly at: Location;
}

const out = z.object({
  path: z.string(),
  md5: z.string().optional(),
  /** Where it is missing, DVC 2 took the MD5. */
  hash: z.string().optional(),
  size: z.number().optional(),
  nfiles: z.number().optional(),
  isexec: z.boolean().optional(),
  cache: z.boolean().optional(),
});
/** What is not read of it: `deps` and `frozen` (an import is what it brought), `md5`, `meta`, `desc`. */
const schema = z.object({
  wdir: z.string().nullish(),
  cmd: z.unknown().optional(),
  outs: z.array(out).nullish(),
});

/** Everything that the `.dvc` files of a tree track, in order of file. All their faults at once, with places. */
export async function loadTracked(source: Source): Promise<Result<PlacedDvcFile[]>> {
  const listed = await source.list("");
  if (!listed.ok) return listed;
  const files = listed.value.filter((file) => /(^|\/)(Dvcfile|[^/]+\.dvc)$/.test(file) && !/(^|\/)\.dvc\//.test(file));
  const tracked = all(await Promise.all(files.map(async (file) => readFile(source, file))));
  return tracked.ok ? ok(tracked.value.flat()) : tracked;
}

async function readFile(source: Source, file: string): Promise<Result<PlacedDvcFile[]>> {
  const bytes = await source.read(file);
  if (!bytes.ok || bytes.value === undefined) return bytes as Result<never>;
  const parsed = parseConfig(file, bytes.value.toString("utf8"), schema);
  if (!parsed.ok) return parsed;
  const { value, at } = parsed.value;
  const failures: Failure[] = [];
  if (value.cmd !== undefined) {
    const hint = "`dvc migrate`, or write it into a dvc.yaml";
    failures.push({ code: "unsupported", what: "a stage in a .dvc file", at: at(["cmd"], { key: true }), hint });
  }
  const folder = posix.join(posix.dirname(file), value.wdir ?? "");
  const found = (value.outs ?? []).flatMap((entry, index): PlacedDvcFile[] => {
    // What git keeps is in git.
    if (entry.cache === false) return [];
    const { path: written, md5, hash, size, nfiles, isexec } = entry;
    const path = posix.isAbsolute(written) ? written : posix.normalize(posix.join(folder, written)).replace(/\/$/, "");
    const place = at(["outs", index, "path"]);
    if (!isRelativePath(path) || path.split("/").some((part) => [".git", ".lockstep"].includes(part.toLowerCase()))) {
      const problem = `${JSON.stringify(written)}: a path stays in the repository, with / between its parts`;
      failures.push({ code: "file-invalid", at: place, problem });
      return [];
    }
    if (md5 === undefined || (hash !== undefined && hash !== "md5")) {
      const hint = "`dvc pull` and `dvc commit` write it where the data is whole";
      failures.push({ code: "unsupported", what: `data without an MD5 (${path})`, at: place, hint });
      return [];
    }
    if (!/^[0-9a-f]{32}(\.dir)?$/.test(md5)) {
      failures.push({
        code: "file-invalid",
        at: at(["outs", index, "md5"]),
        problem: `"${md5}" is not an MD5 of DVC's`,
      });
      return [];
    }
    const tree = md5.endsWith(".dir");
    return [
      {
        path,
        kind: tree ? "tree" : "file",
        digest: `${hash === undefined ? "md5-dos2unix" : "md5"}:${md5}` as DvcDigest,
        ...(size === undefined ? {} : { size }),
        ...(tree ? (nfiles === undefined ? {} : { files: nfiles }) : { files: 1 }),
        ...(isexec === true && !tree ? { mode: "755" as const } : {}),
        file,
        at: place,
      },
    ];
  });
  return failedIfAny(failures) ?? ok(found);
}
