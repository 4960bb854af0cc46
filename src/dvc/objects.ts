import { hash } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, fail, isSystemError, ok } from "../core/index.ts";
import type { DvcDigest, Failure, Result } from "../core/index.ts";
import { parseListing } from "./listing.ts";
import type { Listing } from "./listing.ts";
import type { DvcPlaces } from "./places.ts";

/** A listing of some million files; what is larger was not written by DVC. */
const LARGEST_LISTING = 512 * 1024 * 1024;

/** The file that holds an object, in the cache or a remote; undefined: it is in none. Its bytes are not looked at. */
export async function findObject(places: DvcPlaces, digest: DvcDigest): Promise<Result<string | undefined>> {
  const hex = digest.slice(digest.indexOf(":") + 1);
  const name = join(hex.slice(0, 2), hex.slice(2));
  // DVC 3 and DVC 2. Where a name was moved from one layout to the other its content is checked all the same.
  const layouts = [join("files", "md5", name), name];
  if (digest.startsWith("md5-dos2unix:")) layouts.reverse();
  for (const root of [places.cache, ...places.remotes]) {
    for (const layout of layouts) {
      const path = join(root, layout);
      const found = await attempt(path, async () => lstat(path).catch(missing));
      if (!found.ok) return found;
      if (found.value?.isFile() === true) return ok(path);
    }
  }
  return ok(undefined);
}

/** The files of a folder as its object lists them; undefined: no place has the object. */
export async function readListing(places: DvcPlaces, digest: DvcDigest): Promise<Result<Listing | undefined>> {
  const path = await findObject(places, digest);
  if (!path.ok || path.value === undefined) return path as Result<undefined>;
  const where = path.value;
  const bytes = await attempt(where, async () =>
    (await lstat(where)).size > LARGEST_LISTING ? undefined : readFile(where),
  );
  if (!bytes.ok) return bytes;
  const invalid = (problem: string): Result<never> => fail({ code: "tree-invalid", tree: where, problem });
  if (bytes.value === undefined) return invalid("it is too large");
  const actual = hash("md5", bytes.value, "hex");
  if (!digest.endsWith(`:${actual}.dir`)) return fail({ code: "blob-corrupt", digest, actual: `md5:${actual}`, where });
  const listing = parseListing(bytes.value.toString("utf8"));
  return typeof listing === "string" ? invalid(listing) : ok(listing);
}

/** True when the object is there, and of a folder all that it lists. */
export async function hasObjects(places: DvcPlaces, digest: DvcDigest): Promise<Result<boolean>> {
  const own = await findObject(places, digest);
  if (!own.ok || own.value === undefined || !digest.endsWith(".dir")) return own.ok ? ok(own.value !== undefined) : own;
  const listing = await readListing(places, digest);
  if (!listing.ok) return listing;
  const kind = digest.slice(0, digest.indexOf(":"));
  for (const md5 of new Set(listing.value?.values())) {
    const found = await findObject(places, `${kind}:${md5}` as DvcDigest);
    if (!found.ok || found.value === undefined) return found.ok ? ok(false) : found;
  }
  return ok(true);
}

/** No place has it: what to do depends on where it may still be. */
export function missingObject(places: DvcPlaces, digest: DvcDigest, neededBy: string): Failure {
  const store = [places.cache, ...places.remotes].join(", ");
  const beyond = places.beyond.length === 0 ? "" : ` (${places.beyond.join(", ")} is not read)`;
  const hint = `\`dvc pull\` where DVC has it${beyond}, or \`lockstep data import\` brings it over for good`;
  return { code: "blob-missing", digest, neededBy, store, hint };
}

function missing(error: unknown): undefined {
  if (isSystemError(error) && ["ENOENT", "ENOTDIR"].includes(error.code)) return undefined;
  throw error;
}
