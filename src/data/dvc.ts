import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import { digestAt, dvcPlaces, hasObjects, keepNames, place } from "../dvc/index.ts";
import type { DvcFile } from "../dvc/index.ts";

/** How the working tree stands to a `.dvc` file. */
export async function dvcState(
  context: Context,
  { path, digest }: DvcFile,
): Promise<Result<"unchanged" | "changed" | "missing">> {
  const places = await dvcPlaces(context);
  if (!places.ok) return places;
  const there = await digestAt(context, path, { cache: places.value.cache, legacy: isLegacy(digest) });
  await keepNames(context);
  if (!there.ok) return there;
  return ok(there.value === undefined ? "missing" : there.value === digest ? "unchanged" : "changed");
}

/** True when DVC's cache here has all of it. */
export async function isDvcCached(context: Context, { digest }: DvcFile): Promise<Result<boolean>> {
  const places = await dvcPlaces(context);
  return places.ok ? hasObjects({ ...places.value, remotes: [] }, digest) : places;
}

/**
 * Brings what a `.dvc` file tracks into place, from DVC's cache or a remote that is a folder. What stands there and
 * neither of them has is a `data-changed` failure, unless `overwrite` says to lose it. False: it was in place.
 */
export async function pullDvc(context: Context, tracked: DvcFile, overwrite: boolean): Promise<Result<boolean>> {
  const read = await dvcPlaces(context);
  if (!read.ok) return read;
  const places = read.value;
  const { path, digest, file } = tracked;
  const there = await digestAt(context, path, { cache: places.cache, legacy: isLegacy(digest) });
  if (!there.ok) return there;
  if (there.value === digest) return ok(false);
  if (there.value !== undefined && !overwrite) {
    const kept = await hasObjects(places, there.value);
    if (!kept.ok) return kept;
    if (!kept.value) return fail({ code: "data-changed", dataset: path, path, by: `what ${file} tracks` });
  }
  const placed = await place(context, places, tracked);
  return placed.ok ? ok(true) : placed;
}

function isLegacy(digest: string): boolean {
  return digest.startsWith("md5-dos2unix:");
}
