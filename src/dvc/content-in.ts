import { ok } from "../core/index.ts";
import type { DvcDigest, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { digestOfListing } from "./listing.ts";
import { md5OfBytes } from "./md5.ts";

/** DVC's name for what git has at a path of a revision; undefined: nothing. */
export async function digestIn(source: Source, path: string, legacy: boolean): Promise<Result<DvcDigest | undefined>> {
  const kind = await source.stat(path);
  if (!kind.ok || kind.value === undefined) return kind as Result<undefined>;
  const listed = kind.value === "file" ? ok([path]) : await source.list(path);
  if (!listed.ok) return listed;
  const files = new Map<string, string>();
  for (const file of listed.value) {
    const bytes = await source.read(file);
    if (!bytes.ok) return bytes;
    if (bytes.value !== undefined) files.set(file.slice(path.length + 1), md5OfBytes(bytes.value, legacy));
  }
  if (kind.value === "folder") return ok(digestOfListing(files, legacy));
  return ok(`${legacy ? "md5-dos2unix" : "md5"}:${files.get("")}` as DvcDigest);
}
