import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { blobKey } from "./blob-store.ts";
import type { LocalStore, Store } from "./store.ts";

/**
 * Copies one object into a store of this machine, verified on its way; it gets its name when it is whole. `label`
 * says what needs it. False: the other store does not have it. A damaged object of the same name here is replaced.
 */
export async function copyBlob(
  context: Context,
  digest: Digest,
  from: Store,
  into: LocalStore,
  label: string,
  progress: (bytes: number) => void,
): Promise<Result<boolean>> {
  const key = blobKey(digest);
  const copied = await attempt(`${label}: ${key} into ${into.url}`, async (): Promise<Result<boolean>> => {
    const { path, file } = await into.driver.temporary();
    try {
      const hash = createHash("sha256");
      let size = 0;
      const got = await from.driver.get(key, async (chunk) => {
        hash.update(chunk);
        size += chunk.length;
        await file.writeFile(chunk);
        progress(chunk.length);
      });
      if (!got.ok || !got.value) return got;
      const actual = `sha256:${hash.digest("hex")}`;
      if (actual !== digest) return fail({ code: "blob-corrupt", digest, actual, where: `${key} in ${from.url}` });
      if (context.signal?.aborted) return fail({ code: "interrupted" });
      await file.close();
      await into.driver.publish(path, key, size, { replace: true });
      return ok(true);
    } finally {
      await file.close().catch(() => {});
      await rm(path, { force: true });
    }
  });
  return copied.ok ? copied.value : copied;
}
