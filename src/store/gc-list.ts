import { fail, ok } from "../core/index.ts";
import type { Failed, Result } from "../core/index.ts";
import type { Driver, Key, ObjectInfo } from "./driver.ts";
import { mapLimited } from "./files.ts";
import { PACK_MAGIC } from "./pack.ts";
import { TREE_LIMITS, TREE_START } from "./tree.ts";

export interface StoredObject extends ObjectInfo {
  readonly key: Key;
}

/** What an object is: `files` are small files and chunks of large ones that lie by themselves. */
export type ObjectKind = "checkpoints" | "trees" | "layouts" | "packs" | "files";

/** Every blob and layout of a store. A list that ends early is a failure: a collector must not take it for all. */
export async function listObjects(driver: Driver): Promise<Result<Map<Key, StoredObject>>> {
  const objects = new Map<Key, StoredObject>();
  try {
    for (const kind of ["layouts", "blobs"] as const) {
      for await (const object of driver.list(kind)) objects.set(object.key, object);
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return fail({ code: "external", what: `the list of ${driver.url}`, problem, cause: error });
  }
  return ok(objects);
}

/** Says of each object what it is, from its name and its first bytes. */
export async function kindsOf(
  driver: Driver,
  objects: readonly StoredObject[],
): Promise<Result<ReadonlyMap<Key, ObjectKind>>> {
  const kinds = new Map<Key, ObjectKind>();
  let failed: Failed | undefined;
  await mapLimited(objects, driver.width, async (object) => {
    const kind =
      failed ?? (object.key.startsWith("layouts/") ? ok("layouts" as const) : await kindOfBlob(driver, object));
    if (kind.ok) kinds.set(object.key, kind.value);
    else failed = kind;
  });
  return failed ?? ok(kinds);
}

/** What the first bytes of a blob say that it is. A file may begin like a manifest; a manifest never like a file. */
export async function kindOfBlob(driver: Driver, { key, size }: StoredObject): Promise<Result<ObjectKind>> {
  if (size < PACK_MAGIC.length) return ok("files");
  const chunks: Buffer[] = [];
  const range = { offset: 0, length: PACK_MAGIC.length };
  const read = await driver.get(key, (chunk) => void chunks.push(Buffer.from(chunk)), range);
  if (!read.ok) return read;
  const start = Buffer.concat(chunks);
  if (start.equals(PACK_MAGIC)) return ok("packs");
  return ok(size <= TREE_LIMITS.bytes && start.toString("latin1").startsWith(TREE_START) ? "trees" : "files");
}
