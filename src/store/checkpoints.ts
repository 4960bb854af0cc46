import { canonicalJson, fail, isDigest, ok } from "../core/index.ts";
import type { Digest, Result, StageKey } from "../core/index.ts";
import { digestOf } from "./digest.ts";
import { bodyOf } from "./driver.ts";
import type { Driver, Key, ObjectInfo } from "./driver.ts";

/** The latest checkpoint of a stage key: a tree of the store. */
export interface StoredCheckpoint {
  readonly tree: Digest;
  /** How many were stored for this key before and with it: the higher of two is the later one, whatever the clocks say. */
  readonly count: number;
}

/** Far more than one has. */
const LARGEST = 4096;

function keyOf(stage: StageKey): Key {
  return `checkpoints/${stage}`;
}

/** Undefined: there is none. One that is damaged, or of a version we do not know, counts as none. */
export async function readCheckpoint(
  { driver }: { readonly driver: Driver },
  stage: StageKey,
): Promise<Result<StoredCheckpoint | undefined>> {
  const key = keyOf(stage);
  const info = await driver.stat(key);
  return info.ok ? read(driver, key, info.value?.size ?? LARGEST + 1) : info;
}

/** Makes this tree, which is there already, the checkpoint of the key. Of two writers at once the later one stays. */
export async function writeCheckpoint(
  { driver }: { readonly driver: Driver },
  stage: StageKey,
  { tree, count }: StoredCheckpoint,
): Promise<Result<void>> {
  const bytes = Buffer.from(canonicalJson({ checkpointVersion: 1, count, tree }));
  return driver.put(keyOf(stage), bodyOf(bytes, digestOf(bytes)), { replace: true });
}

/** One that is not there is no failure. */
export async function deleteCheckpoint(
  { driver }: { readonly driver: Driver },
  stage: StageKey,
): Promise<Result<void>> {
  return driver.delete(keyOf(stage));
}

/** Every checkpoint of a store with the object that names it; `checkpoint` is undefined where that cannot be read. */
export async function listCheckpoints(
  driver: Driver,
): Promise<Result<(ObjectInfo & { readonly key: Key; readonly checkpoint: StoredCheckpoint | undefined })[]>> {
  const found = [];
  try {
    for await (const object of driver.list("checkpoints")) {
      const checkpoint = await read(driver, object.key, object.size);
      if (!checkpoint.ok) return checkpoint;
      found.push({ ...object, checkpoint: checkpoint.value });
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return fail({ code: "external", what: `the checkpoints in ${driver.url}`, problem, cause: error });
  }
  return ok(found);
}

async function read(driver: Driver, key: Key, size: number): Promise<Result<StoredCheckpoint | undefined>> {
  if (size > LARGEST) return ok(undefined);
  const chunks: Uint8Array[] = [];
  const got = await driver.get(key, (chunk) => void chunks.push(Buffer.from(chunk)));
  if (!got.ok) return got;
  let document: Partial<Record<string, unknown>> | null;
  try {
    document = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return ok(undefined);
  }
  const { checkpointVersion, count, tree } = document ?? {};
  if (checkpointVersion !== 1 || typeof tree !== "string" || !isDigest(tree)) return ok(undefined);
  return ok(typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? { tree, count } : undefined);
}
