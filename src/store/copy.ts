import { rm } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { WHOLE } from "./digest.ts";
import { mapLimited, prepareTemporaryFolder } from "./files.ts";
import type { Store, StoredBlob } from "./store.ts";

const WIDTH = 8;

/**
 * Copies the blobs that `to` lacks, in the order of `digests` as far as `WIDTH` at a time allows. Callers put files
 * before the trees that name them. The answer counts what was copied.
 */
export async function copyBlobs(
  context: Context,
  from: Store,
  to: Store,
  digests: readonly Digest[],
): Promise<Result<{ blobs: number; bytes: number }>> {
  const copied = await mapLimited([...new Set(digests)], WIDTH, (digest) => copyOne(context, from, to, digest));
  let blobs = 0;
  let bytes = 0;
  for (const result of copied) {
    if (!result.ok) return result;
    if (result.value === undefined) continue;
    blobs += 1;
    bytes += result.value.size;
  }
  return ok({ blobs, bytes });
}

/** Undefined: it was there already. */
async function copyOne(
  context: Context,
  from: Store,
  to: Store,
  digest: Digest,
): Promise<Result<StoredBlob | undefined>> {
  if (context.signal?.aborted) return fail({ code: "interrupted" });
  const present = await to.has(digest);
  if (!present.ok) return present;
  if (present.value) return ok(undefined);
  const small = await from.read(digest, { maxBytes: WHOLE });
  if (small.ok) {
    const stored = await to.put(small.value);
    return stored.ok ? ok({ digest, size: small.value.length }) : stored;
  }
  // By way of a file: a blob may be larger than memory. What else hindered the read hinders this as well.
  const folder = await attempt(".lockstep/tmp", () => prepareTemporaryFolder(context));
  if (!folder.ok) return folder;
  const between = join(folder.value, randomUUID());
  try {
    const taken = await from.toFile(digest, between);
    return taken.ok ? await to.putFile(between) : taken;
  } finally {
    await rm(between, { force: true });
  }
}
