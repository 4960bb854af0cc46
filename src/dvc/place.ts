import { randomUUID } from "node:crypto";
import { chmod, constants, copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { all, attempt, fail, ok } from "../core/index.ts";
import type { Context, DvcDigest, RelativePath, Result } from "../core/index.ts";
import { isInside, mapLimited, prepareTemporaryFolder, swap } from "../store/index.ts";
import { md5OfFile } from "./md5.ts";
import { findObject, missingObject, readListing } from "./objects.ts";
import type { DvcPlaces } from "./places.ts";

export interface Placeable {
  readonly path: RelativePath;
  readonly digest: DvcDigest;
  /** Of a lone file that is executable. */
  readonly mode?: "755" | undefined;
}

const WIDTH = 8;

/**
 * Brings what DVC has under a name to a path of the working tree: copied aside, checked against its MD5, and published
 * by rename. What stood there is lost: callers protect it. Fails with `blob-missing` when no place has it.
 */
export async function place(
  context: Context,
  places: DvcPlaces,
  { path, digest, mode }: Placeable,
): Promise<Result<void>> {
  const safe = await isInside(context, path);
  if (!safe.ok) return safe;
  const legacy = digest.startsWith("md5-dos2unix:");
  const listing = digest.endsWith(".dir") ? await readListing(places, digest) : ok(undefined);
  if (!listing.ok) return listing;
  if (digest.endsWith(".dir") && listing.value === undefined) return fail(missingObject(places, digest, path));
  const kind = legacy ? "md5-dos2unix" : "md5";
  const files =
    listing.value === undefined
      ? [{ to: "", name: digest }]
      : [...listing.value].map(([to, md5]) => ({ to: `/${to}`, name: `${kind}:${md5}` as DvcDigest }));
  const made = await attempt(path, async () => {
    const aside = join(await prepareTemporaryFolder(context), randomUUID());
    try {
      await mkdir(listing.value === undefined ? aside : join(aside, "new"), { recursive: true });
      const copied = all(
        await mapLimited(files, WIDTH, async ({ to, name }) =>
          copy(places, name, `${path}${to}`, join(aside, `new${to}`)),
        ),
      );
      if (!copied.ok) return copied;
      if (mode === "755") await chmod(join(aside, "new"), 0o755);
      await swap(aside, join(context.cwd, path));
      return ok();
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  });
  if (!made.ok) return made;
  if (made.value.ok) context.emit({ type: "effect", name: "DVC data placed" });
  return made.value;
}

async function copy(places: DvcPlaces, digest: DvcDigest, label: string, to: string): Promise<Result<void>> {
  const from = await findObject(places, digest);
  if (!from.ok) return from;
  if (from.value === undefined) return fail(missingObject(places, digest, label));
  const where = from.value;
  const [kind] = digest.split(":");
  const checked = await attempt(label, async () => {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(where, to, constants.COPYFILE_FICLONE);
    // DVC's cache is read-only; what a person works on is not.
    await chmod(to, 0o644);
    return `${kind}:${await md5OfFile(to, kind === "md5-dos2unix")}`;
  });
  if (!checked.ok) return checked;
  return checked.value === digest ? ok() : fail({ code: "blob-corrupt", digest, actual: checked.value, where });
}
