import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { fail, ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import { DIGEST_BYTES } from "./digest-table.ts";
import type { FileDriver } from "./drivers/file.ts";
import { filesOf, sizeAt } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { TREE_END, TREE_LIMITS, TREE_START } from "./tree.ts";

export interface Written {
  readonly digest: Digest;
  /** Bytes of all files together. */
  readonly size: number;
  readonly files: number;
}

/** Text is turned into bytes in pieces of about this many characters. */
const PIECE = 1024 * 1024;

/**
 * The manifest of a scan whose digests are all known, piece by piece through the hash and, where `into` is given, into
 * that store: it may be larger than what one would keep in memory. The spelling is that of `encodeTree`. `first` does
 * what must be done before the manifest can be seen; when it fails, nothing is published.
 */
export async function writeManifest(
  scan: Scan,
  into?: FileDriver,
  first?: (root: Digest) => Promise<Result<void>>,
): Promise<Result<Written>> {
  const hash = createHash("sha256");
  const temporary = into === undefined ? undefined : await into.temporary();
  let length = 0;
  let size = 0;
  let files = 0;
  const write = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text);
    length += bytes.length;
    hash.update(bytes);
    await temporary?.file.writeFile(bytes);
  };
  try {
    let text = TREE_START;
    for (const spot of filesOf(scan)) {
      const bytes = sizeAt(spot).size;
      const hex = spot.folder.digests.toString("hex", spot.at * DIGEST_BYTES, (spot.at + 1) * DIGEST_BYTES);
      const mode = spot.folder.executable[spot.at] === 1 ? "755" : "644";
      text += `${files === 0 ? "" : ","}{"digest":"sha256:${hex}","mode":"${mode}","path":${JSON.stringify(spot.path)},"size":${bytes}}`;
      size += bytes;
      files += 1;
      if (text.length > PIECE) {
        await write(text);
        text = "";
      }
    }
    await write(text + TREE_END);
    if (files > TREE_LIMITS.entries || length > TREE_LIMITS.bytes) {
      const problem = `it has ${files} files and a manifest of ${length} bytes; ${TREE_LIMITS.entries} and ${TREE_LIMITS.bytes} are the most`;
      return fail({ code: "tree-invalid", tree: scan.root, problem });
    }
    const hex = hash.digest("hex");
    const digest = `sha256:${hex}` as Digest;
    const ready = await first?.(digest);
    if (ready !== undefined && !ready.ok) return ready;
    if (into !== undefined && temporary !== undefined) {
      await temporary.file.close();
      await into.publish(temporary.path, `blobs/${hex}`, length);
    }
    return ok({ digest, size, files });
  } finally {
    await temporary?.file.close().catch(() => {});
    if (temporary !== undefined) await rm(temporary.path, { force: true });
  }
}
